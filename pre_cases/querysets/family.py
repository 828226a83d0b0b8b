"""Dated facts, and which children a person may reach: those of a parcours or a saisine in reach."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

if TYPE_CHECKING:
    from pre_cases.models import Child
    from referents.models import User


class ChildQuerySet(models.QuerySet["Child"]):
    def _reached(self, user: User, scope: str) -> ChildQuerySet:
        from pre_cases.models import Parcours, Saisine

        def reached(model: Any) -> Exists:
            return Exists(getattr(model.objects, scope)(user).filter(child=OuterRef("pk")))

        return self.filter(reached(Parcours) | reached(Saisine))

    def visible_to(self, user: User) -> ChildQuerySet:
        return self._reached(user, "visible_to")

    def editable_by(self, user: User) -> ChildQuerySet:
        return self._reached(user, "editable_by")

    def referable_by(self, user: User) -> ChildQuerySet:
        """Those about whom the person may record a new saisine: known to own teams, an ended parcours included."""
        from pre_cases.models import Parcours, Saisine

        scopes = (
            Parcours.objects.followed_by(user),
            Parcours.objects.coordinated_by(user),
            Saisine.objects.visible_to(user),
        )
        reached = Q(pk__in=[])
        for scope in scopes:
            reached |= Q(Exists(scope.filter(child=OuterRef("pk"))))
        return self.filter(reached)
