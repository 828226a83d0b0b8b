"""Where the programme works: arrondissements and their multidisciplinary teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from referents.models.user import Role

if TYPE_CHECKING:
    from referents.models.user import User


class Arrondissement(models.Model):
    number = models.PositiveSmallIntegerField("numéro", primary_key=True)
    name = models.CharField("nom", max_length=60)

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


class TeamQuerySet(models.QuerySet["Team"]):
    def coordinated_by(self, user: User) -> TeamQuerySet:
        """The teams whose board the person may open."""
        return self.filter(pk__in=user.standing.team_ids(Role.COORDINATOR)).select_related("arrondissement")


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
