"""The organisations a family can meet: associations, centres sociaux, public services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from referents.models import Role
from referents.text import normalised

if TYPE_CHECKING:
    from referents.models import User


class OrganisationKind(models.TextChoices):
    ASSOCIATION = "association", "association"
    CENTRE_SOCIAL_ASSOCIATION = "centre_social_association", "centre social associatif"
    CENTRE_SOCIAL_CAF = "centre_social_caf", "centre social de la CAF"
    SOLIDARITY_NETWORK = "solidarity_network", "réseau de solidarité de voisinage"
    ACCORDERIE = "accorderie", "accorderie"
    PAD = "pad", "point d’accès au droit"
    MJD = "mjd", "maison de justice et du droit"
    PIMMS = "pimms", "PIMMS"
    YOUTH_OFFICE = "youth_office", "antenne jeunes"
    CENTRE_ANIMATION = "centre_animation", "centre d’animation"
    PUBLIC_SERVICE = "public_service", "service public"
    OTHER = "other", "autre"


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def matching(self, text: str) -> OrganisationQuerySet:
        return self.filter(search_name__contains=normalised(text))

    # -- scopes: everybody signed in reads the directory ------------------------------------------------------------

    def may_be_added_by(self, user: User) -> bool:
        """The directory is kept by the coordination of the teams and by the pilotage."""
        return user.standing.holds(Role.COORDINATOR) or user.standing.holds(Role.PILOTAGE)

    def editable_by(self, user: User) -> OrganisationQuerySet:
        return self if self.may_be_added_by(user) else self.none()


class Organisation(models.Model):
    name = models.CharField("nom", max_length=160, unique=True, error_messages={"unique": "Cet organisme existe déjà."})
    search_name = models.CharField(max_length=160, editable=False, db_index=True)
    kind = models.CharField("nature", max_length=30, choices=OrganisationKind, default=OrganisationKind.ASSOCIATION)
    arrondissement = models.ForeignKey(
        "referents.Arrondissement",
        on_delete=models.PROTECT,
        related_name="organisations",
        null=True,
        blank=True,
        verbose_name="arrondissement",
    )
    in_qpv = models.BooleanField("en quartier prioritaire", default=False)
    address = models.CharField("adresse", max_length=200, blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True)

    objects = OrganisationQuerySet.as_manager()
    permission_scopes = {"partners.change_organisation": "editable_by"}

    class Meta:
        verbose_name = "organisme"
        verbose_name_plural = "organismes"
        ordering = ["search_name"]

    def __str__(self) -> str:
        return self.name

    def save(self, **kwargs: Any) -> None:
        self.search_name = normalised(self.name)
        super().save(**kwargs)
