"""Which shares, exceptional accesses, requests and hand-overs: those in force, those that wait, those in reach."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from referents.models import Role
from referents.models.grant import GrantQuerySet

if TYPE_CHECKING:
    from pre_cases.models import AccessRequest, ExceptionalAccess, HandOver, ParcoursShare
    from referents.models import User


class ParcoursShareQuerySet(GrantQuerySet["ParcoursShare"]):
    def editable_by(self, user: User) -> ParcoursShareQuerySet:
        """The rights of a share are those of its parcours."""
        from pre_cases.models import Parcours

        return self.filter(content_object__in=Parcours.objects.editable_by(user))


class ExceptionalAccessQuerySet(GrantQuerySet["ExceptionalAccess"]):
    def running(self, on: date | None = None) -> Q:
        """Opened less than 24 hours ago, whatever the day."""
        from pre_cases.models.access import EXCEPTIONAL_HOURS

        return Q(granted_at__gt=timezone.now() - timedelta(hours=EXCEPTIONAL_HOURS))

    def begun(self) -> Q:
        return Q(granted_at__lte=timezone.now())

    def to_review(self) -> ExceptionalAccessQuerySet:
        return self.filter(outcome="")

    def visible_to(self, user: User) -> ExceptionalAccessQuerySet:
        """The coordination of the parcours's team, and the data protection officer."""
        if user.standing.holds(Role.DPO):
            return self.all()
        return self.filter(content_object__team__in=user.standing.team_ids(Role.COORDINATOR))

    def reviewable_by(self, user: User) -> ExceptionalAccessQuerySet:
        """Those in reach, except one's own."""
        return self.visible_to(user).to_review().exclude(user=user)

    def endable_by(self, user: User) -> ExceptionalAccessQuerySet:
        """For those who review, and for the reader who has finished."""
        return self.filter(Q(user=user) | Q(pk__in=self.visible_to(user).values("pk")))


class AccessRequestQuerySet(models.QuerySet["AccessRequest"]):
    def pending(self) -> AccessRequestQuerySet:
        return self.filter(answered_at__isnull=True)

    def asked_by(self, user: User) -> AccessRequestQuerySet:
        """The person's own, answered or not, while working in the team: they name a child."""
        teams = user.standing.team_ids(Role.REFERENT, Role.COORDINATOR)
        return self.filter(asked_by=user, parcours__team__in=teams)

    def answerable_by(self, user: User) -> AccessRequestQuerySet:
        """Those that wait, on the parcours that the person may change."""
        from pre_cases.models import Parcours

        reached = Parcours.objects.editable_by(user).filter(pk=OuterRef("parcours"))
        return self.pending().filter(Exists(reached))


class HandOverQuerySet(models.QuerySet["HandOver"]):
    def pending(self) -> HandOverQuerySet:
        return self.filter(outcome="")

    def answerable_by(self, user: User) -> HandOverQuerySet:
        """Those that wait for the person's own answer, while still a référent of the team."""
        teams = user.standing.team_ids(Role.REFERENT)
        return self.pending().filter(to_referent=user, parcours__team__in=teams, parcours__closed_on__isnull=True)

    def cancellable_by(self, user: User) -> HandOverQuerySet:
        """For who asked, for the référent who would leave and for the coordination."""
        coordinated = user.standing.team_ids(Role.COORDINATOR)
        return self.filter(Q(asked_by=user) | Q(from_referent=user) | Q(parcours__team__in=coordinated))

    def seen_by(self, user: User) -> HandOverQuerySet:
        """Both sides see them, answered or not, while they work in the team: they name a child."""
        sides = Q(from_referent=user) | Q(to_referent=user) | Q(asked_by=user)
        return self.filter(sides, parcours__team__in=user.standing.team_ids(Role.REFERENT, Role.COORDINATOR))
