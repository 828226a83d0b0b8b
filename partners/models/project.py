"""Associative projects: what they offer, where, how many places, and what they are granted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from partners.models.nomenclature import Nomenclature, term_key
from referents.intervals import ends_after_start, in_force
from referents.models import Role, Team
from referents.text import normalised

if TYPE_CHECKING:
    from referents.models import User


class TimeSlot(models.TextChoices):
    AFTER_SCHOOL = "after_school", "après l’école"
    EVENING = "evening", "le soir"
    WEDNESDAY = "wednesday", "le mercredi"
    WEEKEND = "weekend", "le week-end"
    HOLIDAYS = "holidays", "pendant les vacances"
    SCHOOL_TIME = "school_time", "sur le temps scolaire"


class Sex(models.TextChoices):
    GIRL = "girl", "fille"
    BOY = "boy", "garçon"


class AgeBand(models.TextChoices):
    UNDER_2 = "under_2", "moins de 2 ans"
    FROM_2 = "2_5", "2 à 5 ans"
    FROM_6 = "6_10", "6 à 10 ans"
    FROM_11 = "11_16", "11 à 16 ans"
    FROM_17 = "17_over", "17 ans et plus"

    @classmethod
    def of(cls, age: int) -> AgeBand:
        """The band of an age in completed years."""
        for floor, band in ((17, cls.FROM_17), (11, cls.FROM_11), (6, cls.FROM_6), (2, cls.FROM_2)):
            if age >= floor:
                return band
        return cls.UNDER_2


def school_year_of(day: date) -> int:
    """The year in which the school year of a day began (it runs from 1 September to 31 August)."""
    return day.year if day.month >= 9 else day.year - 1


class ProjectQuerySet(models.QuerySet["Project"]):
    def of_school_year(self, year: int) -> ProjectQuerySet:
        return self.filter(school_year=year)

    def open_to(self, team_id: int, on: date | None = None) -> ProjectQuerySet:
        """Projects of the day's school year that admit the children of a team."""
        return self.of_school_year(school_year_of(on or timezone.localdate())).filter(project_teams__team=team_id)

    def may_be_led_by(self, user: User) -> bool:
        return user.standing.holds(Role.PROJECT_LEADER)

    def led_by(self, user: User, on: date | None = None) -> ProjectQuerySet:
        """Projects that the person runs on a day, while holding the role of a project leader."""
        if not self.may_be_led_by(user):
            return self.none()
        leads = ProjectLead.objects.filter(in_force(on), project=OuterRef("pk"), user=user.pk)
        return self.filter(Exists(leads))

    # -- scopes ---------------------------------------------------------------------------------------------------

    def _of_teams(self, user: User, *roles: Role) -> ProjectQuerySet:
        """Every project for the pilotage, otherwise those open to the teams where one of the roles is held."""
        if user.standing.holds(Role.PILOTAGE):
            return self
        teams = ProjectTeam.objects.filter(project=OuterRef("pk"), team__in=user.standing.team_ids(*roles))
        return self.filter(Exists(teams))

    def may_be_listed_by(self, user: User) -> bool:
        return any(user.standing.holds(role) for role in (Role.REFERENT, Role.COORDINATOR, Role.PILOTAGE))

    def visible_to(self, user: User) -> ProjectQuerySet:
        """The pilotage: all. A référent or a coordinator: those open to the person's teams."""
        return self._of_teams(user, Role.REFERENT, Role.COORDINATOR)

    def may_be_added_by(self, user: User) -> bool:
        return user.standing.holds(Role.COORDINATOR) or user.standing.holds(Role.PILOTAGE)

    def editable_by(self, user: User) -> ProjectQuerySet:
        """The pilotage: all. A coordinator: those open to the person's teams. Whoever may edit sees the amounts."""
        return self._of_teams(user, Role.COORDINATOR)


def assignable_teams(user: User) -> models.QuerySet[Team]:
    """Teams to which the person may open a project, or close it: all for the pilotage, own ones for a coordinator."""
    if user.standing.holds(Role.PILOTAGE):
        return Team.objects.all()
    return Team.objects.filter(pk__in=user.standing.team_ids(Role.COORDINATOR))


class Project(models.Model):
    """An activity of one organisation for one school year, open to the children of its teams."""

    organisation = models.ForeignKey(
        "partners.Organisation", on_delete=models.PROTECT, related_name="projects", verbose_name="organisme"
    )
    title = models.CharField("intitulé", max_length=160)
    search_title = models.CharField(max_length=160, editable=False, db_index=True)
    domain = term_key(Nomenclature.DOMAIN, "domaine")
    priority = term_key(Nomenclature.PRIORITY, "priorité", null=True, blank=True)
    time_slot = models.CharField("créneau", max_length=20, choices=TimeSlot, default=TimeSlot.AFTER_SCHOOL)
    school_year = models.PositiveSmallIntegerField(
        "année scolaire", help_text="L’année de la rentrée : 2026 pour 2026-2027."
    )
    places = models.PositiveSmallIntegerField(
        "places", validators=[MinValueValidator(1, "Un projet offre au moins une place.")]
    )
    teams = models.ManyToManyField(
        "referents.Team", through="partners.ProjectTeam", related_name="projects", verbose_name="équipes"
    )
    requested = models.DecimalField("montant demandé", max_digits=10, decimal_places=2, default=Decimal(0))
    granted = models.DecimalField("montant accordé", max_digits=10, decimal_places=2, default=Decimal(0))
    spent = models.DecimalField("montant dépensé", max_digits=10, decimal_places=2, default=Decimal(0))

    objects = ProjectQuerySet.as_manager()
    permission_scopes = {"partners.view_project": "visible_to", "partners.change_project": "editable_by"}

    class Meta:
        verbose_name = "projet"
        verbose_name_plural = "projets"
        ordering = ["-school_year", "search_title", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "title", "school_year"],
                name="project_unique_in_year",
                violation_error_message="Cet organisme porte déjà un projet de ce nom cette année-là.",
            ),
            models.CheckConstraint(
                condition=Q(places__gte=1),
                name="project_has_places",
                violation_error_message="Un projet offre au moins une place.",
            ),
            models.CheckConstraint(
                condition=Q(requested__gte=0, granted__gte=0, spent__gte=0),
                name="project_amounts_positive",
                violation_error_message="Un montant ne peut pas être négatif.",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, **kwargs: Any) -> None:
        self.search_title = normalised(self.title)
        super().save(**kwargs)

    @property
    def starts_on(self) -> date:
        return date(self.school_year, 9, 1)

    @property
    def ends_on(self) -> date:
        """First day after the project: 1 September of the following year."""
        return date(self.school_year + 1, 9, 1)

    @property
    def school_year_label(self) -> str:
        return f"{self.school_year}-{self.school_year + 1}"


class ProjectTeam(models.Model):
    """A team whose children a project admits."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="project_teams")
    team = models.ForeignKey("referents.Team", on_delete=models.PROTECT, related_name="project_teams")

    class Meta:
        verbose_name = "équipe d’un projet"
        verbose_name_plural = "équipes des projets"
        constraints = [
            models.UniqueConstraint(
                fields=["project", "team"],
                name="project_team_once",
                violation_error_message="Ce projet accueille déjà cette équipe.",
            )
        ]

    def __str__(self) -> str:
        return f"ProjectTeam {self.pk}"


class ProjectLead(models.Model):
    """The person of an association who runs a project, from a day to another."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="leads", verbose_name="projet")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="project_leads", verbose_name="personne"
    )
    starts_on = models.DateField("depuis le", default=timezone.localdate)
    ends_on = models.DateField("jusqu’au", null=True, blank=True, help_text="Ce jour n’est plus compris.")

    class Meta:
        verbose_name = "porteur de projet"
        verbose_name_plural = "porteurs de projets"
        constraints = [ends_after_start("project_lead_ends_after_start")]

    def __str__(self) -> str:
        return f"ProjectLead {self.pk}"


class ProjectHeadcount(models.Model):
    """Children without a parcours whom the association declares: numbers only, never a name."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="headcounts", verbose_name="projet")
    starts_on = models.DateField("du")
    ends_on = models.DateField("au", help_text="Ce jour n’est plus compris.")
    sex = models.CharField("sexe", max_length=10, choices=Sex)
    age_band = models.CharField("tranche d’âge", max_length=10, choices=AgeBand)
    number = models.PositiveIntegerField("nombre d’enfants")
    declared_on = models.DateField("déclaré le")

    class Meta:
        verbose_name = "effectif déclaré"
        verbose_name_plural = "effectifs déclarés"
        constraints = [
            models.UniqueConstraint(
                fields=["project", "starts_on", "sex", "age_band"],
                name="headcount_declared_once",
                violation_error_message="Cet effectif est déjà déclaré pour cette période.",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")),
                name="headcount_ends_after_start",
                violation_error_message="La fin ne peut pas précéder le début.",
            ),
        ]

    def __str__(self) -> str:
        return f"ProjectHeadcount {self.pk}"
