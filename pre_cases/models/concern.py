"""That an information préoccupante was sent: the fact, its day, its author and its addressee, never what it said."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from audit.history import History
from pre_cases.models.record import CaseRecord
from pre_cases.querysets.concern import ConcernReportedQuerySet


class ConcernAddressee(models.TextChoices):
    CRIP = "crip", "la CRIP"
    HOTLINE = "119", "le 119"
    PROSECUTOR = "parquet", "le parquet"


class ConcernReported(CaseRecord):
    """Read by its author and by the coordination of the team only; outside every list, figure and share."""

    journal_subject = ("parcours_id",)

    parcours = models.ForeignKey(
        "pre_cases.Parcours", on_delete=models.CASCADE, related_name="concerns", verbose_name="parcours"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="transmise par"
    )
    reported_on = models.DateField("transmise le")
    addressee = models.CharField("à", max_length=10, choices=ConcernAddressee)

    objects = ConcernReportedQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "information préoccupante transmise"
        verbose_name_plural = "informations préoccupantes transmises"
        constraints = [
            models.UniqueConstraint(
                fields=["parcours", "author", "reported_on", "addressee"],
                name="concern_noted_once",
                violation_error_message="Cette transmission est déjà notée.",
            )
        ]
