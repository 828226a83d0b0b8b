"""Which requests of families, and which files of a child's data: those to answer, those late, and who reaches them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.utils import timezone

from pre_cases.deadlines import ANSWER_MONTHS, EXTENSION_MONTHS, latest_receipt_late_on
from referents.models import Role

if TYPE_CHECKING:
    from pre_cases.models import FamilyRequest, SubjectFile
    from referents.models import User

STALE_AFTER = timedelta(minutes=2)


def late(day: date) -> Q:
    """Those not answered on a day that is after their deadline."""
    first = Q(extended_on__isnull=True, received_on__lte=latest_receipt_late_on(day))
    extended = latest_receipt_late_on(day, ANSWER_MONTHS + EXTENSION_MONTHS)
    return Q(outcome="") & (first | Q(extended_on__isnull=False, received_on__lte=extended))


class FamilyRequestQuerySet(models.QuerySet["FamilyRequest"]):
    def waiting(self) -> FamilyRequestQuerySet:
        return self.filter(outcome="")

    def late(self, on: date | None = None) -> FamilyRequestQuerySet:
        return self.filter(late(on or timezone.localdate()))

    def with_urgency(self, on: date | None = None) -> FamilyRequestQuerySet:
        """Annotate ``urgency``, 0 when late and 1 otherwise: what a list orders by before the day of receipt."""
        is_late = When(late(on or timezone.localdate()), then=Value(0))
        return self.annotate(urgency=Case(is_late, default=Value(1), output_field=models.IntegerField()))

    def visible_to(self, user: User) -> FamilyRequestQuerySet:
        """Who carries the child's parcours or saisine, and the coordination."""
        from pre_cases.models import Parcours, Saisine

        known = Q(closed_on__isnull=True) | Q(closed_on__gte=OuterRef("received_on"))
        carried = Exists(Parcours.objects.carried_by(user).filter(known, child=OuterRef("child")))
        instructed = Exists(Saisine.objects.visible_to(user).filter(child=OuterRef("child")))
        return self.filter(carried | instructed | Q(team__in=user.standing.team_ids(Role.COORDINATOR)))

    def decidable_by(self, user: User) -> FamilyRequestQuerySet:
        """Checking who asks, extending, answering, preparing the data: the coordination of the child's team."""
        return self.filter(team__in=user.standing.team_ids(Role.COORDINATOR))

    def overseen_by(self, user: User) -> FamilyRequestQuerySet:
        """For the data protection officer: dates and ids, never what was asked nor by whom."""
        return self.all() if user.standing.holds(Role.DPO) else self.none()


class SubjectFileQuerySet(models.QuerySet["SubjectFile"]):
    def kept(self) -> SubjectFileQuerySet:
        """Those whose content still exists."""
        return self.filter(ended_at__isnull=True)

    def decidable_by(self, user: User) -> SubjectFileQuerySet:
        return self.filter(request__team__in=user.standing.team_ids(Role.COORDINATOR))

    def overseen_by(self, user: User) -> SubjectFileQuerySet:
        """The data protection officer: those sent for approval, with their counts; never the content."""
        return self.filter(submitted_at__isnull=False) if user.standing.holds(Role.DPO) else self.none()

    def stale(self) -> SubjectFileQuerySet:
        """Queued or begun, and silent since: the worker died or the message was lost."""
        silent = timezone.now() - STALE_AFTER
        return self.kept().filter(work__in=["queued", "running"], heartbeat_at__lt=silent)

    def expired(self) -> SubjectFileQuerySet:
        return self.kept().filter(expires_at__lte=timezone.now())
