"""The children followed in a period, and their parcours: read once, in one query, for every table about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import date
from enum import Enum
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from pre_cases.models import Parcours
from pre_cases.statistics.extent import Extent
from pre_cases.statistics.period import Period
from pre_cases.statistics.tables import UNKNOWN

CHUNK = 2000


class Arrival(Enum):
    """How a child came to be followed in the period."""

    PRESENT = "start"
    ENTRY = "entry"
    RE_ENTRY = "re_entry"


@dataclass(slots=True)
class Stay:
    """One parcours followed in the period; ``closed_on`` is its last day, None while it is open."""

    id: UUID
    team_id: int
    opened_on: date
    entered_on: date
    closed_on: date | None
    exit_reason_id: str | None


@dataclass(slots=True)
class FollowedChild:
    """What the figures know of one child: the stays of the period in their order, and codes, never a name."""

    stays: list[Stay] = field(default_factory=list)
    had_earlier: bool = False
    sex: str = UNKNOWN
    age_band: str = UNKNOWN
    level: str = UNKNOWN
    support: str = UNKNOWN
    school_status: str = UNKNOWN
    residence: str = UNKNOWN
    eligibility: str = UNKNOWN
    label_at_entry: str = UNKNOWN

    @property
    def last(self) -> Stay:
        return self.stays[-1]

    @property
    def team_id(self) -> int:
        """The team responsible on the reference day: each child counts in one team, so that teams add up."""
        return self.last.team_id

    def reference_day(self, period: Period) -> date:
        """The last day of the period on which the child was followed."""
        last = self.last.closed_on
        return period.ends_on if last is None else min(period.ends_on, last)

    def arrival(self, period: Period) -> Arrival:
        if self.stays[0].entered_on < period.starts_on:
            return Arrival.PRESENT
        return Arrival.RE_ENTRY if self.had_earlier else Arrival.ENTRY

    def is_present_at_end(self, period: Period) -> bool:
        return self.last.closed_on is None or self.last.closed_on > period.ends_on

    @property
    def was_interrupted(self) -> bool:
        """Out and back inside the period: a parcours closed, then another one begun."""
        return len(self.stays) > 1


@dataclass
class Population:
    """Children of the extent followed in the period, and the stays whose own team is in the extent.

    The two differ for a team: a child who left it for another one is counted there, its parcours here.
    """

    period: Period
    extent: Extent
    children: dict[UUID, FollowedChild] = field(default_factory=dict)
    stays: list[Stay] = field(default_factory=list)
    passed_through: int = 0

    def followed(self) -> QuerySet[Any]:
        """The parcours followed in the period, of every team."""
        return Parcours.objects.filter(self.period.followed()).order_by()

    def reached(self) -> QuerySet[Any]:
        """The parcours of the children whom the extent may count."""
        followed = self.followed()
        if self.extent.team_id is None:
            return followed
        return followed.filter(child__in=self.followed().filter(team=self.extent.team_id).values("child"))

    def child_ids(self) -> QuerySet[Any]:
        """Subquery of the children of ``reached()``."""
        return self.reached().values("child")

    def by_reference_day(self) -> Iterator[tuple[UUID, FollowedChild, date]]:
        for child_id, child in self.children.items():
            yield child_id, child, child.reference_day(self.period)


def read_population(period: Period, extent: Extent) -> Population:
    """Every child followed at least one day of the period; an evaluation without an entry is not followed."""
    population = Population(period, extent)
    earlier = Parcours.objects.filter(child=OuterRef("child"), entered_on__lt=period.starts_on)
    rows = (
        population.reached()
        .annotate(had_earlier=Exists(earlier))
        .order_by("child_id", "entered_on", "id")
        .values_list("child_id", "had_earlier", *(stay.name for stay in fields(Stay)))
    )
    children = population.children
    for child_id, had_earlier, *stay in rows.iterator(chunk_size=CHUNK):
        child = children.get(child_id)
        if child is None:
            child = children[child_id] = FollowedChild(had_earlier=had_earlier)
        child.stays.append(Stay(*stay))
    population.passed_through = len(children)
    population.stays = [s for c in children.values() for s in c.stays if s.team_id in extent.by_team]
    for child_id in [key for key, child in children.items() if child.team_id not in extent.by_team]:
        del children[child_id]
    return population
