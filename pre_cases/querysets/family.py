"""Dated facts, and which children a person may reach: those of a parcours or a saisine in reach."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models
from django.db.models import Exists, OuterRef, Q

from pre_cases.querysets.retention import RetentionQuerySet

if TYPE_CHECKING:
    from pre_cases.models import Child
    from referents.models import User


class ChildQuerySet(RetentionQuerySet["Child"]):
    def visible_to(self, user: User) -> ChildQuerySet:
        from pre_cases.models import Parcours, Saisine

        by_parcours = Exists(Parcours.objects.visible_to(user).filter(child=OuterRef("pk")))
        return self.filter(by_parcours | Exists(Saisine.objects.visible_to(user).filter(child=OuterRef("pk"))))

    def editable_by(self, user: User) -> ChildQuerySet:
        """While a parcours is open the child's record is written by who follows it, whoever holds another saisine."""
        from pre_cases.models import Parcours, Saisine

        followed = Exists(Parcours.objects.open().filter(child=OuterRef("pk")))
        by_parcours = Exists(Parcours.objects.editable_by(user).filter(child=OuterRef("pk")))
        by_saisine = Exists(Saisine.objects.editable_by(user).filter(child=OuterRef("pk")))
        return self.filter(by_parcours | (by_saisine & ~followed)).exclude(self.frozen())

    def referable_by(self, user: User) -> ChildQuerySet:
        """Those about whom the person may record a new saisine: known to own teams, an ended parcours included."""
        from pre_cases.models import Parcours, Saisine

        scopes = (
            Parcours.objects.followed_by(user),
            Parcours.objects.stood_in_by(user),
            Parcours.objects.coordinated_by(user),
            Saisine.objects.visible_to(user),
        )
        reached = Q(pk__in=[])
        for scope in scopes:
            reached |= Q(Exists(scope.filter(child=OuterRef("pk"))))
        return self.filter(reached).exclude(self.frozen())
