"""The EPRE: the team's session, who is invited to it, and the situations it examines without a name."""

from __future__ import annotations

from datetime import date, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from uuid_utils.compat import uuid7

from audit.encryption.fields import EncryptedTextField
from audit.history import History
from audit.retention import Retention
from pre_cases.models.record import EncryptedRecord
from pre_cases.querysets.epre import EpreItemQuerySet, EpreParticipantQuerySet, EpreSessionQuerySet
from referents.days import long_day


class EpreState(models.TextChoices):
    PLANNED = "planned", "prévue"
    HELD = "held", "tenue"
    CANCELLED = "cancelled", "annulée"


class EpreSession(models.Model):
    """One meeting of a team's EPRE. It names no child: its situations do, and leave with the child's file."""

    retention = Retention.ACCOUNT

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(
        "referents.Team", on_delete=models.PROTECT, related_name="epre_sessions", verbose_name="équipe"
    )
    on = models.DateField("le")
    starts_at = models.TimeField("de")
    ends_at = models.TimeField("à")
    place = models.CharField("lieu", max_length=120)
    state = models.CharField("état", max_length=10, choices=EpreState, default=EpreState.PLANNED)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="prévue par"
    )
    closed_on = models.DateField("compte rendu clos le", null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name="par"
    )

    objects = EpreSessionQuerySet.as_manager()
    history = History()
    permission_scopes = {
        "pre_cases.view_epresession": "visible_to",
        "pre_cases.change_epresession": "coordinated_by",
    }

    class Meta:
        verbose_name = "séance de l’EPRE"
        verbose_name_plural = "séances de l’EPRE"
        indexes = [models.Index(fields=["team", "on", "id"], name="epre_session_team_on")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="epre_session_ends_after_start",
                violation_error_message="La séance se termine après avoir commencé.",
            ),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True, closed_by__isnull=True)
                | Q(closed_on__isnull=False, closed_by__isnull=False, state="held"),
                name="epre_session_closed_once_held",
                violation_error_message="Seul le compte rendu d’une séance tenue se clôt, et quelqu’un le clôt.",
            ),
        ]

    def __str__(self) -> str:
        return f"EpreSession {self.pk}"

    @property
    def title(self) -> str:
        return f"EPRE du {long_day(self.on)}"

    @property
    def opens_on(self) -> date:
        """The first day on which its invited members read the sheets."""
        return self.on - timedelta(days=settings.EPRE_DAYS_BEFORE)

    @property
    def closes_on(self) -> date:
        """The last day on which its invited members read the sheets, included."""
        return self.on + timedelta(days=settings.EPRE_DAYS_AFTER)

    @property
    def is_open_to_members(self) -> bool:
        return self.state != EpreState.CANCELLED and self.opens_on <= timezone.localdate() <= self.closes_on

    @property
    def is_writable(self) -> bool:
        """Neither cancelled, nor its minutes closed."""
        return self.state != EpreState.CANCELLED and self.closed_on is None


class EpreParticipant(models.Model):
    """Who is invited to a session: an account, or a name typed, since most members have none; and who came.

    ``charter_on`` is the day of the signature on the paper sheet; an account has its own charter besides.
    """

    journal_subject = ("session_id",)
    retention = Retention.ACCOUNT

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    session = models.ForeignKey(
        EpreSession, on_delete=models.PROTECT, related_name="participants", verbose_name="séance"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="epre_participations",
        null=True,
        blank=True,
        verbose_name="compte",
    )
    name = models.CharField("nom", max_length=120)
    institution = models.CharField("institution", max_length=120)
    function = models.CharField("fonction", max_length=120, blank=True)
    charter_on = models.DateField("charte signée sur la feuille le", null=True, blank=True)
    attended = models.BooleanField("présent", null=True, blank=True)

    objects = EpreParticipantQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "membre d’une séance"
        verbose_name_plural = "membres des séances"
        constraints = [
            models.UniqueConstraint(
                fields=["session", "user"],
                condition=Q(user__isnull=False),
                name="epre_participant_account_once",
                violation_error_message="Cette personne est déjà invitée à la séance.",
            ),
            models.UniqueConstraint(
                fields=["session", "name", "institution"],
                name="epre_participant_name_once",
                violation_error_message="Cette personne est déjà invitée à la séance.",
            ),
        ]

    def __str__(self) -> str:
        return f"EpreParticipant {self.pk}"


class EprePurpose(models.TextChoices):
    ENTRY = "entry", "entrée en parcours"
    RENEWAL = "renewal", "reconduction"
    CLOSING = "closing", "clôture"
    ADVICE = "advice", "avis sur la situation"


class EpreDecision(models.TextChoices):
    ENTRY = "entry", "entrée en parcours"
    ADJOURNED = "adjourned", "ajournée"
    REDIRECTED = "redirected", "réorientée"
    NO_FOLLOW_UP = "no_follow_up", "sans suite"
    RENEWAL = "renewal", "reconduction"
    CLOSING = "closing", "clôture décidée"
    ADVICE = "advice", "préconisation"


class EpreRemoval(models.TextChoices):
    TAKEN_OFF = "taken_off", "retirée de l’ordre du jour"
    CANCELLED = "cancelled", "séance annulée"
    CLOSED = "closed", "parcours clos"
    AGREEMENT = "agreement", "accord retiré"


class EpreItem(EncryptedRecord):
    """One situation on the agenda of a session. ``number`` stands for the child wherever the session speaks of it.

    What is typed here is read by people who may not know who the child is: the services refuse a name in it.
    """

    journal_subject = ("parcours_id",)

    session = models.ForeignKey(EpreSession, on_delete=models.PROTECT, related_name="items", verbose_name="séance")
    parcours = models.ForeignKey(
        "pre_cases.Parcours", on_delete=models.CASCADE, related_name="epre_items", verbose_name="parcours"
    )
    number = models.PositiveSmallIntegerField("numéro")
    purpose = models.CharField("objet", max_length=10, choices=EprePurpose, default=EprePurpose.ENTRY)
    question = EncryptedTextField("question posée", aad="epre_item.question", max_length=500, null=True, blank=True)
    resources = EncryptedTextField("points d’appui", aad="epre_item.resources", max_length=1000, null=True, blank=True)
    tried = EncryptedTextField("déjà mis en place", aad="epre_item.tried", max_length=1000, null=True, blank=True)
    added_on = models.DateField("mise à l’ordre du jour le", default=timezone.localdate, editable=False)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="proposée par"
    )
    removed_on = models.DateField("retirée le", null=True, blank=True)
    removal = models.CharField("pourquoi retirée", max_length=10, choices=EpreRemoval, blank=True)
    decision = models.CharField("décision", max_length=12, choices=EpreDecision, blank=True)
    decided_on = models.DateField("décidée le", null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name="par"
    )
    reason = EncryptedTextField("motif ou préconisation", aad="epre_item.reason", max_length=500, null=True, blank=True)
    adjourned_to = models.ForeignKey(
        EpreSession, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name="ajournée à"
    )
    renewed_until_on = models.DateField("accord reconduit jusqu’au", null=True, blank=True)
    follow_up = EncryptedTextField("suite à donner", aad="epre_item.follow_up", max_length=200, null=True, blank=True)
    follow_up_by = models.ForeignKey(
        EpreParticipant, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name="confiée à"
    )
    follow_up_on = models.DateField("pour le", null=True, blank=True)
    task = models.OneToOneField(
        "pre_cases.Task",
        on_delete=models.PROTECT,
        related_name="epre_item",
        null=True,
        blank=True,
        verbose_name="tâche",
    )
    family_told_on = models.DateField("famille informée le", null=True, blank=True)

    objects = EpreItemQuerySet.as_manager()
    history = History()
    permission_scopes = {
        "pre_cases.view_epreitem": "visible_to",
        "pre_cases.change_epreitem": "editable_by",
        "pre_cases.decide_epreitem": "decidable_by",
    }

    class Meta:
        verbose_name = "situation examinée par l’EPRE"
        verbose_name_plural = "situations examinées par l’EPRE"
        permissions = [("decide_epreitem", "Décider de la situation")]
        indexes = [models.Index(fields=["parcours", "decision"], name="epre_item_parcours")]
        constraints = [
            models.UniqueConstraint(
                fields=["parcours"],
                condition=Q(decision="", removed_on__isnull=True),
                name="epre_item_one_undecided",
                violation_error_message="Cette situation est déjà à l’ordre du jour d’une séance.",
            ),
            models.UniqueConstraint(
                fields=["session", "number"],
                name="epre_item_number_once",
                violation_error_message="Ce numéro désigne déjà une situation de la séance.",
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_on__isnull=True, decided_by__isnull=True)
                | (~Q(decision="") & Q(decided_on__isnull=False, decided_by__isnull=False, removed_on__isnull=True)),
                name="epre_item_decision_is_signed",
                violation_error_message="Une décision porte sa date et son auteur.",
            ),
            models.CheckConstraint(
                condition=Q(removed_on__isnull=True, removal="") | (Q(removed_on__isnull=False) & ~Q(removal="")),
                name="epre_item_removal_is_said",
                violation_error_message="Une situation retirée dit quand et pourquoi.",
            ),
            models.CheckConstraint(
                condition=Q(decision="adjourned", adjourned_to__isnull=False)
                | (~Q(decision="adjourned") & Q(adjourned_to__isnull=True)),
                name="epre_item_adjourned_to_a_session",
                violation_error_message="Une situation ajournée l’est à une séance.",
            ),
            models.CheckConstraint(
                condition=Q(decision="renewal", renewed_until_on__isnull=False)
                | (~Q(decision="renewal") & Q(renewed_until_on__isnull=True)),
                name="epre_item_renewed_until_a_day",
                violation_error_message="Une reconduction dit jusqu’à quel jour.",
            ),
            models.CheckConstraint(
                condition=Q(follow_up__isnull=True, follow_up_by__isnull=True, follow_up_on__isnull=True)
                | (
                    Q(follow_up__isnull=False, follow_up_on__isnull=False)
                    & (Q(follow_up_by__isnull=False) | Q(task__isnull=False))
                ),
                name="epre_item_follow_up_is_entrusted",
                violation_error_message="Une suite à donner dit qui s’en charge et pour quand.",
            ),
        ]

    @property
    def team_id(self) -> int:
        """The team of the session, which is read with the situation."""
        return self.session.team_id

    @property
    def last_renewed_day(self) -> date | None:
        return None if self.renewed_until_on is None else self.renewed_until_on - timedelta(days=1)
