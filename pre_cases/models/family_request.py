"""What a family asks about its data (GDPR, articles 15 to 21), its deadline and its answer."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Q
from django.utils import timezone

from audit.encryption.fields import EncryptedTextField
from audit.history import History
from pre_cases.deadlines import ANSWER_MONTHS, EXTENSION_MONTHS, due_after
from pre_cases.models.record import CaseRecord, EncryptedRecord
from pre_cases.querysets.family_request import FamilyRequestQuerySet


class MonthLater(models.Func):
    """The same day of the next month, for a constraint; SQLite writes 31 January + 1 month as 3 March, never less."""

    output_field = models.DateField()

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="date(%(expressions)s, '+1 month')")

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s + interval '1 month')::date")


class RequestKind(models.TextChoices):
    ACCESS = "access", "recevoir les données (droit d’accès)"
    CORRECTION = "correction", "corriger une donnée"
    OPPOSITION = "opposition", "s’opposer à un usage, ou retirer un consentement"
    ERASURE = "erasure", "effacer les données"


class IdentityMeans(models.TextChoices):
    DOCUMENT = "document", "pièce d’identité vue"
    KNOWN = "known", "personne connue de l’équipe, reçue en entretien"
    CALL_BACK = "call_back", "rappelée au numéro déjà connu"


class RequestOutcome(models.TextChoices):
    GRANTED = "granted", "acceptée"
    PARTLY = "partly", "acceptée en partie"
    REFUSED = "refused", "refusée"


class RequestState(models.TextChoices):
    """Computed from the facts of a request, never stored."""

    WAITING = "waiting", "à traiter"
    EXTENDED = "extended", "à traiter, délai prolongé"
    GRANTED = "granted", "acceptée"
    PARTLY = "partly", "acceptée en partie"
    REFUSED = "refused", "refusée"


class FamilyRequest(EncryptedRecord):
    """Asked by an adult around the child, or by the young person: ``adult`` is then empty."""

    journal_subject = ("child_id",)

    child = models.ForeignKey(
        "pre_cases.Child", on_delete=models.CASCADE, related_name="family_requests", verbose_name="enfant"
    )
    team = models.ForeignKey("referents.Team", on_delete=models.PROTECT, related_name="+", verbose_name="équipe")
    kind = models.CharField("demande", max_length=12, choices=RequestKind)
    adult = models.ForeignKey(
        "pre_cases.Adult",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="demandée par",
    )
    text = EncryptedTextField("ce qui est demandé", aad="family_request.text", max_length=1000)
    received_on = models.DateField("reçue le")
    recorded_on = models.DateField("enregistrée le", default=timezone.localdate, editable=False)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="enregistrée par"
    )
    identity_means = models.CharField("identité vérifiée", max_length=10, choices=IdentityMeans, blank=True)
    identity_on = models.DateField("identité vérifiée le", null=True, blank=True)
    identity_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="identité vérifiée par",
    )
    extended_on = models.DateField("famille prévenue de la prolongation le", null=True, blank=True)
    extension_reason = EncryptedTextField(
        "raison de la prolongation", aad="family_request.extension_reason", max_length=500, null=True, blank=True
    )
    outcome = models.CharField("réponse", max_length=8, choices=RequestOutcome, blank=True)
    answer = EncryptedTextField(
        "réponse à la famille", aad="family_request.answer", max_length=1000, null=True, blank=True
    )
    answered_on = models.DateField("répondu le", null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="répondu par",
    )
    statement = EncryptedTextField(
        "déclaration de la famille", aad="family_request.statement", max_length=1000, null=True, blank=True
    )
    erasure = models.ForeignKey(
        "pre_cases.Erasure",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="effacement demandé",
    )

    objects = FamilyRequestQuerySet.as_manager()
    history = History()
    permission_scopes = {
        "pre_cases.view_familyrequest": "visible_to",
        "pre_cases.change_familyrequest": "decidable_by",
    }

    class Meta:
        verbose_name = "demande de la famille"
        verbose_name_plural = "demandes des familles"
        indexes = [
            models.Index(fields=["team", "received_on"], condition=Q(outcome=""), name="family_request_waiting"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(received_on__lte=F("recorded_on")),
                name="family_request_received_before_recorded",
                violation_error_message="Une demande ne peut pas être reçue dans le futur.",
            ),
            models.CheckConstraint(
                condition=Q(identity_means="", identity_on__isnull=True, identity_by__isnull=True)
                | (~Q(identity_means="") & Q(identity_on__isnull=False, identity_by__isnull=False)),
                name="family_request_identity_checked_by_someone",
                violation_error_message="Une identité vérifiée dit comment, quand et par qui.",
            ),
            models.CheckConstraint(
                condition=Q(extended_on__isnull=True, extension_reason__isnull=True)
                | Q(
                    extended_on__gte=F("received_on"),
                    extended_on__lte=MonthLater(F("received_on")),
                    extension_reason__isnull=False,
                ),
                name="family_request_extended_within_a_month",
                violation_error_message="La prolongation est dite à la famille, avec sa raison, dans le premier mois.",
            ),
            models.CheckConstraint(
                condition=Q(outcome="", answered_on__isnull=True, answered_by__isnull=True, answer__isnull=True)
                | (
                    ~Q(outcome="")
                    & Q(answered_on__gte=F("received_on"), answered_by__isnull=False, answer__isnull=False)
                ),
                name="family_request_answered_after_receipt",
                violation_error_message="Une réponse porte son texte, sa date et son auteur.",
            ),
            models.CheckConstraint(
                condition=Q(erasure__isnull=True) | (Q(kind="erasure") & ~Q(outcome="refused")),
                name="family_request_erasure_was_asked",
                violation_error_message="Seule une demande d’effacement acceptée en prépare un.",
            ),
            models.CheckConstraint(
                condition=~Q(kind="erasure") | Q(outcome__in=["", "refused"]) | Q(erasure__isnull=False),
                name="family_request_erasure_was_prepared",
                violation_error_message="Accepter une demande d’effacement en prépare un.",
            ),
        ]

    @property
    def reference(self) -> str:
        """What the data protection officer and the coordination call it by; it says nothing of the child."""
        return f"D-{self.pk.hex[-8:].upper()}"

    @property
    def state(self) -> RequestState:
        if self.outcome:
            return RequestState(self.outcome)
        return RequestState.WAITING if self.extended_on is None else RequestState.EXTENDED

    @property
    def first_due_on(self) -> date:
        """The last day of the first month, to answer or to tell of an extension."""
        return due_after(self.received_on)

    @property
    def due_on(self) -> date:
        """The last day to answer."""
        months = ANSWER_MONTHS if self.extended_on is None else ANSWER_MONTHS + EXTENSION_MONTHS
        return due_after(self.received_on, months)

    @property
    def days_late(self) -> int:
        """Days since the deadline of a request not answered; 0 when it is not late."""
        return 0 if self.outcome else max((timezone.localdate() - self.due_on).days, 0)


class EffectKind(models.TextChoices):
    CORRECTED = "corrected", "donnée corrigée"
    SHARE_ENDED = "share", "partage arrêté"
    ENROLMENT_ENDED = "enrolment", "inscription arrêtée"
    AGREEMENT_WITHDRAWN = "agreement", "accord retiré, parcours clos"


class RequestEffect(CaseRecord):
    """What an answer changed: one record, by its kind (``pre_cases.child``) and id, and the instant of the change."""

    journal_subject = ("child_id",)

    request = models.ForeignKey(
        FamilyRequest, on_delete=models.CASCADE, related_name="effects", verbose_name="demande de la famille"
    )
    kind = models.CharField("effet", max_length=10, choices=EffectKind)
    record_kind = models.CharField("objet", max_length=40)
    record_id = models.UUIDField("identifiant")
    changed_at = models.DateTimeField("changé le", default=timezone.now)

    history = History()

    class Meta:
        verbose_name = "effet d’une demande"
        verbose_name_plural = "effets des demandes"
        constraints = [
            models.UniqueConstraint(
                fields=["request", "kind", "record_id", "changed_at"],
                name="request_effect_once",
                violation_error_message="Cet effet est déjà noté.",
            )
        ]

    @property
    def child_id(self) -> UUID:
        """The child of the request, which is read with the effect."""
        return self.request.child_id
