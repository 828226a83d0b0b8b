"""Who read a file: the readings that the journal holds, day by day, each with the right under which it was made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, TextField
from django.db.models.functions import Cast, TruncDate
from django.utils import timezone

from audit.journal.models import Action, Event
from pre_cases.models import Child, ExceptionalAccess, Parcours, ParcoursShare, Saisine
from referents.days import day
from referents.events import kind_label
from referents.models import Membership, Role, Team, User

WINDOW = timedelta(days=31)  # how much of the journal one page looks through
OPENED = {
    Action.READ: "consultation",
    Action.PRINT: "impression",
    Action.EXPORT: "export",
    Action.DOWNLOAD: "téléchargement",
}
SEEN = (Action.LIST, Action.SEARCH)
PARTS = {"card": "fiche limitée", "readings": "relevé des lectures", "history": "historique"}
FILES = {model._meta.label_lower for model in (Parcours, Saisine, Child)}


@dataclass
class Reading:
    """What one person read of the file on one day, under one right."""

    on: date
    reader: str
    right: str
    is_outside: bool  # by nobody of the team, and without a share, a replacement or an exceptional access
    acts: list[str] = field(default_factory=list)


def readings_of(parcours: Parcours, *, until: date) -> list[Reading]:
    """The readings of the file in the ``WINDOW`` that ends on a day, the latest first; seven queries at most.

    The file is the parcours, the saisine that opened it and, until it closed, the child; the name of the child in a
    list is a reading too, said as such.
    """
    inside = events_between(until - WINDOW + timedelta(days=1), until)
    of_the_child = Q(subject_id=parcours.child_id)
    if parcours.closed_on is not None:  # what is read of the child later is another parcours
        of_the_child &= Q(at__lt=_midnight_after(parcours.closed_on))
    about = inside.filter(Q(subject_id__in=[parcours.pk, parcours.saisine_id]) | of_the_child, action__in=OPENED)
    rows = [*_by_day(about), *_by_day(_seen_in_lists(inside, parcours))]
    words = _Words(parcours, rows)
    found: dict[tuple[Any, ...], Reading] = {}
    for row in sorted(rows, key=lambda row: (row["on"], row["last"]), reverse=True):
        key = row["on"], row["actor_id"], row["role"], row["team_id"], row["acting_for_id"]
        found.setdefault(key, words.reading(row)).acts.append(_act(row))
    return list(found.values())


def events_between(first: date, last: date) -> QuerySet[Event]:
    """The events of some days of Paris, both included."""
    return Event.objects.filter(at__gte=_midnight_after(first - timedelta(days=1)), at__lt=_midnight_after(last))


def _midnight_after(on: date) -> datetime:
    """The end of a day in Paris."""
    return timezone.make_aware(datetime.combine(on + timedelta(days=1), time.min))


def _seen_in_lists(events: QuerySet[Event], parcours: Parcours) -> QuerySet[Event]:
    """Pages of lists and of searches that showed it: those of its team, or of several, which an index finds."""
    lists = events.filter(
        Q(subject_team_id=parcours.team_id) | Q(subject_team_id__isnull=True),
        action__in=SEEN,
        kind=Parcours._meta.label_lower,
    )
    return lists.annotate(ids=Cast("record_ids", TextField())).filter(ids__contains=str(parcours.pk))


def _by_day(events: QuerySet[Event]) -> list[dict[str, Any]]:
    grouped = events.order_by().annotate(on=TruncDate("at"))
    columns = ("on", "actor_id", "role", "team_id", "acting_for_id", "action", "kind", "data_kind")
    return list(grouped.values(*columns).annotate(times=Count("pk"), last=Max("at")))


def _act(row: dict[str, Any]) -> str:
    """« consultation (3 fois) », « téléchargement : document », « nom vu dans une liste »."""
    if row["action"] in SEEN:
        return "nom et classe, dans une liste"
    what = OPENED[row["action"]]
    if row["data_kind"] in PARTS:
        what = PARTS[row["data_kind"]]
    elif row["kind"] not in FILES:
        what = f"{what} : {kind_label(row['kind'])}"
    return f"{what} ({row['times']} fois)" if row["times"] > 1 else what


class _Words:
    """Names, teams and rights of the people of some rows, read once for all of them."""

    def __init__(self, parcours: Parcours, rows: list[dict[str, Any]]) -> None:
        self.parcours = parcours
        accounts = {row[name] for row in rows for name in ("actor_id", "acting_for_id")} - {None}
        self.people = User.objects.in_bulk(accounts)
        self.teams = Team.objects.in_bulk({row["team_id"] for row in rows} - {None})
        self.shares: dict[int, list[ParcoursShare]] = defaultdict(list)
        for share in ParcoursShare.objects.filter(content_object=parcours, user__in=accounts):
            self.shares[share.user_id].append(share)
        self.exceptional: dict[int, list[ExceptionalAccess]] = defaultdict(list)
        for access in ExceptionalAccess.objects.filter(content_object=parcours, user__in=accounts):
            self.exceptional[access.user_id].append(access)
        self.memberships: dict[int, list[Membership]] = defaultdict(list)
        for membership in Membership.objects.filter(team=parcours.team_id, user__in=accounts):
            self.memberships[membership.user_id].append(membership)

    def reading(self, row: dict[str, Any]) -> Reading:
        right = next(self._rights(row), "")
        of_the_team = any(
            held.starts_on <= row["on"] and (held.ends_on is None or row["on"] < held.ends_on)
            for held in self.memberships[row["actor_id"]]
        )
        role = str(dict(Role.choices).get(row["role"], ""))
        team = self.teams.get(row["team_id"])
        capacity = ", ".join(word for word in (role, team.name if team else "") if word)
        words = " · ".join(word for word in (capacity, right) if word)
        return Reading(row["on"], self.name(row["actor_id"]), words, is_outside=not right and not of_the_team)

    def name(self, account_id: int | None) -> str:
        person = self.people.get(account_id) if account_id is not None else None
        return person.get_full_name() if person else "Marelle"

    def _rights(self, row: dict[str, Any]) -> Iterator[str]:
        """What opened it beside one's own role: a replacement, an exceptional access, a share."""
        if row["acting_for_id"] is not None:
            yield f"en remplacement de {self.name(row['acting_for_id'])}"
        on = row["on"]
        for access in self.exceptional[row["actor_id"]]:
            if timezone.localdate(access.granted_at) <= on <= timezone.localdate(access.ends_at):
                yield f"accès exceptionnel du {day(timezone.localdate(access.granted_at))}"
        for share in self.shares[row["actor_id"]]:
            ended_on = timezone.localdate(share.revoked_at) if share.revoked_at else share.last_day
            if share.starts_on <= on <= ended_on:
                yield f"partage : {share.reason}"
