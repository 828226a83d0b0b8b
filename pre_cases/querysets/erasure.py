"""Which prolongations hold, which erasures wait, run or were left by their worker, and who reaches them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from referents.intervals import DatedQuerySet
from referents.models import Role

if TYPE_CHECKING:
    from pre_cases.models import Erasure, RetentionHold
    from referents.models import User

STALE_AFTER = timedelta(minutes=2)


class HoldQuerySet(DatedQuerySet["RetentionHold"]):
    def past(self, on: date | None = None) -> HoldQuerySet:
        """Those whose end has come: they hold nothing any more."""
        return self.filter(ends_on__lte=on or timezone.localdate())

    def editable_by(self, user: User) -> HoldQuerySet:
        """A hold is ended by the coordination of the child's team."""
        from pre_cases.models import Child

        return self.filter(child__in=Child.objects.retained_by(user))


class ErasureQuerySet(models.QuerySet["Erasure"]):
    def pending(self) -> ErasureQuerySet:
        """Neither refused nor done."""
        return self.exclude(state__in=[self.model.State.REFUSED, self.model.State.DONE])

    def freezing(self) -> ErasureQuerySet:
        """Those whose child nobody may write about any more."""
        return self.filter(state__in=[self.model.State.APPROVED, self.model.State.RUNNING])

    def stale(self) -> ErasureQuerySet:
        """Approved or begun, and silent since: the worker died or the message was lost."""
        return self.freezing().filter(heartbeat_at__lt=timezone.now() - STALE_AFTER)

    def visible_to(self, user: User) -> ErasureQuerySet:
        """The data protection officer: all, as ids; a coordination: those of its teams."""
        if user.standing.holds(Role.DPO):
            return self.all()
        return self.filter(team__in=user.standing.team_ids(Role.COORDINATOR))

    def decidable_by(self, user: User) -> ErasureQuerySet:
        """What waits for the data protection officer, own requests left out."""
        if not user.standing.holds(Role.DPO):
            return self.none()
        waiting = [self.model.State.REQUESTED, self.model.State.BLOCKED]
        return self.filter(state__in=waiting).exclude(requested_by=user)
