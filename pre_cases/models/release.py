"""A file of the programme's figures asked for by the pilotage, made in the background; the ledger of what was shown."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from uuid_utils.compat import uuid7

from pre_cases.querysets.release import ReleasedTableQuerySet, StatisticsExportQuerySet


class StatisticsExport(models.Model):
    """One asked-for file: its period, how far it is, and the protected figures once made. No child in it."""

    class State(models.TextChoices):
        QUEUED = "queued", "en attente"
        RUNNING = "running", "en cours"
        DONE = "done", "prêt"
        FAILED = "failed", "échoué"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="demandé par"
    )
    requested_at = models.DateTimeField("demandé le", default=timezone.now)
    starts_on = models.DateField("du")
    ends_on = models.DateField("au", help_text="Ce jour est compris.")
    state = models.CharField("état", max_length=10, choices=State, default=State.QUEUED)
    progress = models.PositiveSmallIntegerField("avancement", default=0, help_text="De 0 à 100.")
    heartbeat_at = models.DateTimeField("dernier signe de vie", default=timezone.now)
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    failure = models.CharField(
        "cause de l’échec", max_length=40, blank=True, help_text="Un code, jamais un texte d’erreur."
    )
    archive = models.BinaryField("fichiers", null=True, blank=True, editable=False)
    finished_at = models.DateTimeField("terminé le", null=True, blank=True)

    objects = StatisticsExportQuerySet.as_manager()

    class Meta:
        verbose_name = "fichier de statistiques"
        verbose_name_plural = "fichiers de statistiques"
        indexes = [models.Index(fields=["requested_at"], name="export_requested")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="export_period_in_order",
                violation_error_message="La période doit finir après son début.",
            ),
            models.CheckConstraint(
                condition=Q(progress__lte=100), name="export_progress_is_a_share", violation_error_message="De 0 à 100."
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(archive__isnull=False),
                name="export_done_has_files",
                violation_error_message="Un fichier prêt contient ses chiffres.",
            ),
        ]

    def __str__(self) -> str:
        return f"StatisticsExport {self.pk}"


class ReleasedTable(models.Model):
    """The ledger: what one release showed of the tables protected together, and the proof that it was safe.

    Releases to come take it as known; the checker reads it again before each download. Counts and no child, but small
    ones too: it never leaves.
    """

    export = models.ForeignKey(
        StatisticsExport, on_delete=models.PROTECT, related_name="released_tables", verbose_name="fichier"
    )
    tie = models.CharField("tableaux liés", max_length=80)
    starts_on = models.DateField("du")
    ends_on = models.DateField("au", help_text="Ce jour est compris.")
    places = models.JSONField("lieux", help_text="Les lieux que les fichiers montrent.")
    layout = models.CharField("empreinte de la disposition", max_length=64)
    pattern = models.JSONField("cases masquées", help_text="Les numéros des figures supprimées.")
    certificate = models.JSONField("certificat")
    proof = models.BinaryField("énoncé et témoins", editable=False)

    objects = ReleasedTableQuerySet.as_manager()

    class Meta:
        verbose_name = "tableau diffusé"
        verbose_name_plural = "tableaux diffusés"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["starts_on", "ends_on", "tie"],
                name="released_table_once",
                violation_error_message="Les chiffres de cette période sont déjà diffusés.",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="released_period_in_order",
                violation_error_message="La période doit finir après son début.",
            ),
        ]

    def __str__(self) -> str:
        return f"ReleasedTable {self.pk}"
