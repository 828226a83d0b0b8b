"""What partners carry of a parcours: places in projects."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from audit.history import History
from pre_cases.models.record import CaseRecord
from pre_cases.querysets.partnership import EnrolmentQuerySet
from referents.intervals import ends_after_start


class Enrolment(CaseRecord):
    """A place held by a child in a project, through the parcours."""

    journal_subject = ("parcours_id",)

    parcours = models.ForeignKey(
        "pre_cases.Parcours", on_delete=models.CASCADE, related_name="enrolments", verbose_name="parcours"
    )
    project = models.ForeignKey(
        "partners.Project", on_delete=models.PROTECT, related_name="enrolments", verbose_name="projet"
    )
    starts_on = models.DateField("inscrit le")
    ends_on = models.DateField("jusqu’au", null=True, blank=True, help_text="Ce jour n’est plus compris.")

    objects = EnrolmentQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "inscription"
        verbose_name_plural = "inscriptions"
        indexes = [
            models.Index(fields=["project"], condition=Q(ends_on__isnull=True), name="enrolment_current"),
        ]
        constraints = [
            ends_after_start("enrolment_ends_after_start"),
            models.UniqueConstraint(
                fields=["parcours", "project"],
                condition=Q(ends_on__isnull=True),
                name="enrolment_once",
                violation_error_message="L’enfant est déjà inscrit à ce projet.",
            ),
        ]
