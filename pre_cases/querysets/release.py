"""Which files of figures: those that a person asked for, those that no worker carries any more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from referents.models import Role

if TYPE_CHECKING:
    from pre_cases.models import ReleasedTable, StatisticsExport
    from pre_cases.statistics.period import Period
    from referents.models import User

STALE_AFTER = timedelta(minutes=2)


class StatisticsExportQuerySet(models.QuerySet["StatisticsExport"]):
    def visible_to(self, user: User) -> StatisticsExportQuerySet:
        """The programme's files belong to the pilotage, whoever asked for them."""
        return self if user.standing.holds(Role.PILOTAGE) else self.none()

    def of(self, period: Period) -> StatisticsExportQuerySet:
        return self.filter(starts_on=period.starts_on, ends_on=period.ends_on)

    def stale(self) -> StatisticsExportQuerySet:
        """Asked for or begun, and silent since: the worker died or the message was lost."""
        return self.filter(
            state__in=[self.model.State.QUEUED, self.model.State.RUNNING], heartbeat_at__lt=timezone.now() - STALE_AFTER
        )


class ReleasedTableQuerySet(models.QuerySet["ReleasedTable"]):
    def overlapping(self, period: Period) -> ReleasedTableQuerySet:
        """Of other periods that share a day with this one, the oldest release first."""
        sharing = self.filter(starts_on__lte=period.ends_on, ends_on__gte=period.starts_on)
        return sharing.exclude(starts_on=period.starts_on, ends_on=period.ends_on).order_by("export_id", "tie")
