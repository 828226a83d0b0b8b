"""The request that brings a child's situation to a team, and the family's agreement."""

from __future__ import annotations

from datetime import date, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from audit.encryption.fields import EncryptedTextField
from audit.history import History
from partners.models import Nomenclature
from partners.models.nomenclature import term_key
from pre_cases.models.record import CaseRecord, EncryptedRecord
from pre_cases.querysets.saisine import AgreementHolderQuerySet, SaisineQuerySet
from pre_cases.stages import SaisineStage, stage_read

__all__ = [
    "Agreement",
    "AgreementHolder",
    "InformedMeans",
    "Saisine",
    "SaisineOutcome",
    "SaisineSign",
    "SaisineStage",
]


class SaisineOutcome(models.TextChoices):
    REDIRECTED = "redirected", "réorientée"
    NO_FOLLOW_UP = "no_follow_up", "sans suite"
    ATTACHED = "attached", "rattachée au parcours en cours"


class Saisine(EncryptedRecord):
    child = models.ForeignKey(
        "pre_cases.Child", on_delete=models.CASCADE, related_name="saisines", verbose_name="enfant"
    )
    team = models.ForeignKey("referents.Team", on_delete=models.PROTECT, related_name="saisines", verbose_name="équipe")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="enregistrée par"
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="assigned_saisines",
        null=True,
        blank=True,
        verbose_name="suivie par",
    )
    source = term_key(Nomenclature.SOURCE, "prescripteur")
    received_on = models.DateField("reçue le")
    # empty: a draft, which its author goes on typing; it opens nothing and counts nowhere
    submitted_on = models.DateField("transmise le", null=True, blank=True, default=timezone.localdate)
    completion_asked_on = models.DateField("complément demandé le", null=True, blank=True)
    completion_needed = EncryptedTextField(
        "ce qui manque", aad="saisine.completion_needed", max_length=300, null=True, blank=True
    )
    completed_on = models.DateField("complétée le", null=True, blank=True)
    is_urgent = models.BooleanField("urgente", default=False)
    situation = EncryptedTextField("situation", aad="saisine.situation", max_length=1000, null=True, blank=True)
    strengths = EncryptedTextField("points d’appui", aad="saisine.strengths", max_length=1000, null=True, blank=True)
    already_done = EncryptedTextField(
        "déjà mis en place", aad="saisine.already_done", max_length=1000, null=True, blank=True
    )
    child_words = EncryptedTextField(
        "ce qu’en dit l’enfant", aad="saisine.child_words", max_length=500, null=True, blank=True
    )
    parents_words = EncryptedTextField(
        "ce qu’en disent les parents", aad="saisine.parents_words", max_length=500, null=True, blank=True
    )
    outcome = models.CharField("suite donnée", max_length=20, choices=SaisineOutcome, blank=True)
    outcome_on = models.DateField("décidée le", null=True, blank=True)
    outcome_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name="par"
    )
    outcome_reason = EncryptedTextField("motif", aad="saisine.outcome_reason", max_length=500, null=True, blank=True)
    redirected_to = EncryptedTextField(
        "orientée vers", aad="saisine.redirected_to", max_length=160, null=True, blank=True
    )
    family_told_on = models.DateField("famille informée le", null=True, blank=True)
    requester_told_on = models.DateField("prescripteur informé le", null=True, blank=True)

    objects = SaisineQuerySet.as_manager()
    history = History()
    permission_scopes = {
        "pre_cases.view_saisine": "visible_to",
        "pre_cases.change_saisine": "editable_by",
        "pre_cases.instruct_saisine": "instructed_by",
        "pre_cases.decide_saisine": "decidable_by",
    }

    class Meta:
        verbose_name = "saisine"
        verbose_name_plural = "saisines"
        permissions = [("instruct_saisine", "Instruire la saisine"), ("decide_saisine", "Décider de la saisine")]
        indexes = [models.Index(fields=["team", "received_on", "id"], name="saisine_team_received")]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="", outcome_on__isnull=True) | (~Q(outcome="") & Q(outcome_on__isnull=False)),
                name="saisine_outcome_is_dated",
                violation_error_message="Une suite donnée porte sa date.",
            ),
            models.CheckConstraint(
                condition=Q(outcome_on__isnull=True) | Q(outcome_on__gte=F("received_on")),
                name="saisine_outcome_after_receipt",
                violation_error_message="La suite ne peut pas précéder la réception.",
            ),
            models.CheckConstraint(
                condition=Q(submitted_on__isnull=False) | Q(outcome="", completion_asked_on__isnull=True),
                name="saisine_draft_is_only_typed",
                violation_error_message="Un brouillon ne reçoit ni suite ni demande de complément.",
            ),
            models.CheckConstraint(
                condition=Q(completed_on__isnull=True)
                | Q(completion_asked_on__isnull=False, completed_on__gte=F("completion_asked_on")),
                name="saisine_completed_once_asked",
                violation_error_message="Une saisine est complétée après qu’on l’a demandé.",
            ),
        ]

    @property
    def stage(self) -> SaisineStage:
        """Where the saisine stands; raises StageNotRead unless read through ``with_stage()``."""
        return SaisineStage(stage_read(self))

    @property
    def is_draft(self) -> bool:
        return self.submitted_on is None

    @property
    def lacks_something(self) -> bool:
        """Somebody asked for a complement that has not come."""
        return self.completion_asked_on is not None and self.completed_on is None


class SaisineSign(CaseRecord):
    """One sign of fragility named by a saisine; at most one is the main one."""

    journal_subject = ("saisine_id",)

    saisine = models.ForeignKey(Saisine, on_delete=models.CASCADE, related_name="signs", verbose_name="saisine")
    sign = term_key(Nomenclature.SIGN, "signe de fragilité")
    is_main = models.BooleanField("principal", default=False)

    history = History()

    class Meta:
        verbose_name = "signe de fragilité"
        verbose_name_plural = "signes de fragilité"
        constraints = [
            models.UniqueConstraint(
                fields=["saisine", "sign"],
                name="saisine_sign_once",
                violation_error_message="Ce signe est déjà noté.",
            ),
            models.UniqueConstraint(
                fields=["saisine"],
                condition=Q(is_main=True),
                name="saisine_one_main_sign",
                violation_error_message="Un seul signe est le principal.",
            ),
        ]


class Agreement(EncryptedRecord):
    """The family's agreement: presented, perhaps oral first, then signed or refused; it may be withdrawn."""

    journal_subject = ("saisine_id",)

    child = models.ForeignKey(
        "pre_cases.Child", on_delete=models.CASCADE, related_name="agreements", verbose_name="enfant"
    )
    saisine = models.ForeignKey(Saisine, on_delete=models.CASCADE, related_name="agreements", verbose_name="saisine")
    form_version = models.CharField("version du formulaire", max_length=20)
    covers_school = models.BooleanField("échanges avec l’école", default=True)
    covers_partners = models.BooleanField("échanges avec les associations partenaires", default=True)
    presented_on = models.DateField("présenté le")
    oral_on = models.DateField("accord oral donné le", null=True, blank=True)
    oral_given_by = models.ForeignKey(
        "pre_cases.Adult", on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name="donné par"
    )
    oral_received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name="reçu par",
    )
    signed_on = models.DateField("signé le", null=True, blank=True)
    refused_on = models.DateField("refusé le", null=True, blank=True)
    withdrawn_on = models.DateField("retiré le", null=True, blank=True)
    agreed_until_on = models.DateField("valable jusqu’au", null=True, blank=True)
    reason = EncryptedTextField("motif", aad="agreement.reason", max_length=500, null=True, blank=True)

    history = History()

    class Meta:
        verbose_name = "accord de la famille"
        verbose_name_plural = "accords des familles"
        indexes = [models.Index(fields=["saisine", "presented_on"], name="agreement_saisine")]
        constraints = [
            models.CheckConstraint(
                condition=Q(signed_on__isnull=True) | Q(refused_on__isnull=True),
                name="agreement_signed_or_refused",
                violation_error_message="Un accord est signé ou refusé, pas les deux.",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_on__isnull=True) | Q(signed_on__isnull=False, withdrawn_on__gte=F("signed_on")),
                name="agreement_withdrawn_after_signature",
                violation_error_message="Seul un accord signé peut être retiré, et après sa signature.",
            ),
            models.CheckConstraint(
                condition=Q(signed_on__isnull=True)
                | Q(
                    agreed_until_on__isnull=False, agreed_until_on__gt=F("signed_on"), signed_on__gte=F("presented_on")
                ),
                name="agreement_signed_for_a_time",
                violation_error_message="Un accord est signé après avoir été présenté, et pour un temps.",
            ),
            models.UniqueConstraint(
                fields=["saisine"],
                condition=Q(refused_on__isnull=True, withdrawn_on__isnull=True),
                name="agreement_one_pending",
                violation_error_message="Un accord est déjà présenté pour cette saisine.",
            ),
        ]

    @property
    def last_day(self) -> date | None:
        """The last day on which a signed agreement holds."""
        return None if self.agreed_until_on is None else self.agreed_until_on - timedelta(days=1)


class InformedMeans(models.TextChoices):
    MEETING = "meeting", "en entretien"
    PHONE = "phone", "par téléphone"
    MAIL = "mail", "par courrier"
    MESSAGE = "message", "par message"


class AgreementHolder(EncryptedRecord):
    """What one holder of parental authority did with an agreement: signed, was informed, or objected in writing."""

    journal_subject = ("agreement_id",)

    agreement = models.ForeignKey(Agreement, on_delete=models.CASCADE, related_name="holders", verbose_name="accord")
    adult = models.ForeignKey("pre_cases.Adult", on_delete=models.PROTECT, related_name="+", verbose_name="titulaire")
    signed_on = models.DateField("a signé le", null=True, blank=True)
    informed_on = models.DateField("informé le", null=True, blank=True)
    informed_means = models.CharField("par quel moyen", max_length=10, choices=InformedMeans, blank=True)
    not_informed_reason = EncryptedTextField(
        "pourquoi pas informé", aad="agreement_holder.not_informed_reason", max_length=300, null=True, blank=True
    )
    restriction = EncryptedTextField(
        "restriction demandée", aad="agreement_holder.restriction", max_length=300, null=True, blank=True
    )
    objected_on = models.DateField("s’est opposé par écrit le", null=True, blank=True)
    settled_on = models.DateField("opposition tranchée le", null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name="par"
    )
    settlement = EncryptedTextField(
        "comment l’opposition est tranchée",
        aad="agreement_holder.settlement",
        max_length=500,
        null=True,
        blank=True,
    )

    objects = AgreementHolderQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = "titulaire devant l’accord"
        verbose_name_plural = "titulaires devant l’accord"
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "adult"],
                name="agreement_holder_once",
                violation_error_message="Ce titulaire figure déjà dans l’accord.",
            ),
            models.CheckConstraint(
                condition=Q(signed_on__isnull=True) | Q(objected_on__isnull=True) | Q(objected_on__gte=F("signed_on")),
                name="agreement_holder_objects_after_signing",
                violation_error_message="Qui a signé ne peut s’opposer qu’ensuite.",
            ),
            models.CheckConstraint(
                condition=Q(settled_on__isnull=True, settled_by__isnull=True)
                | Q(settled_on__gte=F("objected_on"), objected_on__isnull=False, settled_by__isnull=False),
                name="agreement_holder_settled_after_objection",
                violation_error_message="Seule une opposition se tranche, et après avoir été reçue.",
            ),
        ]

    @property
    def is_objecting(self) -> bool:
        """Opposed, and the coordination has not settled it: the parcours is suspended meanwhile."""
        return self.objected_on is not None and self.settled_on is None
