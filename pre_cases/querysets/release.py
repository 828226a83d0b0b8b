"""Which files of figures: those that a person asked for, those that no worker carries any more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from referents.models import Role

if TYPE_CHECKING:
    from pre_cases.models import StatisticsExport
    from referents.models import User

STALE_AFTER = timedelta(minutes=2)


class StatisticsExportQuerySet(models.QuerySet["StatisticsExport"]):
    def visible_to(self, user: User) -> StatisticsExportQuerySet:
        """The programme's files belong to the pilotage, whoever asked for them."""
        return self if user.standing.holds(Role.PILOTAGE) else self.none()

    def stale(self) -> StatisticsExportQuerySet:
        """Asked for or begun, and silent since: the worker died or the message was lost."""
        return self.filter(
            state__in=[self.model.State.QUEUED, self.model.State.RUNNING], heartbeat_at__lt=timezone.now() - STALE_AFTER
        )
