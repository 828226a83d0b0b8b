"""Which meetings, questions and templates. The rights of the first two are those of their parcours."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from referents.models import Role

if TYPE_CHECKING:
    from pre_cases.models import Appointment, EntryTemplate, FollowUp
    from referents.models import User

WEEK = timedelta(days=7)
ANSWERED_LATELY = timedelta(days=30)


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def planned(self) -> AppointmentQuerySet:
        return self.filter(state="planned")

    def this_week(self, day: date | None = None) -> AppointmentQuerySet:
        """Planned within seven days, and those already past that nobody has settled."""
        return self.planned().filter(on__lt=(day or timezone.localdate()) + WEEK)

    # -- scopes ---------------------------------------------------------------------------------------------------

    def of(self, user: User) -> AppointmentQuerySet:
        """Own ones, and in the team of each replacement those of the person replaced; on what may still be changed."""
        return self.reached_by(user).filter(Q(user=user) | user.replaced("user", "parcours__team"))

    def reached_by(self, user: User) -> AppointmentQuerySet:
        """For one record: those of the parcours that the person may change."""
        from pre_cases.models import Parcours

        return self.filter(Exists(Parcours.objects.editable_by(user).filter(pk=OuterRef("parcours"))))


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    def waiting(self) -> FollowUpQuerySet:
        return self.filter(answered_at__isnull=True)

    def recent(self) -> FollowUpQuerySet:
        """Those that wait, and those answered within a month."""
        since = timezone.now() - ANSWERED_LATELY
        return self.filter(Q(answered_at__isnull=True) | Q(answered_at__gte=since))

    # -- scopes ---------------------------------------------------------------------------------------------------

    def answerable_by(self, user: User) -> FollowUpQuerySet:
        """Those that wait, on the open parcours that the person follows, or follows in somebody's place."""
        from pre_cases.models import Parcours

        parcours = Parcours.objects.open().filter(pk=OuterRef("entry__parcours"))
        return self.waiting().filter(Exists(parcours.followed_by(user)) | Exists(parcours.stood_in_by(user)))

    def overseen_by(self, user: User) -> FollowUpQuerySet:
        """Those of the teams that the person coordinates."""
        return self.filter(entry__parcours__team__in=user.standing.team_ids(Role.COORDINATOR))


class EntryTemplateQuerySet(models.QuerySet["EntryTemplate"]):
    def of(self, user: User) -> EntryTemplateQuerySet:
        return self.filter(user=user)
