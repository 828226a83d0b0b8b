"""The individual support agreed with one family, who follows it, its objectives and its actions."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from audit.encryption.fields import EncryptedTextField
from audit.history import History
from partners.models import Nomenclature, TimeSlot
from partners.models.nomenclature import term_key
from pre_cases.models.access import make_number
from pre_cases.models.record import CaseRecord, EncryptedRecord
from pre_cases.querysets.parcours import ActionQuerySet, ParcoursQuerySet
from pre_cases.querysets.support import ParcoursRecordQuerySet
from pre_cases.stages import ParcoursStage, stage_read
from referents.intervals import DatedQuerySet, ends_after_start

__all__ = [
    "NOTHING_DUE",
    "Action",
    "ActionMode",
    "ActionNature",
    "Assignment",
    "Objective",
    "ObjectiveResult",
    "Parcours",
    "ParcoursStage",
]

NOTHING_DUE = date(9999, 12, 31)  # sorts last and needs no NULL handling in the keyset


class Parcours(EncryptedRecord):
    """``entered_on`` is the statistical beginning; ``closed_on`` is the last day followed, included."""

    child = models.ForeignKey(
        "pre_cases.Child", on_delete=models.PROTECT, related_name="parcours_list", verbose_name="enfant"
    )
    team = models.ForeignKey(
        "referents.Team", on_delete=models.PROTECT, related_name="parcours_list", verbose_name="équipe"
    )
    saisine = models.OneToOneField(
        "pre_cases.Saisine", on_delete=models.PROTECT, related_name="parcours", verbose_name="saisine"
    )
    agreement = models.ForeignKey(
        "pre_cases.Agreement",
        on_delete=models.PROTECT,
        related_name="parcours_list",
        verbose_name="accord de la famille",
    )
    previous = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name="parcours précédent"
    )
    opened_on = models.DateField("ouvert le")
    entered_on = models.DateField("entrée en parcours le", null=True, blank=True)
    closed_on = models.DateField("dernier jour suivi", null=True, blank=True)
    exit_reason = term_key(Nomenclature.EXIT_REASON, "motif de sortie", null=True, blank=True)
    number = models.CharField("numéro", max_length=9, unique=True, default=make_number, editable=False)
    due_on = models.DateField("prochaine échéance", default=NOTHING_DUE, editable=False)
    last_contact_on = models.DateField("dernier contact", null=True, blank=True, editable=False)

    objects = ParcoursQuerySet.as_manager()
    history = History(excluded_fields=["due_on", "last_contact_on", "number"])
    permission_scopes = {
        "pre_cases.view_parcours": "visible_to",
        "pre_cases.change_parcours": "editable_by",
        "pre_cases.decide_parcours": "decidable_by",
    }

    class Meta:
        verbose_name = "parcours"
        verbose_name_plural = "parcours"
        permissions = [("decide_parcours", "Décider du parcours")]
        indexes = [
            models.Index(
                fields=["team", "due_on", "id"], condition=Q(closed_on__isnull=True), name="parcours_team_due_open"
            ),
            models.Index(fields=["team", "closed_on", "id"], name="parcours_team_closed"),
            models.Index(fields=["entered_on", "closed_on"], name="parcours_followed"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["child"],
                condition=Q(closed_on__isnull=True),
                name="parcours_one_open",
                violation_error_message="Un parcours est déjà ouvert pour cet enfant.",
            ),
            models.CheckConstraint(
                condition=Q(entered_on__isnull=True) | Q(entered_on__gte=F("opened_on")),
                name="parcours_entered_after_opening",
                violation_error_message="L’entrée en parcours ne peut pas précéder l’ouverture.",
            ),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True)
                | (Q(closed_on__gte=F("opened_on")) & (Q(entered_on__isnull=True) | Q(closed_on__gte=F("entered_on")))),
                name="parcours_closed_after_opening",
                violation_error_message="La clôture ne peut pas précéder l’ouverture ni l’entrée.",
            ),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True, exit_reason__isnull=True)
                | Q(closed_on__isnull=False, exit_reason__isnull=False),
                name="parcours_closed_with_reason",
                violation_error_message="Un parcours clos porte son motif de sortie.",
            ),
        ]

    @property
    def stage(self) -> ParcoursStage:
        """Where the parcours stands; raises StageNotRead unless read through ``with_stage()``."""
        return ParcoursStage(stage_read(self))

    @property
    def is_closed(self) -> bool:
        return self.closed_on is not None

    @property
    def age(self) -> int | None:
        """The child's completed years today, or on the last day followed; the child is read with the parcours."""
        return self.child.age(self.closed_on or timezone.localdate())

    @property
    def days_late(self) -> int:
        """Days since the stored due date; 0 when nothing is late."""
        return max((timezone.localdate() - self.due_on).days, 0)


class Assignment(CaseRecord):
    """Who is the principal référent of a parcours, from a day to another; one at a time."""

    journal_subject = ("parcours_id",)

    parcours = models.ForeignKey(
        Parcours, on_delete=models.CASCADE, related_name="assignments", verbose_name="parcours"
    )
    referent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments", verbose_name="référent"
    )
    starts_on = models.DateField("depuis le")
    ends_on = models.DateField("jusqu’au", null=True, blank=True, help_text="Ce jour n’est plus compris.")

    objects = DatedQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "référent d’un parcours"
        verbose_name_plural = "référents des parcours"
        indexes = [
            models.Index(
                fields=["referent", "ends_on"], include=["parcours", "starts_on"], name="assignment_referent_covering"
            ),
            models.Index(
                fields=["parcours", "starts_on"], include=["ends_on", "referent"], name="assignment_parcours_start"
            ),
        ]
        constraints = [
            ends_after_start("assignment_ends_after_start"),
            models.UniqueConstraint(
                fields=["parcours"],
                condition=Q(ends_on__isnull=True),
                name="assignment_one_current",
                violation_error_message="Ce parcours a déjà un référent.",
            ),
        ]


class ObjectiveResult(models.TextChoices):
    REACHED = "reached", "atteint"
    PARTLY = "partly", "partiellement atteint"
    NOT_REACHED = "not_reached", "non atteint"
    NOT_APPLICABLE = "not_applicable", "sans objet"


class Objective(EncryptedRecord):
    journal_subject = ("parcours_id",)

    parcours = models.ForeignKey(Parcours, on_delete=models.CASCADE, related_name="objectives", verbose_name="parcours")
    text = EncryptedTextField("objectif", aad="objective.text", max_length=300)
    domain = term_key(Nomenclature.DOMAIN, "domaine")
    priority = term_key(Nomenclature.PRIORITY, "priorité")
    set_on = models.DateField("fixé le")
    result = models.CharField("résultat", max_length=20, choices=ObjectiveResult, blank=True)
    result_on = models.DateField("constaté le", null=True, blank=True)

    objects = ParcoursRecordQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "objectif"
        verbose_name_plural = "objectifs"
        constraints = [
            models.CheckConstraint(
                condition=Q(result="", result_on__isnull=True) | (~Q(result="") & Q(result_on__isnull=False)),
                name="objective_result_is_dated",
                violation_error_message="Un résultat porte sa date.",
            )
        ]


class ActionMode(models.TextChoices):
    INDIVIDUAL = "individual", "individuelle"
    COLLECTIVE = "collective", "collective"


class ActionNature(models.TextChoices):
    COMMON = "common", "droit commun"
    PRE = "pre", "PRE"
    EXCEPTIONAL = "exceptional", "fonds exceptionnel"


class Action(EncryptedRecord):
    """What is done for an objective. Without a start it is only planned."""

    journal_subject = ("parcours_id",)

    objective = models.ForeignKey(Objective, on_delete=models.CASCADE, related_name="actions", verbose_name="objectif")
    label = EncryptedTextField("action", aad="action.label", max_length=200)
    domain = term_key(Nomenclature.DOMAIN, "domaine")
    mode = models.CharField("mode", max_length=12, choices=ActionMode)
    nature = models.CharField("nature", max_length=12, choices=ActionNature)
    partner = models.ForeignKey(
        "partners.Organisation",
        on_delete=models.PROTECT,
        related_name="actions",
        null=True,
        blank=True,
        verbose_name="partenaire",
    )
    time_slot = models.CharField("créneau", max_length=20, choices=TimeSlot, blank=True)
    starts_on = models.DateField("depuis le", null=True, blank=True)
    ends_on = models.DateField("jusqu’au", null=True, blank=True, help_text="Ce jour n’est plus compris.")

    objects = ActionQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "action"
        verbose_name_plural = "actions"
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(starts_on__isnull=False, ends_on__gte=F("starts_on")),
                name="action_ends_after_start",
                violation_error_message="La fin ne peut pas précéder le début.",
            )
        ]

    @property
    def parcours_id(self) -> UUID:
        """The parcours of the objective, which is read with the action."""
        return self.objective.parcours_id
