"""What partners carry of a parcours: places in projects, and named access given for a time."""

from __future__ import annotations

from datetime import date, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from guardian.models import UserObjectPermissionBase

from audit.encryption.fields import EncryptedTextField
from audit.history import History
from pre_cases.models.record import CaseRecord, EncryptedRecord
from pre_cases.querysets.partnership import EnrolmentQuerySet, ParcoursShareQuerySet
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


class ParcoursShare(EncryptedRecord, UserObjectPermissionBase):
    """Named reading access to one parcours, for a stated reason and until a stated day. Made by its service only."""

    journal_subject = ("content_object_id",)

    content_object = models.ForeignKey(
        "pre_cases.Parcours", on_delete=models.CASCADE, related_name="shares", verbose_name="parcours"
    )
    reason = EncryptedTextField("motif", aad="parcours_share.reason", max_length=300)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="accordé par"
    )
    granted_at = models.DateTimeField("accordé le", default=timezone.now)
    starts_on = models.DateField("depuis le")
    ends_on = models.DateField("jusqu’au", help_text="Ce jour n’est plus compris.")
    revoked_at = models.DateTimeField("retiré le", null=True, blank=True)

    objects = ParcoursShareQuerySet.as_manager()
    history = History()

    # A Meta of its own: guardian's would forbid a renewal, which is a new row (decisions on rights).
    class Meta:
        verbose_name = "partage"
        verbose_name_plural = "partages"
        indexes = [
            models.Index(fields=["user", "ends_on"], condition=Q(revoked_at__isnull=True), name="share_user_current"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")),
                name="share_ends_after_start",
                violation_error_message="Le partage doit finir après son début.",
            ),
            models.UniqueConstraint(
                fields=["user", "content_object"],
                condition=Q(revoked_at__isnull=True),
                name="share_one_unrevoked",
                violation_error_message="Ce parcours est déjà partagé avec cette personne.",
            ),
        ]

    def __str__(self) -> str:
        return f"ParcoursShare {self.pk}"

    @property
    def last_day(self) -> date:
        """The last day on which the share opens the parcours."""
        return self.ends_on - timedelta(days=1)
