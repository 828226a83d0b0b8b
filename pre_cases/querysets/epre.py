"""Which sessions of the EPRE, members and situations: those to come, those to prepare, and who reaches them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone

from referents.models import CharterSignature, Role
from referents.models.user import TEAM_ROLES

if TYPE_CHECKING:
    from pre_cases.models import EpreItem, EpreParticipant, EpreSession
    from referents.models import User


def on_agenda(day: date) -> Q:
    """Put on an agenda that day or before, and neither decided nor taken off yet."""
    undecided = Q(decided_on__isnull=True) | Q(decided_on__gt=day)
    there = Q(removed_on__isnull=True) | Q(removed_on__gt=day)
    return Q(added_on__lte=day) & undecided & there


def agreed() -> Q:
    """The family's agreement is signed, neither withdrawn nor opposed by a holder of authority, and in force unless the
    EPRE is asked to renew it.
    """
    from pre_cases.models import AgreementHolder, EprePurpose

    opposed = AgreementHolder.objects.objecting().filter(agreement=OuterRef("parcours__agreement"))
    given = Q(parcours__agreement__signed_on__isnull=False, parcours__agreement__withdrawn_on__isnull=True)
    lasts = Q(parcours__agreement__agreed_until_on__gt=timezone.localdate()) | Q(purpose=EprePurpose.RENEWAL)
    return given & lasts & ~Q(Exists(opposed))


class EpreSessionQuerySet(models.QuerySet["EpreSession"]):
    def in_team(self, team_id: int) -> EpreSessionQuerySet:
        return self.filter(team_id=team_id)

    def planned(self) -> EpreSessionQuerySet:
        return self.filter(state="planned")

    def upcoming(self, on: date | None = None) -> EpreSessionQuerySet:
        """Planned, today or later."""
        return self.planned().filter(on__gte=on or timezone.localdate())

    def this_week(self, on: date) -> EpreSessionQuerySet:
        """Planned within the seven days that begin on a day."""
        return self.upcoming(on).filter(on__lt=on + timedelta(days=7))

    def past(self, on: date | None = None) -> EpreSessionQuerySet:
        """Everything that is not to come: held, cancelled, or planned for a day that is over."""
        return self.exclude(pk__in=self.model.objects.upcoming(on).values("pk"))

    def with_counts(self) -> EpreSessionQuerySet:
        """Annotate ``item_count``, the situations still there, and ``undecided``, those of them without a decision."""
        there = Q(items__removed_on__isnull=True)
        return self.annotate(
            item_count=Count("items", filter=there, distinct=True),
            undecided=Count("items", filter=there & Q(items__decision=""), distinct=True),
        )

    # -- scopes ---------------------------------------------------------------------------------------------------

    def coordinated_by(self, user: User) -> EpreSessionQuerySet:
        return self.filter(team_id__in=user.standing.team_ids(Role.COORDINATOR))

    def prepared_by(self, user: User) -> EpreSessionQuerySet:
        """The référents of the team propose their own situations; its coordination runs it."""
        return self.filter(team_id__in=user.standing.team_ids(Role.REFERENT, Role.COORDINATOR))

    def attended_by(self, user: User) -> EpreSessionQuerySet:
        """Those to which the person is invited by account, while a member of the team; a cancelled one is over."""
        from pre_cases.models import EpreParticipant

        invited = EpreParticipant.objects.filter(user=user, session=OuterRef("pk"))
        return self.exclude(state="cancelled").filter(Exists(invited), team_id__in=user.standing.team_ids(*TEAM_ROLES))

    def visible_to(self, user: User) -> EpreSessionQuerySet:
        """Its day and place; what it examines has its own scope."""
        return self.filter(
            Q(pk__in=self.model.objects.prepared_by(user).values("pk"))
            | Q(pk__in=self.model.objects.attended_by(user).values("pk"))
        )


class EpreParticipantQuerySet(models.QuerySet["EpreParticipant"]):
    def without_charter(self, on: date | None = None) -> EpreParticipantQuerySet:
        """Neither the paper sheet nor, for an account, a charter in force on a day (today by default)."""
        day = on or timezone.localdate()
        signed = CharterSignature.objects.of_version_in_force().filter(user=OuterRef("user"), expires_on__gt=day)
        return self.filter(~Exists(signed), charter_on__isnull=True)

    def editable_by(self, user: User) -> EpreParticipantQuerySet:
        return self.filter(session__team_id__in=user.standing.team_ids(Role.COORDINATOR))


class EpreItemQuerySet(models.QuerySet["EpreItem"]):
    def there(self) -> EpreItemQuerySet:
        """Not taken off the agenda. A situation leaves it by itself the day the agreement is withdrawn or opposed, the
        parcours ends, or its team changes, when nothing is decided yet.
        """
        waits = Q(parcours__closed_on__isnull=True, parcours__team=F("session__team")) & agreed()
        return self.filter(~Q(decision="") | waits, removed_on__isnull=True).exclude(session__state="cancelled")

    def pending(self) -> EpreItemQuerySet:
        return self.there().filter(decision="")

    def without_sheet(self) -> EpreItemQuerySet:
        """Nobody has written the question asked yet."""
        return self.there().filter(question__isnull=True, decision="")

    def decided(self) -> EpreItemQuerySet:
        return self.exclude(decision="")

    # -- scopes ---------------------------------------------------------------------------------------------------

    def carried_by(self, user: User) -> EpreItemQuerySet:
        """Those of the parcours that the person follows, replaces or coordinates."""
        from pre_cases.models import Parcours

        return self.filter(Exists(Parcours.objects.carried_by(user).filter(pk=OuterRef("parcours"))))

    def decidable_by(self, user: User) -> EpreItemQuerySet:
        """The coordination of the session's team, while the parcours is of that team."""
        teams = user.standing.team_ids(Role.COORDINATOR)
        return self.filter(session__team_id__in=teams, parcours__team=F("session__team"))

    def editable_by(self, user: User) -> EpreItemQuerySet:
        """What the session has not decided, for whoever may change the parcours."""
        from pre_cases.models import Parcours

        return self.pending().filter(Exists(Parcours.objects.editable_by(user).filter(pk=OuterRef("parcours"))))

    def opened_to(self, user: User) -> EpreItemQuerySet:
        """The sheets of the sessions to which the person is invited, from three days before until seven days after."""
        from pre_cases.models import EpreSession

        today = timezone.localdate()
        first = today - timedelta(days=settings.EPRE_DAYS_AFTER)
        last = today + timedelta(days=settings.EPRE_DAYS_BEFORE)
        sessions = EpreSession.objects.attended_by(user).filter(on__gte=first, on__lte=last)
        return self.there().filter(agreed(), session__in=sessions.values("pk"))

    def visible_to(self, user: User) -> EpreItemQuerySet:
        """The sheet, for one record or for those of one session."""
        carried = self.model.objects.there().carried_by(user)
        return self.filter(Q(pk__in=carried.values("pk")) | Q(pk__in=self.model.objects.opened_to(user).values("pk")))

    def entrusted_to(self, user: User) -> EpreItemQuerySet:
        """Follow-ups that the person has taken on and not done, while a member of the team."""
        teams = user.standing.team_ids(*TEAM_ROLES)
        waits = Q(task__done_at__isnull=True, task__isnull=False, parcours__closed_on__isnull=True)
        return self.filter(waits, agreed(), task__assignee=user, session__team_id__in=teams)
