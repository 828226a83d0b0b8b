"""Schools of the national directory, and the dated facts about them: nature, éducation prioritaire, competent team.

Every fact is a half-open interval ``[starts_on, ends_on)``, never overwritten, so that a figure about 2014 uses what
was true in 2014.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Self, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from referents.intervals import DatedQuerySet, ends_after_start
from referents.text import normalised

UAI_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"  # no I, O nor Q
UAI_SHAPE = re.compile(r"[0-9]{7}[A-Z]")
UAI_SHAPE_OF_CORSICA = re.compile(r"(?:02|2)[AB][0-9]{4,5}[A-Z]")
SEARCH_NAME_LENGTH = 320


def uai_letter(digits: str) -> str:
    """The check letter of an UAI, from its first seven digits."""
    return UAI_LETTERS[int(digits) % len(UAI_LETTERS)]


def validate_uai(uai: str) -> None:
    """Refuse a school number whose shape or check letter is wrong.

    Some Corsican numbers hold the letter of their département (2A, 2B): only their shape is checked.
    """
    if len(uai) == 8 and UAI_SHAPE_OF_CORSICA.fullmatch(uai):
        return
    if not UAI_SHAPE.fullmatch(uai):
        raise ValidationError("Un numéro UAI compte sept chiffres et une lettre majuscule.", code="uai_shape")
    expected = uai_letter(uai[:7])
    if uai[7] != expected:
        raise ValidationError(f"La lettre de ce numéro UAI devrait être {expected}.", code="uai_letter")


def paris_arrondissement(*, commune_code: str = "", postcode: str = "") -> int | None:
    """Number of the arrondissement of Paris, from the commune (75101 to 75120) or else the postcode; None elsewhere."""
    if re.fullmatch(r"751(?:0[1-9]|1[0-9]|20)", commune_code):
        return int(commune_code[3:])
    if re.fullmatch(r"75(?:0(?:0[1-9]|1[0-9]|20)|116)", postcode):
        return int(postcode[3:])
    return None


class Sector(models.TextChoices):
    PUBLIC = "public", "public"
    PRIVATE = "private", "privé"


class Announced(models.TextChoices):
    """What the directory says will happen to the school, when it says so."""

    OPENING = "opening", "ouverture annoncée"
    CLOSING = "closing", "fermeture annoncée"


class Nature(models.TextChoices):
    MATERNELLE = "maternelle", "école maternelle"
    ELEMENTAIRE = "elementaire", "école élémentaire ou polyvalente"
    COLLEGE = "college", "collège"
    LYCEE = "lycee", "lycée"
    SPECIALISED = "specialised", "établissement spécialisé"
    OTHER = "other", "autre établissement"


class PriorityStatus(models.TextChoices):
    """Labels of the éducation prioritaire: REP and REP+ since 2015, the earlier ones kept with their dates."""

    REP_PLUS = "rep_plus", "REP+"
    REP = "rep", "REP"
    ECLAIR = "eclair", "ÉCLAIR"
    RRS = "rrs", "RRS"
    RAR = "rar", "RAR"
    ZEP = "zep", "ZEP"

    @property
    def rollup(self) -> PriorityStatus:
        """The label of today that the figures count this one under."""
        return PriorityStatus.REP_PLUS if self in (self.REP_PLUS, self.ECLAIR, self.RAR) else PriorityStatus.REP


class SearchNameField(models.CharField):
    """Comparable words of the school's name, commune and number, written by ``save()`` and ``bulk_create()`` alike."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        text = search_name_of(model_instance)  # type: ignore[arg-type]
        setattr(model_instance, self.attname, text)
        return text


def search_name_of(school: School) -> str:
    return normalised(f"{school.name} {school.city} {school.uai}")[:SEARCH_NAME_LENGTH]


class SchoolQuerySet(models.QuerySet["School"]):
    def open(self, on: date | None = None) -> Self:
        """Schools that take pupils on a day (today by default)."""
        day = on or timezone.localdate()
        opened = Q(opened_on__lte=day) | (Q(opened_on__isnull=True) & ~Q(announced=Announced.OPENING))
        return self.filter(opened, Q(closed_on__isnull=True) | Q(closed_on__gt=day))

    def matching(self, text: str) -> Self:
        """Schools whose name, commune or number holds every word typed, whatever the accents and the order."""
        condition = Q()
        for word in normalised(text).split():
            condition &= Q(search_name__contains=word)
        return self.filter(condition)

    def of_nature(self, nature: str, on: date | None = None) -> Self:
        facts = SchoolNature.objects.current(on).filter(nature=nature)
        return self.filter(pk__in=facts.values("school"))

    def in_priority_education(self, *statuses: str, on: date | None = None) -> Self:
        """Schools with one of the labels on a day; any label when none is named."""
        facts = SchoolPriorityStatus.objects.current(on)
        return self.filter(pk__in=(facts.filter(status__in=statuses) if statuses else facts).values("school"))

    def out_of_priority_education(self, on: date | None = None) -> Self:
        return self.exclude(pk__in=SchoolPriorityStatus.objects.current(on).values("school"))

    def in_perimeter(self, on: date | None = None) -> Self:
        """Schools that a team of the programme answers for on a day."""
        return self.filter(pk__in=SchoolTeam.objects.current(on).values("school"))

    def with_current_facts(self, on: date | None = None) -> Self:
        """Annotate ``nature``, ``priority_status``, ``priority_since`` and ``team_id`` as they stand on a day."""
        natures = SchoolNature.objects.current(on).filter(school=OuterRef("pk"))
        statuses = SchoolPriorityStatus.objects.current(on).filter(school=OuterRef("pk"))
        teams = SchoolTeam.objects.current(on).filter(school=OuterRef("pk"))
        return self.annotate(
            nature=Subquery(natures.values("nature")[:1]),
            priority_status=Subquery(statuses.values("status")[:1]),
            priority_since=Subquery(statuses.values("starts_on")[:1]),
            team_id=Subquery(teams.values("team_id")[:1]),
        )


class School(models.Model):
    """One establishment, known by its UAI. Public reference data: what is said of it comes from the directory."""

    uai = models.CharField(
        "numéro UAI",
        max_length=8,
        unique=True,
        validators=[validate_uai],
        error_messages={"unique": "Cet établissement existe déjà."},
    )
    name = models.CharField("nom", max_length=200)
    search_name = SearchNameField("nom comparable", max_length=SEARCH_NAME_LENGTH, editable=False, db_index=True)
    sector = models.CharField("secteur", max_length=10, choices=Sector, blank=True)
    address = models.CharField("adresse", max_length=250, blank=True)
    postcode = models.CharField("code postal", max_length=5, blank=True)
    city = models.CharField("commune", max_length=100, blank=True)
    departement = models.CharField("département", max_length=3, blank=True, help_text="Trois caractères, « 075 ».")
    arrondissement = models.ForeignKey(
        "referents.Arrondissement",
        on_delete=models.PROTECT,
        related_name="schools",
        null=True,
        blank=True,
        verbose_name="arrondissement",
    )
    announced = models.CharField("annonce", max_length=10, choices=Announced, blank=True)
    opened_on = models.DateField("ouvert le", null=True, blank=True)
    closed_on = models.DateField("fermé le", null=True, blank=True, help_text="Ce jour n’est plus compris.")
    updated_on = models.DateField("à jour de l’annuaire au", null=True, blank=True)

    objects = SchoolQuerySet.as_manager()

    class Meta:
        verbose_name = "établissement scolaire"
        verbose_name_plural = "établissements scolaires"
        ordering = ["search_name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | Q(opened_on__isnull=True) | Q(closed_on__gte=F("opened_on")),
                name="school_closes_after_opening",
                violation_error_message="Un établissement ne ferme pas avant d’avoir ouvert.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_closed(self) -> bool:
        return self.closed_on is not None and self.closed_on <= timezone.localdate()

    @property
    def nature_label(self) -> str:
        """Nature on the day asked of ``with_current_facts()``, as the screen writes it; empty when unknown."""
        nature: str | None = self.nature  # type: ignore[attr-defined]
        return str(Nature(nature).label) if nature else ""

    @property
    def priority_label(self) -> str:
        """Éducation prioritaire on the day asked of ``with_current_facts()``; empty when the school has no label."""
        status: str | None = self.priority_status  # type: ignore[attr-defined]
        return str(PriorityStatus(status).label) if status else ""


Fact = TypeVar("Fact", bound="DatedFact")


class DatedFactQuerySet(DatedQuerySet[Fact]):
    def lasting(self) -> Self:
        """Without the facts corrected on their first day, which were never true of any day."""
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")))


class DatedFact(models.Model):
    """Something true of a school from a day to another, end excluded; at most one without an end."""

    starts_on = models.DateField("depuis le")
    ends_on = models.DateField("jusqu’au", null=True, blank=True, help_text="Ce jour n’est plus compris.")

    class Meta:
        abstract = True
        constraints = [
            ends_after_start("%(class)s_ends_after_start"),
            models.UniqueConstraint(
                fields=["school"],
                condition=Q(ends_on__isnull=True),
                name="%(class)s_one_current",
                violation_error_message="Un fait en cours existe déjà pour cet établissement : terminez-le d’abord.",
            ),
        ]

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.pk}"

    @property
    def last_day(self) -> date | None:
        """The last day on which the fact holds, as the screen shows it; None while it lasts."""
        return self.ends_on - timedelta(days=1) if self.ends_on else None


class SchoolNature(DatedFact):
    school = models.ForeignKey(
        School, on_delete=models.CASCADE, related_name="natures", verbose_name="établissement scolaire"
    )
    nature = models.CharField("nature", max_length=12, choices=Nature)

    objects = DatedFactQuerySet.as_manager()

    class Meta(DatedFact.Meta):
        verbose_name = "nature d’établissement"
        verbose_name_plural = "natures d’établissement"
        ordering = ["school_id", "starts_on"]
        indexes = [models.Index(fields=["nature", "school"], name="schoolnature_by_nature")]


class SchoolPriorityStatus(DatedFact):
    school = models.ForeignKey(
        School, on_delete=models.CASCADE, related_name="priority_statuses", verbose_name="établissement scolaire"
    )
    status = models.CharField("éducation prioritaire", max_length=10, choices=PriorityStatus)

    objects = DatedFactQuerySet.as_manager()

    class Meta(DatedFact.Meta):
        verbose_name = "statut d’éducation prioritaire"
        verbose_name_plural = "statuts d’éducation prioritaire"
        ordering = ["school_id", "starts_on"]
        indexes = [models.Index(fields=["status", "school"], name="schoolpriority_by_status")]


class SchoolTeam(DatedFact):
    """The team competent for a school; the schools with one are the perimeter of the programme."""

    school = models.ForeignKey(
        School, on_delete=models.CASCADE, related_name="school_teams", verbose_name="établissement scolaire"
    )
    team = models.ForeignKey(
        "referents.Team", on_delete=models.PROTECT, related_name="school_teams", verbose_name="équipe"
    )

    objects = DatedFactQuerySet.as_manager()

    class Meta(DatedFact.Meta):
        verbose_name = "équipe compétente"
        verbose_name_plural = "équipes compétentes"
        ordering = ["school_id", "starts_on"]
        indexes = [models.Index(fields=["team", "school"], name="schoolteam_by_team")]
