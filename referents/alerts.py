"""What of the journal deserves a look: readings from outside the team, by many files a day, or at odd hours.

An alert asks a question about a day; it measures nobody's work. There is no list of what each person does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay, TruncDate

from audit.journal.models import Action, Event
from referents.models import Membership, Team, User

READINGS = (Action.READ, Action.PRINT, Action.EXPORT, Action.DOWNLOAD)
SUNDAY = 7
SHOWN = 100


class Alert(models.TextChoices):
    """Why a day of somebody's readings is pointed out."""

    OUTSIDE = "hors-equipe", "Lectures par une personne d’une autre équipe"
    VOLUME = "volume", "Nombre inhabituel de situations ouvertes"
    HOURS = "horaires", "Lectures à des heures inhabituelles"


@dataclass(frozen=True)
class Pointed:
    """One person's readings of one day that an alert points out; names and numbers of professionals only."""

    on: date
    actor: str
    actor_id: int
    team: str
    files: int


def pointed_out(events: QuerySet[Event], alert: Alert) -> list[Pointed]:
    """The days that an alert points out among some events, the latest first, a hundred at most; three queries."""
    readings = events.filter(action__in=READINGS, subject_id__isnull=False, actor_id__isnull=False)
    days: QuerySet[Any] = readings.annotate(on=TruncDate("at"))
    found = ALERTS[alert](days).order_by("-on", "actor_id")[:SHOWN]
    rows = list(found.values("on", "actor_id", "team_id", "files"))
    people = User.objects.in_bulk({row["actor_id"] for row in rows})
    teams = Team.objects.in_bulk({row["team_id"] for row in rows} - {None})
    return [
        Pointed(
            on=row["on"],
            actor=people[row["actor_id"]].get_full_name() if row["actor_id"] in people else "",
            actor_id=row["actor_id"],
            team=teams[row["team_id"]].name if row["team_id"] in teams else "",
            files=row["files"],
        )
        for row in rows
    ]


def _by_person(days: QuerySet[Any]) -> Any:
    return days.order_by().values("on", "actor_id", "team_id").annotate(files=Count("subject_id", distinct=True))


def _from_outside(days: QuerySet[Any]) -> Any:
    """Of a file of a team where the reader had no role that day, whatever opened it."""
    held = Membership.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gt=OuterRef("on")),
        user=OuterRef("actor_id"),
        team=OuterRef("subject_team_id"),
        starts_on__lte=OuterRef("on"),
    )
    return _by_person(days.filter(~Exists(held), subject_team_id__isnull=False))


def _by_many(days: QuerySet[Any]) -> Any:
    """More files opened in a day than ``UNUSUAL_FILES_A_DAY``."""
    return _by_person(days).filter(files__gte=settings.UNUSUAL_FILES_A_DAY)


def _at_odd_hours(days: QuerySet[Any]) -> Any:
    """Before or after ``USUAL_HOURS``, or on a Sunday, in Paris."""
    first, last = settings.USUAL_HOURS
    hours = days.annotate(hour=ExtractHour("at"), weekday=ExtractIsoWeekDay("at"))
    return _by_person(hours.filter(Q(hour__lt=first) | Q(hour__gte=last) | Q(weekday=SUNDAY)))


ALERTS = {Alert.OUTSIDE: _from_outside, Alert.VOLUME: _by_many, Alert.HOURS: _at_odd_hours}
