"""The file of a child's data that a family receives: prepared, read, approved by another person, taken once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from audit.encryption.fields import EncryptedBytesField, EncryptedJSONField, EncryptedTextField
from audit.history import History
from pre_cases.models.family_request import FamilyRequest
from pre_cases.models.record import EncryptedRecord
from pre_cases.querysets.family_request import SubjectFileQuerySet

KEPT_FOR = timedelta(days=7)


class FileState(models.TextChoices):
    """Computed from the facts of a file, never stored."""

    COLLECTING = "collecting", "en préparation"
    READING = "reading", "à relire par la coordination"
    APPROVAL = "approval", "à approuver"
    PRINTING = "printing", "approuvé, mise en page"
    READY = "ready", "prêt à télécharger"
    TAKEN = "taken", "téléchargé"
    EXPIRED = "expired", "expiré"
    REPLACED = "replaced", "remplacé par un autre"
    FAILED = "failed", "échoué"


class SubjectFile(EncryptedRecord):
    """``content`` is what was gathered, ``archive`` what the family receives: both leave when it is taken or expires.

    They are sealed under the child's key, as their decisions are, and have no history: the steps are in the journal.
    """

    journal_subject = ("child_id",)

    class Work(models.TextChoices):
        QUEUED = "queued", "en attente"
        RUNNING = "running", "en cours"
        FAILED = "failed", "échoué"

    request = models.ForeignKey(
        FamilyRequest, on_delete=models.CASCADE, related_name="files", verbose_name="demande de la famille"
    )
    prepared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="préparé par"
    )
    prepared_at = models.DateTimeField("préparé le", default=timezone.now)
    work = models.CharField("travail", max_length=8, choices=Work, blank=True, default=Work.QUEUED)
    heartbeat_at = models.DateTimeField("dernier signe de vie", default=timezone.now)
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    content = EncryptedJSONField("contenu", aad="subject_file.content", null=True, blank=True, editable=False)
    collected_at = models.DateTimeField("réuni le", null=True, blank=True)
    counts = models.JSONField("ce qu’il contient", default=list, editable=False)  # [section, rows, passages, masked]
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="relu par",
    )
    submitted_at = models.DateTimeField("relu le", null=True, blank=True)
    return_reason = EncryptedTextField(
        "raison du renvoi", aad="subject_file.return_reason", max_length=500, null=True, blank=True
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="approuvé par",
    )
    approved_at = models.DateTimeField("approuvé le", null=True, blank=True)
    archive = EncryptedBytesField("fichiers", aad="subject_file.archive", null=True, blank=True, editable=False)
    ready_at = models.DateTimeField("prêt le", null=True, blank=True)
    expires_at = models.DateTimeField("expire le", null=True, blank=True)
    downloaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="téléchargé par",
    )
    downloaded_at = models.DateTimeField("téléchargé le", null=True, blank=True)
    ended_at = models.DateTimeField("contenu détruit le", null=True, blank=True)

    objects = SubjectFileQuerySet.as_manager()
    history = History(excluded_fields=["content", "archive", "heartbeat_at", "attempts", "work"])

    class Meta:
        verbose_name = "fichier des données de l’enfant"
        verbose_name_plural = "fichiers des données des enfants"
        constraints = [
            models.UniqueConstraint(
                fields=["request"],
                condition=Q(ended_at__isnull=True),
                name="subject_file_one_at_a_time",
                violation_error_message="Un fichier est déjà en préparation pour cette demande.",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | (~Q(approved_by=F("prepared_by")) & ~Q(approved_by=F("submitted_by"))),
                name="subject_file_by_two_persons",
                violation_error_message="Qui prépare le fichier ne l’approuve pas.",
            ),
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True, submitted_by__isnull=True)
                | Q(submitted_by__isnull=False, collected_at__isnull=False, submitted_at__gte=F("collected_at")),
                name="subject_file_read_before_it_is_sent",
                violation_error_message="Le fichier est relu avant d’être soumis.",
            ),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, approved_by__isnull=True)
                | Q(approved_by__isnull=False, submitted_at__isnull=False, approved_at__gte=F("submitted_at")),
                name="subject_file_approved_after_reading",
                violation_error_message="Le fichier est approuvé après avoir été relu.",
            ),
            models.CheckConstraint(
                condition=Q(ready_at__isnull=True, expires_at__isnull=True, archive__isnull=True)
                | Q(approved_at__isnull=False, ready_at__gte=F("approved_at"), expires_at__gt=F("ready_at")),
                name="subject_file_ready_once_approved",
                violation_error_message="Rien n’est prêt avant d’être approuvé.",
            ),
            models.CheckConstraint(
                condition=Q(downloaded_at__isnull=True, downloaded_by__isnull=True)
                | Q(
                    downloaded_by__isnull=False,
                    downloaded_at__gte=F("ready_at"),
                    downloaded_at__lt=F("expires_at"),
                    ended_at__isnull=False,
                ),
                name="subject_file_taken_once_in_time",
                violation_error_message="Le fichier se télécharge une fois, avant son expiration.",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(content__isnull=True, archive__isnull=True),
                name="subject_file_ended_is_empty",
                violation_error_message="Un fichier fini ne garde rien.",
            ),
        ]

    @property
    def child_id(self) -> UUID:
        """The child of the request, which is read with the file."""
        return self.request.child_id

    @property
    def state(self) -> FileState:
        facts = (
            (self.downloaded_at, FileState.TAKEN),
            (self.ended_at and self.expires_at, FileState.EXPIRED),
            (self.ended_at, FileState.REPLACED),
            (self.work == self.Work.FAILED, FileState.FAILED),
            (self.expires_at and self.expires_at <= timezone.now(), FileState.EXPIRED),
            (self.ready_at, FileState.READY),
            (self.approved_at, FileState.PRINTING),
            (self.submitted_at, FileState.APPROVAL),
            (self.collected_at, FileState.READING),
        )
        return next((state for fact, state in facts if fact), FileState.COLLECTING)

    @property
    def gathered(self) -> dict[str, Any]:
        """The content, as ``subject_access.collecting`` says it; empty before the worker and after the end."""
        return dict(self.content or {"child": "", "sections": [], "readers": [], "flagged": []})

    @property
    def is_being_made(self) -> bool:
        return self.state in (FileState.COLLECTING, FileState.PRINTING)


class FileDecision(EncryptedRecord):
    """One decision of the coordination on a passage (masked, or left as it is), or on the name of a professional."""

    journal_subject = ("child_id",)

    class Kind(models.TextChoices):
        MASK = "mask", "masqué"
        KEEP = "keep", "laissé"
        NAME = "name", "nom communiqué"

    class Motive(models.TextChoices):
        OTHER_CHILD = "other_child", "concerne un autre enfant"
        OTHER_PERSON = "other_person", "concerne une autre personne"
        SAFETY = "safety", "mettrait quelqu’un en danger"
        PROFESSIONAL = "professional", "nom d’un professionnel"
        NONE = "none", "aucun tiers n’est concerné"

    file = models.ForeignKey(SubjectFile, on_delete=models.CASCADE, related_name="decisions", verbose_name="fichier")
    kind = models.CharField("décision", max_length=4, choices=Kind)
    passage = models.PositiveIntegerField("passage", null=True, blank=True)
    professional = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="professionnel",
    )
    motive = models.CharField("motif", max_length=12, choices=Motive)
    words = EncryptedTextField("mots masqués", aad="file_decision.words", max_length=300, null=True, blank=True)
    reason = EncryptedTextField("raison", aad="file_decision.reason", max_length=300, null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="décidé par"
    )
    decided_at = models.DateTimeField("décidé le", default=timezone.now)

    history = History()

    class Meta:
        verbose_name = "décision sur un passage"
        verbose_name_plural = "décisions sur des passages"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="name", professional__isnull=False, passage__isnull=True, reason__isnull=False)
                | (~Q(kind="name") & Q(professional__isnull=True, passage__isnull=False)),
                name="file_decision_on_one_thing",
                violation_error_message="Une décision porte sur un passage, ou sur un professionnel avec sa raison.",
            ),
            models.CheckConstraint(
                condition=~Q(kind="mask") | Q(reason__isnull=False),
                name="file_decision_mask_has_a_reason",
                violation_error_message="Dites pourquoi ce passage est masqué.",
            ),
            models.UniqueConstraint(
                fields=["file", "passage"],
                condition=Q(passage__isnull=False),
                name="file_decision_one_a_passage",
                violation_error_message="Ce passage est déjà décidé.",
            ),
            models.UniqueConstraint(
                fields=["file", "professional"],
                condition=Q(professional__isnull=False),
                name="file_decision_one_a_professional",
                violation_error_message="Le nom de ce professionnel est déjà décidé.",
            ),
        ]

    @property
    def child_id(self) -> UUID:
        """The child of the file, which is read with the decision."""
        return self.file.child_id
