"""A professional's day: meetings, questions of the coordination, templates of entries, the calendar and the digest."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from uuid_utils.compat import uuid7

from audit.encryption.fields import EncryptedTextField
from audit.history import History
from audit.retention import Retention
from pre_cases.models.record import EncryptedRecord
from pre_cases.models.timeline import EntryKind, EntryWith
from pre_cases.querysets.day import AppointmentQuerySet, EntryTemplateQuerySet, FollowUpQuerySet


class AppointmentMeans(models.TextChoices):
    OFFICE = "office", "dans nos locaux"
    HOME = "home", "à domicile"
    SCHOOL = "school", "à l’école"
    PARTNER = "partner", "chez un partenaire"
    PHONE = "phone", "par téléphone"
    VIDEO = "video", "en visioconférence"


class AppointmentState(models.TextChoices):
    PLANNED = "planned", "prévu"
    HELD = "held", "tenu"
    ABSENT = "absent", "personne n’est venu"
    MOVED = "moved", "déplacé"
    CANCELLED = "cancelled", "annulé"


class Appointment(EncryptedRecord):
    """A meeting of one professional about a parcours. One that moves is another row: what was planned is kept."""

    journal_subject = ("parcours_id",)

    parcours = models.ForeignKey(
        "pre_cases.Parcours", on_delete=models.CASCADE, related_name="appointments", verbose_name="parcours"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="appointments", verbose_name="professionnel"
    )
    on = models.DateField("le")
    starts_at = models.TimeField("à")
    means = models.CharField("où", max_length=10, choices=AppointmentMeans, default=AppointmentMeans.OFFICE)
    place = EncryptedTextField("précision", aad="appointment.place", max_length=120, null=True, blank=True)
    with_whom = models.CharField("avec", max_length=20, choices=EntryWith, default=EntryWith.FAMILY)
    state = models.CharField("état", max_length=10, choices=AppointmentState, default=AppointmentState.PLANNED)

    objects = AppointmentQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "rendez-vous"
        verbose_name_plural = "rendez-vous"
        indexes = [
            models.Index(
                fields=["user", "on", "starts_at", "id"], condition=Q(state="planned"), name="appointment_planned"
            ),
            models.Index(fields=["parcours", "on"], name="appointment_parcours_on"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=AppointmentState.values),
                name="appointment_known_state",
                violation_error_message="Cet état n’existe pas pour un rendez-vous.",
            )
        ]

    @property
    def at(self) -> datetime:
        """The instant at which it begins, in Paris."""
        return timezone.make_aware(datetime.combine(self.on, self.starts_at))

    @property
    def is_past(self) -> bool:
        return self.at <= timezone.now()


class FollowUp(EncryptedRecord):
    """A question of the coordination on an exchange, and the answer of whoever follows the parcours."""

    journal_subject = ("parcours_id",)

    entry = models.ForeignKey(
        "pre_cases.Entry", on_delete=models.CASCADE, related_name="follow_ups", verbose_name="échange"
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="demandé par"
    )
    question = EncryptedTextField("question", aad="follow_up.question", max_length=500)
    asked_at = models.DateTimeField("demandé le", default=timezone.now, editable=False)
    answer = EncryptedTextField("réponse", aad="follow_up.answer", max_length=1000, null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="répondu par",
    )
    answered_at = models.DateTimeField("répondu le", null=True, blank=True)

    objects = FollowUpQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "question de la coordination"
        verbose_name_plural = "questions de la coordination"
        constraints = [
            models.UniqueConstraint(
                fields=["entry"],
                condition=Q(answered_at__isnull=True),
                name="follow_up_one_waiting",
                violation_error_message="Une question attend déjà sa réponse sur cet échange.",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, answer__isnull=True)
                | Q(answered_at__isnull=False, answered_by__isnull=False, answer__isnull=False),
                name="follow_up_answered_by_someone",
                violation_error_message="Une réponse dit par qui et quand.",
            ),
        ]

    @property
    def parcours_id(self) -> UUID | None:
        """The parcours of the exchange, which is read with the question."""
        return self.entry.parcours_id


class EntryTemplate(models.Model):
    """An exchange that a person often notes the same way: it names nobody, and belongs to that person alone.

    Its texts are sealed under a key of its own, which leaves with it.
    """

    retention = Retention.ACCOUNT

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    data_key_id = models.UUIDField(editable=False, db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="entry_templates", verbose_name="personne"
    )
    label = EncryptedTextField("nom du modèle", aad="entry_template.label", max_length=60)
    kind = models.CharField("nature", max_length=12, choices=EntryKind)
    with_whom = models.CharField("avec", max_length=20, choices=EntryWith, default=EntryWith.FAMILY)
    text = EncryptedTextField("texte", aad="entry_template.text", max_length=1000)
    created_at = models.DateTimeField("créé le", default=timezone.now, editable=False)

    objects = EntryTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = "modèle d’échange"
        verbose_name_plural = "modèles d’échange"

    def __str__(self) -> str:
        return f"EntryTemplate {self.pk}"


class CalendarFeed(models.Model):
    """The secret address of a person's calendar; only its digest is kept, a newer one takes its place."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+", verbose_name="personne"
    )
    digest = models.CharField("empreinte de l’adresse", max_length=64, unique=True)
    made_at = models.DateTimeField("créée le", default=timezone.now)

    class Meta:
        verbose_name = "agenda par abonnement"
        verbose_name_plural = "agendas par abonnement"
        default_permissions = ()

    def __str__(self) -> str:
        return f"CalendarFeed {self.pk}"


class Digest(models.Model):
    """Whether a person wants the letter of Monday, which is the default, and the last Monday it was sent for."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+", verbose_name="personne"
    )
    is_wanted = models.BooleanField("souhaité", default=True)
    sent_for = models.DateField("envoyé pour la semaine du", null=True, blank=True)

    class Meta:
        verbose_name = "résumé de la semaine"
        verbose_name_plural = "résumés de la semaine"
        default_permissions = ()

    def __str__(self) -> str:
        return f"Digest {self.pk}"
