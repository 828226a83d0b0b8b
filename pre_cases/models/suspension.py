"""A parcours that stops for a time, agreed with the family, and goes on afterwards."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import models
from django.db.models import Q

from audit.encryption.fields import EncryptedTextField
from audit.history import History
from pre_cases.models.record import EncryptedRecord
from pre_cases.querysets.support import SuspensionQuerySet
from referents.intervals import ends_after_start


class Suspension(EncryptedRecord):
    """From a day to another, or until somebody says that the parcours goes on. It suspends no right of access."""

    journal_subject = ("parcours_id",)

    parcours = models.ForeignKey(
        "pre_cases.Parcours", on_delete=models.CASCADE, related_name="suspensions", verbose_name="parcours"
    )
    reason = EncryptedTextField("motif", aad="suspension.reason", max_length=300)
    starts_on = models.DateField("depuis le")
    ends_on = models.DateField("jusqu’au", null=True, blank=True, help_text="Ce jour n’est plus compris.")

    objects = SuspensionQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "suspension du parcours"
        verbose_name_plural = "suspensions du parcours"
        indexes = [models.Index(fields=["parcours", "starts_on"], include=["ends_on"], name="suspension_parcours")]
        constraints = [
            ends_after_start("suspension_ends_after_start"),
            models.UniqueConstraint(
                fields=["parcours"],
                condition=Q(ends_on__isnull=True),
                name="suspension_one_without_end",
                violation_error_message="Ce parcours est déjà suspendu.",
            ),
        ]

    @property
    def last_day(self) -> date | None:
        """The last day of the suspension; None while nobody knows it."""
        return None if self.ends_on is None else self.ends_on - timedelta(days=1)
