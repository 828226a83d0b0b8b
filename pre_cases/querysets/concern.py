"""Who may know that an information préoccupante was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef, Q

if TYPE_CHECKING:
    from pre_cases.models import ConcernReported
    from referents.models import User


class ConcernReportedQuerySet(models.QuerySet["ConcernReported"]):
    def visible_to(self, user: User) -> ConcernReportedQuerySet:
        """Its author while still following the parcours, and the coordination of the team: neither who replaces, nor
        a new référent, nor who reads by a share or an exceptional access.
        """
        from pre_cases.models import Parcours

        here = Parcours.objects.filter(pk=OuterRef("parcours"))
        own = Q(author=user) & Exists(here.carried_by(user))
        return self.filter(own | Exists(here.coordinated_by(user)))
