"""What hangs on a parcours and has no rights of its own: they are those of the parcours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models
from django.db.models import Exists, OuterRef

from referents.intervals import DatedQuerySet

if TYPE_CHECKING:
    from pre_cases.models import Suspension
    from referents.models import User

M = TypeVar("M", bound=models.Model)


class ParcoursRecordQuerySet(models.QuerySet[M]):
    """The parcours stands at ``path``."""

    path = "parcours"

    def editable_by(self, user: User) -> Self:
        from pre_cases.models import Parcours

        return self.filter(Exists(Parcours.objects.editable_by(user).filter(pk=OuterRef(self.path))))


class SuspensionQuerySet(DatedQuerySet["Suspension"]):
    def editable_by(self, user: User) -> SuspensionQuerySet:
        from pre_cases.models import Parcours

        return self.filter(Exists(Parcours.objects.editable_by(user).filter(pk=OuterRef("parcours"))))
