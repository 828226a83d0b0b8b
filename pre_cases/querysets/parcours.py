"""Which parcours: by stage, date and team, and who may reach them; one scope per persona, no big OR in a list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, OuterRef, Prefetch, Q, Subquery, Value, When
from django.db.models.functions import Concat
from django.utils import timezone

from audit.journal import models as journal
from pre_cases.querysets.epre import on_agenda
from pre_cases.querysets.support import ParcoursRecordQuerySet
from pre_cases.stages import ParcoursStage
from referents.intervals import in_force
from referents.models import Membership, Role

if TYPE_CHECKING:
    from pre_cases.models import Action, Parcours
    from referents.models import User


UNOPENED_DAYS = 60  # how long a parcours that its new référent has not opened is pointed out


def review_threshold(on: date) -> date:
    """The last day at which a review (or the entry) makes the next one due on a day."""
    return on - relativedelta(months=settings.REVIEW_EVERY_MONTHS)


class ParcoursFlag(models.TextChoices):
    """What asks for somebody's attention on an open parcours; the value stands in the address of the list."""

    LATE = "en-retard", "En retard"
    THIS_WEEK = "cette-semaine", "Cette semaine"
    DIAGNOSIS = "en-evaluation", "En évaluation"
    TO_RATIFY = "a-ratifier", "Entrée en urgence, à ratifier"
    REVIEW_DUE = "point-d-etape", "Point d’étape à faire"
    SILENT = "sans-contact", "Sans contact récent"
    INCOMPLETE = "a-completer", "À compléter"
    NO_REFERENT = "sans-referent", "Sans référent"
    NO_REVIEW = "sans-point-d-etape", "Sans point d’étape depuis longtemps"
    TO_CLOSE = "a-clore", "Bilan écrit, à clore"
    OPPOSED = "opposition", "Opposition à trancher"
    AGREEMENT_ENDING = "accord-a-renouveler", "Accord à renouveler"
    COMING_OF_AGE = "bientot-majeur", "Bientôt majeur"
    SUSPENDED = "suspendu", "Suspendu"
    UNOPENED = "pas-encore-ouvert", "Pas encore ouvert"
    NO_SEX = "sexe-a-renseigner", "Sexe à renseigner"
    NO_TERRITORY = "quartier-a-verifier", "Quartier à vérifier"
    NO_CLASS = "classe-a-confirmer", "Classe à confirmer"
    NO_OBJECTIVE = "sans-objectif", "Aucun objectif"


def _silent(day: date) -> Q:
    """No contact lately; a parcours opened since has had no time to be silent."""
    since = day - timedelta(days=settings.STALE_CONTACT_DAYS)
    return Q(last_contact_on__lt=since) | Q(last_contact_on__isnull=True, opened_on__lt=since)


def _review_due(day: date) -> Q:
    from pre_cases.models import Review

    threshold = review_threshold(day)
    reviewed = Review.objects.filter(parcours=OuterRef("pk"), on__gt=threshold, on__lte=day)
    return Q(entered_on__lte=threshold) & ~Q(Exists(reviewed))


def _without_review(day: date) -> Q:
    """Entered long ago, and without a point d’étape for ``NO_REVIEW_WEEKS`` weeks."""
    from pre_cases.models import Review

    since = day - relativedelta(weeks=settings.NO_REVIEW_WEEKS)
    return Q(entered_on__lt=since) & ~Q(Exists(Review.objects.filter(parcours=OuterRef("pk"), on__gte=since)))


def _without_referent(day: date) -> Q:
    """Nobody follows it: no assignment holds, or its référent has left the team or is suspended."""
    from pre_cases.models import Assignment

    role = Membership.objects.current(day).filter(
        user=OuterRef("referent"), team=OuterRef(OuterRef("team")), role=Role.REFERENT, user__is_active=True
    )
    followed = Assignment.objects.filter(in_force(day), Exists(role), parcours=OuterRef("pk"))
    return ~Q(Exists(followed))


def _unopened(day: date) -> Q:
    """Given to a référent lately, who has not opened it since: no reading of it is in the journal, only of its card."""
    from pre_cases.models import Assignment

    readings = journal.Event.objects.filter(
        subject_id=OuterRef("parcours"),
        actor_id=OuterRef("referent"),
        action=journal.Action.READ,
        kind="pre_cases.parcours",
        data_kind="",
        at__date__gte=OuterRef("starts_on"),
    )
    since = day - timedelta(days=UNOPENED_DAYS)
    lately = Assignment.objects.filter(in_force(day), ~Exists(readings), parcours=OuterRef("pk"), starts_on__gte=since)
    return Q(Exists(lately))


def _without_territory(day: date) -> Q:
    from pre_cases.models import Residence

    determined = Residence.objects.filter(in_force(day), child=OuterRef("child"), determined_on__isnull=False)
    return ~Q(Exists(determined))


def _without_class(day: date) -> Q:
    from pre_cases.models import Schooling

    confirmed = Schooling.objects.filter(in_force(day), child=OuterRef("child"), confirmed_on__isnull=False)
    return ~Q(Exists(confirmed))


def _without_objective(day: date) -> Q:
    from pre_cases.models import Objective

    return Q(entered_on__isnull=False) & ~Q(Exists(Objective.objects.filter(parcours=OuterRef("pk"))))


def _incomplete(day: date) -> Q:
    """Something that the programme counts is not filled in: sex, territory, confirmed class, or an objective."""
    return Q(child__sex="") | _without_territory(day) | _without_class(day) | _without_objective(day)


def _on_agenda(day: date) -> Q:
    """On the agenda of a session of the EPRE that has not examined it yet."""
    from pre_cases.models import EpreItem

    return Q(Exists(EpreItem.objects.filter(on_agenda(day), parcours=OuterRef("pk"))))


def _to_ratify(day: date) -> Q:
    """An urgent one, entered on the coordination's decision, that no EPRE has ratified."""
    from pre_cases.models import EpreDecision, EpreItem

    decided = EpreItem.objects.filter(parcours=OuterRef("pk"), decision=EpreDecision.ENTRY, decided_on__lte=day)
    return Q(saisine__is_urgent=True, entered_on__lte=day) & ~Q(Exists(decided))


def _opposed(day: date) -> Q:
    """A holder of authority has objected, or withdrawn, and the coordination has not settled it."""
    from pre_cases.models import AgreementHolder

    return Q(Exists(AgreementHolder.objects.objecting().filter(agreement=OuterRef("agreement"))))


def _agreement_ending(day: date) -> Q:
    """Its last day comes within ``AGREEMENT_REMINDER_DAYS``, or has passed."""
    return Q(agreement__agreed_until_on__lte=day + timedelta(days=settings.AGREEMENT_REMINDER_DAYS + 1))


def _coming_of_age(day: date) -> Q:
    """The day's round has found the 18th birthday near, and nobody has dealt with it: the birth date is encrypted."""
    from pre_cases.models import ReminderKind, Task

    reminders = Task.objects.open().filter(parcours=OuterRef("pk"), reminder=ReminderKind.MAJORITY)
    return Q(Exists(reminders))


def _suspended(day: date) -> Q:
    from pre_cases.models import Suspension

    return Q(Exists(Suspension.objects.current(day).filter(parcours=OuterRef("pk"))))


CONDITIONS: dict[ParcoursFlag, Callable[[date], Q]] = {
    ParcoursFlag.LATE: lambda day: Q(due_on__lt=day),
    ParcoursFlag.THIS_WEEK: lambda day: Q(due_on__gte=day, due_on__lt=day + timedelta(days=7)),
    ParcoursFlag.DIAGNOSIS: lambda day: Q(entered_on__isnull=True) | Q(entered_on__gt=day),
    ParcoursFlag.TO_RATIFY: _to_ratify,
    ParcoursFlag.REVIEW_DUE: _review_due,
    ParcoursFlag.SILENT: _silent,
    ParcoursFlag.INCOMPLETE: _incomplete,
    ParcoursFlag.NO_REFERENT: _without_referent,
    ParcoursFlag.NO_REVIEW: _without_review,
    ParcoursFlag.TO_CLOSE: lambda day: Q(bilan__isnull=False),
    ParcoursFlag.UNOPENED: _unopened,
    ParcoursFlag.NO_SEX: lambda day: Q(child__sex=""),
    ParcoursFlag.NO_TERRITORY: _without_territory,
    ParcoursFlag.NO_CLASS: _without_class,
    ParcoursFlag.NO_OBJECTIVE: _without_objective,
    ParcoursFlag.OPPOSED: _opposed,
    ParcoursFlag.AGREEMENT_ENDING: _agreement_ending,
    ParcoursFlag.COMING_OF_AGE: _coming_of_age,
    ParcoursFlag.SUSPENDED: _suspended,
}
# what makes a parcours incomplete before the annual statistics, one by one
LACKS = (ParcoursFlag.NO_SEX, ParcoursFlag.NO_TERRITORY, ParcoursFlag.NO_CLASS, ParcoursFlag.NO_OBJECTIVE)


CARRYING = ("followed_by", "stood_in_by", "coordinated_by")


class ParcoursQuerySet(models.QuerySet["Parcours"]):
    def open(self) -> ParcoursQuerySet:
        return self.filter(closed_on__isnull=True)

    def closed(self) -> ParcoursQuerySet:
        return self.filter(closed_on__isnull=False)

    def in_team(self, team_id: int) -> ParcoursQuerySet:
        return self.filter(team_id=team_id)

    def with_stage(self, on: date | None = None) -> ParcoursQuerySet:
        """Annotate where each parcours stood on a day (today by default); the first fact that matches wins."""
        day = on or timezone.localdate()
        return self.annotate(
            stage_code=Case(
                When(closed_on__lte=day, then=Value(ParcoursStage.CLOSED.value)),
                When(CONDITIONS[ParcoursFlag.DIAGNOSIS](day) & _on_agenda(day), then=Value(ParcoursStage.EPRE.value)),
                When(CONDITIONS[ParcoursFlag.SUSPENDED](day), then=Value(ParcoursStage.SUSPENDED.value)),
                When(CONDITIONS[ParcoursFlag.DIAGNOSIS](day), then=Value(ParcoursStage.DIAGNOSIS.value)),
                When(CONDITIONS[ParcoursFlag.REVIEW_DUE](day), then=Value(ParcoursStage.REVIEW_DUE.value)),
                default=Value(ParcoursStage.RUNNING.value),
                output_field=models.CharField(),
            )
        )

    def at_stage(self, stage: ParcoursStage, on: date | None = None) -> ParcoursQuerySet:
        return self.with_stage(on).filter(Q(stage_code=stage.value))

    def with_card(self, on: date | None = None) -> ParcoursQuerySet:
        """Everything that a row or a banner shows, in the same query: child, school, class and référent of a day.

        Between two school years (July, August) the class is that of the year that ends.
        """
        from pre_cases.models import Assignment, Schooling

        day = on or timezone.localdate()
        schooling = Schooling.objects.filter(child=OuterRef("child"), starts_on__lte=day).order_by("-starts_on")
        assignment = Assignment.objects.filter(in_force(day), parcours=OuterRef("pk"))
        referent_name = Concat("referent__first_name", Value(" "), "referent__last_name")
        return (
            self.with_stage(day)
            .select_related("child", "team")
            .annotate(
                school_name=Subquery(schooling.values("school__name")[:1]),
                level_label=Subquery(schooling.values("level__label")[:1]),
                referent_id=Subquery(assignment.values("referent")[:1]),
                referent_name=Subquery(assignment.values(name=referent_name)[:1]),
            )
        )

    def with_page(self, on: date | None = None) -> ParcoursQuerySet:
        """Everything that the page of one parcours shows beside its timeline."""
        from pre_cases.models import (
            AccessRequest,
            Action,
            ChildAdult,
            Enrolment,
            ExceptionalAccess,
            HandOver,
            Objective,
            ParcoursShare,
            Task,
        )

        day = on or timezone.localdate()
        actions = Action.objects.select_related("domain", "partner").order_by("starts_on", "id")
        objectives = Objective.objects.select_related("domain", "priority").order_by("set_on", "id")
        enrolments = Enrolment.objects.current(day).select_related("project__organisation")
        return (
            self.with_card(day)
            .select_related("child__family", "agreement", "saisine__source", "exit_reason", "bilan")
            .prefetch_related(
                Prefetch("objectives", objectives.prefetch_related(Prefetch("actions", actions))),
                Prefetch("tasks", Task.objects.open().select_related("assignee").order_by("due_on", "id")),
                Prefetch("enrolments", enrolments, to_attr="current_enrolments"),
                Prefetch(
                    "shares", ParcoursShare.objects.in_force(day).select_related("user"), to_attr="current_shares"
                ),
                Prefetch(
                    "exceptional_accesses",
                    ExceptionalAccess.objects.in_force().select_related("user", "membership__team"),
                    to_attr="current_exceptional",
                ),
                Prefetch(
                    "access_requests",
                    AccessRequest.objects.pending().select_related("asked_by"),
                    to_attr="pending_requests",
                ),
                Prefetch(
                    "hand_overs",
                    HandOver.objects.pending().select_related("to_referent", "from_referent"),
                    to_attr="pending_hand_overs",
                ),
                Prefetch(
                    "child__adult_links",
                    ChildAdult.objects.current(day).select_related("adult"),
                    to_attr="adults_around",
                ),
            )
        )

    # -- adjectives: each reads its condition, so that a tile counts exactly what its list shows -------------------

    def flagged(self, flag: ParcoursFlag, on: date | None = None) -> ParcoursQuerySet:
        return self.filter(CONDITIONS[flag](on or timezone.localdate()))

    def late(self, on: date | None = None) -> ParcoursQuerySet:
        return self.flagged(ParcoursFlag.LATE, on)

    def without_referent(self, on: date | None = None) -> ParcoursQuerySet:
        return self.flagged(ParcoursFlag.NO_REFERENT, on)

    def assigned_to(self, referent_id: int, on: date | None = None) -> ParcoursQuerySet:
        from pre_cases.models import Assignment

        return self.filter(pk__in=Assignment.objects.current(on).filter(referent=referent_id).values("parcours"))

    def unassigned(self, on: date | None = None) -> ParcoursQuerySet:
        """Given to nobody today."""
        from pre_cases.models import Assignment

        return self.exclude(pk__in=Assignment.objects.current(on).values("parcours"))

    # -- scopes ---------------------------------------------------------------------------------------------------

    def followed_by(self, user: User) -> ParcoursQuerySet:
        """*Mes parcours*: those assigned today to the person, in teams where the person is a référent."""
        return self.assigned_to(user.pk).filter(team_id__in=user.standing.team_ids(Role.REFERENT))

    def stood_in_by(self, user: User) -> ParcoursQuerySet:
        """*Remplacements*: open ones of the référents whom the person replaces today, in the team of each."""
        return self.open().filter(user.replaced("assignments__referent", "team"), in_force(None, "assignments__"))

    def coordinated_by(self, user: User) -> ParcoursQuerySet:
        return self.filter(team_id__in=user.standing.team_ids(Role.COORDINATOR))

    def carried_by(self, user: User) -> ParcoursQuerySet:
        """For one record: those the person follows, replaces or coordinates, without what is only opened to read."""
        return self.filter(self._reached(user, *CARRYING))

    def shared_with(self, user: User) -> ParcoursQuerySet:
        """*Partagés avec moi*: an unrevoked share holds today, and the membership under which it was made too; the
        family's agreement as well, without a holder's objection.
        """
        from pre_cases.models import AgreementHolder

        mine = [membership.pk for membership in user.standing.memberships if membership.team_id is not None]
        held = Q(shares__user=user, shares__revoked_at__isnull=True, shares__membership__in=mine)
        agreed = Q(agreement__agreed_until_on__isnull=True) | Q(agreement__agreed_until_on__gt=timezone.localdate())
        opposed = AgreementHolder.objects.objecting().filter(agreement=OuterRef("agreement"))
        return self.open().filter(in_force(None, "shares__"), held, agreed).filter(~Exists(opposed))

    def exceptionally_opened_to(self, user: User) -> ParcoursQuerySet:
        """Opened less than 24 hours ago to a coordinator of another team."""
        from pre_cases.models import ExceptionalAccess

        return self.open().filter(pk__in=ExceptionalAccess.objects.held_by(user).values("content_object"))

    def listed_to(self, user: User) -> ParcoursQuerySet:
        """The limited card (first name, référent, team) of every open parcours of the teams where one is a référent."""
        return self.open().filter(team_id__in=user.standing.team_ids(Role.REFERENT, Role.COORDINATOR))

    def _reached(self, user: User, *scopes: str) -> Q:
        reached = Q(pk__in=[])
        for scope in scopes:
            reached |= Q(Exists(getattr(self.model.objects, scope)(user).filter(pk=OuterRef("pk"))))
        return reached

    def visible_to(self, user: User) -> ParcoursQuerySet:
        """For one record, never for a list."""
        return self.filter(self._reached(user, *CARRYING, "shared_with", "exceptionally_opened_to"))

    def editable_by(self, user: User) -> ParcoursQuerySet:
        """For one record: the référent while assigned, who replaces, the coordination; until the closing is saved."""
        return self.open().filter(self._reached(user, *CARRYING))

    def decidable_by(self, user: User) -> ParcoursQuerySet:
        """Assigning, deciding the entry, closing, reopening: the coordination of the team."""
        return self.coordinated_by(user)


class ActionQuerySet(ParcoursRecordQuerySet["Action"]):
    path = "objective__parcours"
