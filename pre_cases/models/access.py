"""Who else reaches a parcours: shares, exceptional accesses, requests for access, and the passing on of a parcours."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from audit.encryption.fields import EncryptedTextField
from audit.history import History
from pre_cases.models.record import EncryptedRecord
from pre_cases.querysets.access import (
    AccessRequestQuerySet,
    ExceptionalAccessQuerySet,
    HandOverQuerySet,
    ParcoursShareQuerySet,
)
from referents.models import Grant

EXCEPTIONAL_HOURS = 24
NUMBER_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O nor U, that one mishears


def make_number() -> str:
    """Eight characters drawn at random, « 7QK2-M4XD », that one coordination may read to another by telephone."""
    drawn = "".join(secrets.choice(NUMBER_ALPHABET) for _ in range(8))
    return f"{drawn[:4]}-{drawn[4:]}"


class ParcoursShare(EncryptedRecord, Grant):
    """Named reading access to one parcours, for a stated reason and until a stated day. Made by its service only."""

    journal_subject = ("content_object_id",)

    content_object = models.ForeignKey(
        "pre_cases.Parcours", on_delete=models.CASCADE, related_name="shares", verbose_name="parcours"
    )
    reason = EncryptedTextField("motif", aad="parcours_share.reason", max_length=300)
    starts_on = models.DateField("depuis le")
    ends_on = models.DateField("jusqu’au", help_text="Ce jour n’est plus compris.")

    objects = ParcoursShareQuerySet.as_manager()
    history = History(excluded_fields=["end_told_at"])

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

    @property
    def last_day(self) -> date:
        """The last day on which the share opens the parcours."""
        return self.ends_on - timedelta(days=1)


class ExceptionalReason(models.TextChoices):
    DANGER = "danger", "l’enfant est en danger ou a besoin d’aide tout de suite"
    ABSENT_TEAM = "absent_team", "son équipe ne répond pas et une décision ne peut pas attendre"
    ARRIVAL = "arrival", "la famille se présente à notre équipe"
    AUTHORITY = "authority", "une autorité judiciaire ou sanitaire le demande"


class ExceptionalOutcome(models.TextChoices):
    JUSTIFIED = "justified", "justifié"
    UNJUSTIFIED = "unjustified", "non justifié"


class ExceptionalAccess(EncryptedRecord, Grant):
    """A coordinator of another team reads one parcours for 24 hours (*bris de glace*), then somebody reviews it.

    The end is derived: no row can open longer.
    """

    journal_subject = ("content_object_id",)

    content_object = models.ForeignKey(
        "pre_cases.Parcours", on_delete=models.CASCADE, related_name="exceptional_accesses", verbose_name="parcours"
    )
    motive = models.CharField("situation", max_length=12, choices=ExceptionalReason)
    reason = EncryptedTextField("motif", aad="exceptional_access.reason", max_length=500)
    outcome = models.CharField("examen", max_length=12, choices=ExceptionalOutcome, blank=True)
    review_note = EncryptedTextField(
        "remarque", aad="exceptional_access.review_note", max_length=500, null=True, blank=True
    )
    alerted_at = models.DateTimeField("alerte partie le", null=True, blank=True, editable=False)
    reviewed_at = models.DateTimeField("examiné le", null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name="par"
    )

    objects = ExceptionalAccessQuerySet.as_manager()
    history = History(excluded_fields=["end_told_at", "alerted_at"])
    enabled = False  # guardian's shortcuts read the shares

    class Meta:
        verbose_name = "accès exceptionnel"
        verbose_name_plural = "accès exceptionnels"
        indexes = [
            models.Index(fields=["user", "granted_at"], name="exceptional_user"),
            models.Index(fields=["granted_at"], condition=Q(outcome=""), name="exceptional_to_review"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="", reviewed_at__isnull=True, reviewed_by__isnull=True)
                | (~Q(outcome="") & Q(reviewed_at__isnull=False, reviewed_by__isnull=False)),
                name="exceptional_reviewed_by_someone",
                violation_error_message="Un examen dit par qui et quand.",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=F("user")),
                name="exceptional_reviewed_by_another",
                violation_error_message="Personne n’examine son propre accès.",
            ),
        ]

    @property
    def end_day(self) -> date:
        return timezone.localdate(self.ends_at)

    @property
    def ends_at(self) -> datetime:
        """When the access ends, or has ended, by itself."""
        return self.granted_at + timedelta(hours=EXCEPTIONAL_HOURS)


class AccessRequest(EncryptedRecord):
    """A colleague of the team asks to read a parcours; the référent or the coordination answers."""

    journal_subject = ("parcours_id",)

    parcours = models.ForeignKey(
        "pre_cases.Parcours", on_delete=models.CASCADE, related_name="access_requests", verbose_name="parcours"
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="demandé par"
    )
    reason = EncryptedTextField("motif", aad="access_request.reason", max_length=300)
    asked_at = models.DateTimeField("demandé le", default=timezone.now, editable=False)
    answered_at = models.DateTimeField("répondu le", null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name="par"
    )
    share = models.ForeignKey(
        ParcoursShare,
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="partage",
    )
    refusal = EncryptedTextField("raison du refus", aad="access_request.refusal", max_length=300, null=True, blank=True)

    objects = AccessRequestQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "demande d’accès"
        verbose_name_plural = "demandes d’accès"
        constraints = [
            models.UniqueConstraint(
                fields=["parcours", "asked_by"],
                condition=Q(answered_at__isnull=True),
                name="access_request_one_pending",
                violation_error_message="Vous avez déjà demandé à lire ce parcours.",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=False) | Q(answered_by__isnull=True, share__isnull=True),
                name="access_request_answered_once",
                violation_error_message="Une réponse porte sa date.",
            ),
        ]


class HandOverOutcome(models.TextChoices):
    ACCEPTED = "accepted", "accepté"
    REFUSED = "refused", "refusé"
    CANCELLED = "cancelled", "annulé"


class HandOver(EncryptedRecord):
    """A référent is asked to take a parcours on (*passage de relais*); nothing changes before the answer."""

    journal_subject = ("parcours_id",)

    parcours = models.ForeignKey(
        "pre_cases.Parcours", on_delete=models.CASCADE, related_name="hand_overs", verbose_name="parcours"
    )
    from_referent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="référent sortant"
    )
    to_referent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="référent pressenti"
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="demandé par"
    )
    message = EncryptedTextField("mot de passage", aad="hand_over.message", max_length=500, null=True, blank=True)
    asked_at = models.DateTimeField("demandé le", default=timezone.now, editable=False)
    outcome = models.CharField("réponse", max_length=10, choices=HandOverOutcome, blank=True)
    refusal = EncryptedTextField("raison du refus", aad="hand_over.refusal", max_length=300, null=True, blank=True)
    answered_at = models.DateTimeField("répondu le", null=True, blank=True)

    objects = HandOverQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "passage de relais"
        verbose_name_plural = "passages de relais"
        indexes = [
            models.Index(fields=["to_referent", "asked_at"], condition=Q(outcome=""), name="hand_over_pending"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["parcours"],
                condition=Q(outcome=""),
                name="hand_over_one_pending",
                violation_error_message="Un passage de relais est déjà demandé pour ce parcours.",
            ),
            models.CheckConstraint(
                condition=~Q(from_referent=F("to_referent")),
                name="hand_over_to_another",
                violation_error_message="Le parcours est déjà suivi par cette personne.",
            ),
            models.CheckConstraint(
                condition=Q(outcome="", answered_at__isnull=True) | (~Q(outcome="") & Q(answered_at__isnull=False)),
                name="hand_over_answer_is_dated",
                violation_error_message="Une réponse porte sa date.",
            ),
        ]
