"""The fonds exceptionnel: what a référent asks for a child, what the coordination grants, and the year's envelope."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from audit.encryption.fields import EncryptedTextField
from audit.history import History
from pre_cases.models.record import EncryptedRecord
from pre_cases.querysets.aid import ExceptionalAidQuerySet


class AidEnvelope(models.Model):
    """What a team may grant within a civil year, in euros."""

    team = models.ForeignKey(
        "referents.Team", on_delete=models.PROTECT, related_name="aid_envelopes", verbose_name="équipe"
    )
    year = models.PositiveSmallIntegerField("année")
    amount = models.DecimalField("montant", max_digits=8, decimal_places=2)

    history = History()

    class Meta:
        verbose_name = "enveloppe du fonds exceptionnel"
        verbose_name_plural = "enveloppes du fonds exceptionnel"
        constraints = [
            models.UniqueConstraint(
                fields=["team", "year"],
                name="aid_envelope_one_a_year",
                violation_error_message="L’enveloppe de cette année est déjà fixée.",
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0),
                name="aid_envelope_not_negative",
                violation_error_message="Une enveloppe ne peut pas être négative.",
            ),
        ]

    def __str__(self) -> str:
        return f"AidEnvelope {self.pk}"


class AidDecision(models.TextChoices):
    GRANTED = "granted", "accordée"
    REFUSED = "refused", "refusée"


class ExceptionalAid(EncryptedRecord):
    """One aid asked for a child; ``team`` is the one whose envelope pays, amounts are in euros."""

    journal_subject = ("parcours_id",)

    parcours = models.ForeignKey(
        "pre_cases.Parcours", on_delete=models.CASCADE, related_name="aids", verbose_name="parcours"
    )
    team = models.ForeignKey("referents.Team", on_delete=models.PROTECT, related_name="aids", verbose_name="équipe")
    purpose = EncryptedTextField("objet", aad="exceptional_aid.purpose", max_length=300)
    requested = models.DecimalField("montant demandé", max_digits=8, decimal_places=2)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="demandée par"
    )
    asked_on = models.DateField("demandée le")
    decision = models.CharField("décision", max_length=10, choices=AidDecision, blank=True)
    granted = models.DecimalField("montant accordé", max_digits=8, decimal_places=2, null=True, blank=True)
    decision_reason = EncryptedTextField(
        "motif de la décision", aad="exceptional_aid.decision_reason", max_length=300, null=True, blank=True
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name="par"
    )
    decided_on = models.DateField("décidée le", null=True, blank=True)
    paid_on = models.DateField("versée le", null=True, blank=True)
    receipt = models.ForeignKey(
        "pre_cases.Document",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="justificatif",
    )

    objects = ExceptionalAidQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "aide du fonds exceptionnel"
        verbose_name_plural = "aides du fonds exceptionnel"
        indexes = [models.Index(fields=["team", "decision", "decided_on"], name="aid_team_decided")]
        constraints = [
            models.CheckConstraint(
                condition=Q(requested__gt=0),
                name="aid_requested_is_positive",
                violation_error_message="Le montant demandé est supérieur à zéro.",
            ),
            models.CheckConstraint(
                condition=Q(granted__isnull=True) | Q(granted__gt=0, granted__lte=F("requested")),
                name="aid_granted_within_request",
                violation_error_message="Le montant accordé est supérieur à zéro, et au plus celui demandé.",
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_on__isnull=True, decided_by__isnull=True, granted__isnull=True)
                | Q(decision="granted", decided_on__isnull=False, decided_by__isnull=False, granted__isnull=False)
                | Q(decision="refused", decided_on__isnull=False, decided_by__isnull=False, granted__isnull=True),
                name="aid_decision_is_whole",
                violation_error_message="Une décision porte sa date, son auteur, et un montant si l’aide est accordée.",
            ),
            models.CheckConstraint(
                condition=Q(paid_on__isnull=True) | Q(decision="granted", paid_on__gte=F("decided_on")),
                name="aid_paid_after_grant",
                violation_error_message="Seule une aide accordée est versée, et après la décision.",
            ),
        ]
