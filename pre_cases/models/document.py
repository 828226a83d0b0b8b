"""Files kept on a parcours: signed agreement, school report, letter. Their content lies encrypted on the disk."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from audit.encryption.fields import EncryptedTextField
from audit.encryption.files.store import Owner
from audit.history import History
from pre_cases.models.record import EncryptedRecord
from pre_cases.querysets.document import DocumentQuerySet


class DocumentKind(models.TextChoices):
    AGREEMENT = "agreement", "accord signé"
    SCHOOL_REPORT = "school_report", "bulletin ou évaluation scolaire"
    LETTER = "letter", "courrier"
    CERTIFICATE = "certificate", "attestation"
    RECEIPT = "receipt", "justificatif de dépense"
    OTHER = "other", "autre"


class ContentType(models.TextChoices):
    """What a file may be, by its content; the value is its media type (RFC 6838)."""

    PDF = "application/pdf", "PDF"
    JPEG = "image/jpeg", "image JPEG"
    PNG = "image/png", "image PNG"
    ODT = "application/vnd.oasis.opendocument.text", "texte ODT"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "texte DOCX"


class Document(EncryptedRecord):
    """Its file is written before its row, and leaves with it; one withdrawn keeps its row, without a file."""

    journal_subject = ("parcours_id",)
    sealed_content = "document.content"  # the stable name of the file's content inside its seal

    parcours = models.ForeignKey(
        "pre_cases.Parcours", on_delete=models.CASCADE, related_name="documents", verbose_name="parcours"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="ajouté par"
    )
    kind = models.CharField("nature", max_length=20, choices=DocumentKind)
    name = EncryptedTextField("nom du fichier", aad="document.name", max_length=160)
    content_type = models.CharField("format", max_length=80, choices=ContentType)
    size = models.PositiveIntegerField("taille", help_text="En octets.")
    digest = EncryptedTextField("empreinte", aad="document.digest", max_length=64, editable=False)  # SHA-256
    added_at = models.DateTimeField("ajouté le", default=timezone.now, editable=False)
    removed_at = models.DateTimeField("retiré le", null=True, blank=True)
    removal_reason = EncryptedTextField(
        "motif du retrait", aad="document.removal_reason", max_length=300, null=True, blank=True
    )

    objects = DocumentQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "document"
        verbose_name_plural = "documents"
        indexes = [models.Index(fields=["parcours", "added_at"], name="document_parcours")]
        constraints = [
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True, removal_reason__isnull=True)
                | Q(removed_at__isnull=False, removal_reason__isnull=False),
                name="document_removed_for_a_reason",
                violation_error_message="Un document retiré l’est pour un motif.",
            ),
        ]

    @property
    def sealed(self) -> Owner:
        """Which file on the disk is this document's."""
        return Owner(self.sealed_content, self.id, self.data_key_id)
