"""Which aids of the fonds exceptionnel: those that wait, those granted within a year, and who reaches them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Sum

from pre_cases.querysets.support import ParcoursRecordQuerySet

if TYPE_CHECKING:
    from pre_cases.models import ExceptionalAid
    from referents.models import User


class ExceptionalAidQuerySet(ParcoursRecordQuerySet["ExceptionalAid"]):
    def waiting(self) -> ExceptionalAidQuerySet:
        """Asked on an open parcours, and not decided."""
        return self.filter(decision="", parcours__closed_on__isnull=True)

    def granted_in(self, team_id: int, year: int) -> ExceptionalAidQuerySet:
        return self.filter(team=team_id, decision="granted", decided_on__year=year)

    def total(self) -> Decimal:
        """The sum granted, in euros."""
        found: Decimal | None = self.aggregate(sum=Sum("granted"))["sum"]
        return found or Decimal(0)

    def decidable_by(self, user: User) -> ExceptionalAidQuerySet:
        """For the coordination of the parcours's team, while the parcours is open."""
        from pre_cases.models import Parcours

        reached = Parcours.objects.decidable_by(user).open().filter(pk=OuterRef("parcours"))
        return self.filter(Exists(reached))
