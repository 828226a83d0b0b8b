"""Finding out that a child is already known: the blind index, and what the coordinations are told."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from audit.history import History
from pre_cases.models.record import CaseRecord
from pre_cases.querysets.duplicate import ChildTagQuerySet, DuplicateNoticeQuerySet


class ChildTag(CaseRecord):
    """What the blind index holds of one child under one yearly key: a number below 4,096, shared by other children.

    It tells who may be the same child, never who a child is: candidates are decrypted and compared. Derived from the
    names, so without a history; it leaves with the child, and with its key each year.
    """

    journal_subject = ("child_id",)

    child = models.ForeignKey("pre_cases.Child", on_delete=models.CASCADE, related_name="tags", verbose_name="enfant")
    index_key_id = models.UUIDField("clé de l’année", editable=False)
    tag = models.PositiveSmallIntegerField("repère")

    objects = ChildTagQuerySet.as_manager()

    class Meta:
        verbose_name = "repère de doublon"
        verbose_name_plural = "repères de doublons"
        indexes = [models.Index(fields=["index_key_id", "tag"], name="child_tag_tag")]
        constraints = [
            models.UniqueConstraint(
                fields=["child", "index_key_id"],
                name="child_tag_one_a_year",
                violation_error_message="Cet enfant a déjà son repère de l’année.",
            ),
            models.CheckConstraint(
                condition=Q(tag__lt=4096),
                name="child_tag_of_twelve_bits",
                violation_error_message="Un repère est un nombre inférieur à 4 096.",
            ),
        ]


class DuplicateNotice(CaseRecord):
    """Told to one coordination: somebody was about to record a child whom another person may already follow.

    ``child`` is set for the child's own team only; the other coordination learns which team to call, and no more.
    """

    journal_subject = ("child_id",)

    team = models.ForeignKey("referents.Team", on_delete=models.PROTECT, related_name="+", verbose_name="pour l’équipe")
    other_team = models.ForeignKey(
        "referents.Team", on_delete=models.PROTECT, related_name="+", verbose_name="équipe à appeler"
    )
    child = models.ForeignKey(
        "pre_cases.Child", on_delete=models.CASCADE, related_name="+", null=True, blank=True, verbose_name="enfant"
    )
    sought_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="cherché par"
    )
    told_at = models.DateTimeField("le", default=timezone.now, editable=False)
    settled_at = models.DateTimeField("réglé le", null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name="par"
    )

    objects = DuplicateNoticeQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "situation peut-être connue ailleurs"
        verbose_name_plural = "situations peut-être connues ailleurs"
        indexes = [
            models.Index(fields=["team", "told_at"], condition=Q(settled_at__isnull=True), name="duplicate_to_settle")
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, settled_by__isnull=True)
                | Q(settled_at__isnull=False, settled_by__isnull=False),
                name="duplicate_settled_by_someone",
                violation_error_message="Une situation réglée dit par qui.",
            ),
        ]
