"""What is decided about the end of a file: that it is kept longer, announced, erased; and the figures that remain."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Q
from django.utils import timezone
from uuid_utils.compat import uuid7

from audit.encryption.fields import EncryptedTextField
from audit.history import History
from pre_cases.models.record import CaseRecord, EncryptedRecord
from pre_cases.querysets.erasure import ErasureQuerySet, HoldQuerySet
from pre_cases.retention import HOLD_MONTHS


class YearLater(models.Func):
    """The same day of the next year, as each engine computes it: a date, usable in a constraint."""

    output_field = models.DateField()

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="date(%(expressions)s, '+12 months')")

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s + interval '12 months')::date")


def a_year_after(day: date) -> date:
    """The first day that a hold placed on a day can no longer reach."""
    return day + relativedelta(months=HOLD_MONTHS)


class HoldReason(models.TextChoices):
    DISPUTE = "dispute", "recours ou procédure en cours"
    REQUEST = "request", "demande de la famille en cours"
    ARCHIVES = "archives", "visa ou versement aux archives attendu"
    FIGURES = "figures", "bilan pluriannuel du programme"


class RetentionHold(EncryptedRecord):
    """A file is kept past its term for a stated reason, a year at most; past its end it holds nothing any more."""

    journal_subject = ("child_id",)

    child = models.ForeignKey("pre_cases.Child", on_delete=models.CASCADE, related_name="holds", verbose_name="enfant")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="décidée par"
    )
    motive = models.CharField("pourquoi", max_length=10, choices=HoldReason)
    reason = EncryptedTextField("motif", aad="retention_hold.reason", max_length=500)
    starts_on = models.DateField("depuis le")
    ends_on = models.DateField("jusqu’au", help_text="Ce jour n’est plus compris ; un an au plus.")

    objects = HoldQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "conservation prolongée"
        verbose_name_plural = "conservations prolongées"
        indexes = [models.Index(fields=["child", "ends_on"], name="hold_child_end")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")),
                name="hold_ends_after_start",
                violation_error_message="La prolongation doit finir après son début.",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__lte=YearLater(F("starts_on"))),
                name="hold_of_a_year_at_most",
                violation_error_message="Une prolongation dure un an au plus ; elle se renouvelle.",
            ),
        ]

    @property
    def last_day(self) -> date:
        return self.ends_on - timedelta(days=1)


class RetentionNotice(CaseRecord):
    """The team was told that a file has come to its term; void as soon as there is a contact after the one it names."""

    journal_subject = ("child_id",)

    child = models.OneToOneField(
        "pre_cases.Child", on_delete=models.CASCADE, related_name="retention_notice", verbose_name="enfant"
    )
    team = models.ForeignKey("referents.Team", on_delete=models.PROTECT, related_name="+", verbose_name="équipe")
    announced_on = models.DateField("annoncé le")
    last_contact_on = models.DateField("dernier contact connu alors")

    history = History()

    class Meta:
        verbose_name = "annonce d’effacement"
        verbose_name_plural = "annonces d’effacement"

    @property
    def erasable_on(self) -> date:
        return self.announced_on + timedelta(days=settings.ERASURE_NOTICE_DAYS)


class ErasureMotive(models.TextChoices):
    TERM = "term", "terme de la conservation"
    FAMILY = "family", "demande de la famille (droit à l’effacement)"
    MISTAKE = "mistake", "enregistré par erreur"


class ErasureStep(models.TextChoices):
    """The steps of the job, in their order; each can be repeated."""

    FREEZE = "freeze", "parcours figé : plus personne n’y écrit"
    CHECK = "check", "prolongations et autres parcours vérifiés"
    FOLD = "fold", "chiffres annuels mis de côté"
    ERASE = "erase", "clés détruites, puis lignes, historique et fichiers"
    SCAN = "scan", "recherche de restes"
    CERTIFY = "certify", "certificat signé"


class Erasure(models.Model):
    """One erasure, asked by one person and approved by another; it outlives the child and holds nothing of it but ids.

    ``step`` is the last one done; ``plan`` (the ids that leave) lives until nothing of them is found any more.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", "à approuver"
        REFUSED = "refused", "refusé"
        APPROVED = "approved", "approuvé"
        RUNNING = "running", "en cours"
        BLOCKED = "blocked", "arrêté"
        DONE = "done", "effacé"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject_id = models.UUIDField("enfant", db_index=True, editable=False)  # no foreign key: it outlives the child
    team = models.ForeignKey("referents.Team", on_delete=models.PROTECT, related_name="+", verbose_name="équipe")
    motive = models.CharField("pourquoi", max_length=10, choices=ErasureMotive)
    archive_visa = models.CharField("visa des archives", max_length=40, blank=True)
    counts = models.JSONField("ce qui part", default=dict)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="demandé par"
    )
    requested_at = models.DateTimeField("demandé le", default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="décidé par",
    )
    decided_at = models.DateTimeField("décidé le", null=True, blank=True)
    state = models.CharField("état", max_length=10, choices=State, default=State.REQUESTED)
    step = models.CharField("dernière étape faite", max_length=10, choices=ErasureStep, blank=True)
    steps = models.JSONField("étapes", default=dict)  # code: ISO instant
    obstacle = models.CharField("obstacle", max_length=20, blank=True)
    heartbeat_at = models.DateTimeField("dernier signe de vie", default=timezone.now)
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    plan = models.JSONField("identifiants", default=dict, editable=False)
    facts = models.JSONField("chiffres de l’année en cours", default=list, editable=False)
    certificate = models.TextField("certificat", blank=True, editable=False)
    certificate_pdf = models.BinaryField("certificat imprimable", null=True, blank=True, editable=False)

    objects = ErasureQuerySet.as_manager()
    journal_subject = ("subject_id",)
    remembers_erasures = True

    class Meta:
        verbose_name = "effacement"
        verbose_name_plural = "effacements"
        indexes = [models.Index(fields=["state", "requested_at"], name="erasure_state")]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")),
                name="erasure_by_two_persons",
                violation_error_message="Qui demande un effacement ne l’approuve pas.",
            ),
            models.CheckConstraint(
                condition=Q(state="requested", decided_by__isnull=True, decided_at__isnull=True, step="")
                | (~Q(state="requested") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="erasure_decided_before_it_runs",
                violation_error_message="Rien ne s’efface sans une décision datée.",
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | (Q(certificate_pdf__isnull=False) & ~Q(certificate="")),
                name="erasure_done_is_certified",
                violation_error_message="Un effacement fini a son certificat.",
            ),
            models.UniqueConstraint(
                fields=["subject_id"],
                condition=Q(state__in=["requested", "approved", "running", "blocked"]),
                name="erasure_one_at_a_time",
                violation_error_message="Un effacement est déjà demandé pour cet enfant.",
            ),
        ]

    def __str__(self) -> str:
        return f"Erasure {self.pk}"

    def has_done(self, step: ErasureStep) -> bool:
        return step.value in self.steps


class ErasureReason(EncryptedRecord):
    """What was typed about an erasure, sealed under the child's key: it leaves with the child."""

    journal_subject = ("child_id",)

    erasure = models.OneToOneField(Erasure, on_delete=models.CASCADE, related_name="reason", verbose_name="effacement")
    child = models.ForeignKey("pre_cases.Child", on_delete=models.CASCADE, related_name="+", verbose_name="enfant")
    text = EncryptedTextField("motif", aad="erasure_reason.text", max_length=500)
    refusal = EncryptedTextField("raison du refus", aad="erasure_reason.refusal", max_length=300, null=True, blank=True)

    history = History()

    class Meta:
        verbose_name = "motif d’effacement"
        verbose_name_plural = "motifs d’effacement"


class YearlyFacts(models.Model):
    """What remains of the erased in one whole year: counts of the declared tables, never a row a child.

    Frozen: every figure of a year that is over, as known that day, means and medians included. Not frozen: what the
    erased counted for in a year that still runs, to add to the living. ``cells`` are lists
    ``[table, place, category, category_2, measure, value]``; a place is ``paris``, ``arrondissement:18``, ``team:a``.
    """

    starts_on = models.DateField("du")
    ends_on = models.DateField("au", help_text="Ce jour est compris.")
    frozen_at = models.DateTimeField("figé le", null=True)
    cells = models.JSONField("chiffres", default=list)

    class Meta:
        verbose_name = "chiffres annuels des effacés"
        verbose_name_plural = "chiffres annuels des effacés"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["starts_on", "ends_on"],
                name="yearly_facts_one_a_year",
                violation_error_message="Cette année a déjà ses chiffres.",
            )
        ]

    def __str__(self) -> str:
        return f"YearlyFacts {self.pk}"
