"""Where the programme works: arrondissements and their multidisciplinary teams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models

from referents.models.user import Role

if TYPE_CHECKING:
    from referents.models.user import User

M = TypeVar("M", bound=models.Model)


class ReferenceQuerySet(models.QuerySet[M]):
    """Reference data of the programme: kept by the technical administration, shown to the DPO."""

    def may_be_added_by(self, user: User) -> bool:
        return user.standing.holds(Role.ADMINISTRATOR)

    def editable_by(self, user: User) -> Self:
        return self if self.may_be_added_by(user) else self.none()

    def controlled_by(self, user: User) -> Self:
        """What the person reads on the pages of reference data."""
        return self if self.may_be_added_by(user) or user.standing.holds(Role.DPO) else self.none()


class Arrondissement(models.Model):
    number = models.PositiveSmallIntegerField("numéro", primary_key=True)
    name = models.CharField("nom", max_length=60)

    objects = ReferenceQuerySet.as_manager()

    class Meta:
        verbose_name = "arrondissement"
        verbose_name_plural = "arrondissements"
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(number__gte=1, number__lte=20),
                name="arrondissement_of_paris",
                violation_error_message="Paris compte vingt arrondissements.",
            )
        ]

    def __str__(self) -> str:
        return f"Arrondissement {self.number}"

    @property
    def label(self) -> str:
        """How the arrondissement is written on the screen, « 18e »."""
        return "1er" if self.number == 1 else f"{self.number}e"


class TeamQuerySet(ReferenceQuerySet["Team"]):
    def coordinated_by(self, user: User) -> TeamQuerySet:
        """The teams whose board the person may open."""
        return self.filter(pk__in=user.standing.team_ids(Role.COORDINATOR)).select_related("arrondissement")

    def staffed_by(self, user: User) -> TeamQuerySet:
        """The teams in which the person gives roles: all of them for the administration."""
        if user.standing.holds(Role.ADMINISTRATOR):
            return self.select_related("arrondissement")
        return self.coordinated_by(user)


class Team(models.Model):
    """One équipe pluridisciplinaire; an arrondissement has one or several."""

    code = models.SlugField("code", max_length=20, unique=True)
    name = models.CharField("nom", max_length=80)
    arrondissement = models.ForeignKey(
        Arrondissement, on_delete=models.PROTECT, related_name="teams", verbose_name="arrondissement"
    )

    objects = TeamQuerySet.as_manager()

    class Meta:
        verbose_name = "équipe"
        verbose_name_plural = "équipes"
        ordering = ["arrondissement_id", "code"]

    def __str__(self) -> str:
        return f"Team {self.code}"
