"""What is written day by day: exchanges, comments, tasks, and the draft that is never lost."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from audit.encryption.fields import EncryptedJSONField, EncryptedTextField
from audit.history import History
from audit.retention import Retention
from pre_cases.models.record import EncryptedRecord
from pre_cases.querysets.timeline import DraftQuerySet, EntryQuerySet, TaskQuerySet

ON_PARCOURS_OR_SAISINE = Q(parcours__isnull=False) | Q(saisine__isnull=False)


class EntryKind(models.TextChoices):
    PHONE = "phone", "appel"
    MEETING = "meeting", "entretien"
    EVALUATION = "evaluation", "entretien d’évaluation"
    HOME_VISIT = "home_visit", "visite à domicile"
    SCHOOL = "school", "échange avec l’école"
    PARTNER = "partner", "échange avec un partenaire"
    MESSAGE = "message", "message"
    ATTEMPT = "attempt", "tentative sans réponse"


class EntryWith(models.TextChoices):
    FAMILY = "family", "la famille"
    CHILD = "child", "l’enfant"
    FAMILY_AND_CHILD = "family_and_child", "la famille et l’enfant"
    SCHOOL = "school", "l’école"
    PARTNER = "partner", "un partenaire"
    COLLEAGUE = "colleague", "un collègue"


class Entry(EncryptedRecord):
    """One exchange. An attempt without an answer is written down, and is no contact."""

    journal_subject = ("parcours_id", "saisine_id")

    parcours = models.ForeignKey(
        "pre_cases.Parcours",
        on_delete=models.CASCADE,
        related_name="entries",
        null=True,
        blank=True,
        verbose_name="parcours",
    )
    saisine = models.ForeignKey(
        "pre_cases.Saisine",
        on_delete=models.CASCADE,
        related_name="entries",
        null=True,
        blank=True,
        verbose_name="saisine",
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="auteur"
    )
    kind = models.CharField("nature", max_length=12, choices=EntryKind)
    on = models.DateField("le")
    with_whom = models.CharField("avec", max_length=20, choices=EntryWith, default=EntryWith.FAMILY)
    text = EncryptedTextField("notes", aad="entry.text", max_length=1000, null=True, blank=True)
    group_id = models.UUIDField("groupe", null=True, blank=True, editable=False)  # the same exchange, about several
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = EntryQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "échange"
        verbose_name_plural = "échanges"
        indexes = [
            models.Index(fields=["parcours", "on", "id"], name="entry_parcours_on"),
            models.Index(fields=["group_id"], condition=Q(group_id__isnull=False), name="entry_group"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=ON_PARCOURS_OR_SAISINE,
                name="entry_belongs_somewhere",
                violation_error_message="Un échange appartient à une saisine ou à un parcours.",
            )
        ]


class Comment(EncryptedRecord):
    """A word of the coordination, or of the référent, on a parcours."""

    journal_subject = ("parcours_id",)

    parcours = models.ForeignKey(
        "pre_cases.Parcours", on_delete=models.CASCADE, related_name="comments", verbose_name="parcours"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="auteur"
    )
    text = EncryptedTextField("commentaire", aad="comment.text", max_length=1000)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    history = History()

    class Meta:
        verbose_name = "commentaire"
        verbose_name_plural = "commentaires"
        indexes = [models.Index(fields=["parcours", "created_at"], name="comment_parcours")]


class ReminderKind(models.TextChoices):
    """What the day's round reminds of by itself."""

    AGREEMENT = "agreement", "accord à renouveler"
    MAJORITY = "majority", "dix-huit ans"


class Task(EncryptedRecord):
    """Something to do before a day, for one person."""

    journal_subject = ("parcours_id", "saisine_id")

    parcours = models.ForeignKey(
        "pre_cases.Parcours",
        on_delete=models.CASCADE,
        related_name="tasks",
        null=True,
        blank=True,
        verbose_name="parcours",
    )
    saisine = models.ForeignKey(
        "pre_cases.Saisine",
        on_delete=models.CASCADE,
        related_name="tasks",
        null=True,
        blank=True,
        verbose_name="saisine",
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="tasks", verbose_name="pour"
    )
    label = EncryptedTextField("à faire", aad="task.label", max_length=200)
    due_on = models.DateField("pour le")
    reminder = models.CharField("rappel", max_length=10, choices=ReminderKind, blank=True, editable=False)
    done_at = models.DateTimeField("fait le", null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="fait par",
    )

    objects = TaskQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "tâche"
        verbose_name_plural = "tâches"
        indexes = [
            models.Index(fields=["assignee", "due_on", "id"], condition=Q(done_at__isnull=True), name="task_open"),
            models.Index(fields=["parcours", "due_on"], name="task_parcours_due"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=ON_PARCOURS_OR_SAISINE,
                name="task_belongs_somewhere",
                violation_error_message="Une tâche appartient à une saisine ou à un parcours.",
            ),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, done_by__isnull=True)
                | Q(done_at__isnull=False, done_by__isnull=False),
                name="task_done_by_someone",
                violation_error_message="Une tâche faite dit par qui.",
            ),
            models.UniqueConstraint(
                fields=["parcours", "reminder", "due_on"],
                condition=~Q(reminder=""),
                name="task_reminds_once",
                violation_error_message="Ce rappel est déjà noté.",
            ),
        ]

    @property
    def days_late(self) -> int:
        """Days since the due date of a task still to do; 0 when it is not late."""
        return 0 if self.done_at else max((timezone.localdate() - self.due_on).days, 0)


class Draft(EncryptedRecord):
    """What a person was typing, kept on the server until it is saved or thrown away.

    On a parcours it is sealed under the child's key. Without one (a child not recorded yet, several at once) it is the
    person's own, under a key of its own, and goes after ``OWN_DRAFT_DAYS`` days at the latest.
    """

    journal_subject = ("parcours_id",)

    retention = Retention.DRAFT

    parcours = models.ForeignKey(
        "pre_cases.Parcours",
        on_delete=models.CASCADE,
        related_name="drafts",
        null=True,
        blank=True,
        verbose_name="parcours",
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts", verbose_name="personne"
    )
    form = models.CharField("formulaire", max_length=30)
    content = EncryptedJSONField("contenu", aad="draft.content")
    updated_at = models.DateTimeField("enregistré à", default=timezone.now)

    objects = DraftQuerySet.as_manager()

    class Meta:
        verbose_name = "brouillon"
        verbose_name_plural = "brouillons"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "parcours", "form"],
                name="draft_one_per_form",
                violation_error_message="Un brouillon existe déjà.",
            ),
            models.UniqueConstraint(
                fields=["user", "form"],
                condition=Q(parcours__isnull=True),
                name="draft_one_of_one_s_own",
                violation_error_message="Un brouillon existe déjà.",
            ),
        ]
