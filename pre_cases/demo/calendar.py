"""When invented children enter and leave: the counts of the programme, met exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from dateutil.relativedelta import relativedelta

from partners.models.project import school_year_of
from pre_cases.demo.names import day_between, weighted

PROGRAMME_BEGAN = date(2007, 10, 1)
PERIOD = (PROGRAMME_BEGAN, date(2014, 6, 30))
YEAR_2014 = (date(2014, 1, 1), date(2014, 12, 31))
# Entries follow the school year: many after the autumn meetings, hardly any in summer.
SEASON = {1: 11, 2: 9, 3: 10, 4: 7, 5: 8, 6: 7, 7: 2, 8: 0, 9: 6, 10: 13, 11: 15, 12: 12}
DURATION_MONTHS = {(1, 5): 6, (6, 11): 14, (12, 15): 34, (16, 19): 30, (20, 24): 11, (25, 30): 5}
RE_ENTRY = 0.05
BOTH_PERIODS = 1_100 / 1_400  # the share of the children of 2014 who were followed before its second half


@dataclass(frozen=True)
class Targets:
    """Distinct children to be followed: from October 2007 to June 2014, during 2014, and this school year."""

    since_2007: int = 4_500
    in_2014: int = 1_400
    this_year: int = 1_400

    def scaled(self, share: float) -> Targets:
        """The same city, smaller: for tests that need no volume."""
        return Targets(round(self.since_2007 * share), round(self.in_2014 * share), round(self.this_year * share))


@dataclass
class Stay:
    """One parcours to be: every step from the saisine to the last day followed, in order.

    ``entered_on`` is None while (or when) there is only an evaluation; ``closed_on`` is None while it lasts.
    """

    received_on: date
    presented_on: date
    signed_on: date
    opened_on: date
    entered_on: date | None
    closed_on: date | None

    def last_day(self, today: date) -> date:
        return self.closed_on or today


@dataclass
class Timeline:
    """The stays of one child, and the day at which the child's age is drawn."""

    stays: list[Stay] = field(default_factory=list)
    reference_on: date = PROGRAMME_BEGAN

    def followed(self, period: tuple[date, date]) -> bool:
        first, last = period
        return any(
            stay.entered_on is not None
            and stay.entered_on <= last
            and (stay.closed_on is None or stay.closed_on >= first)
            for stay in self.stays
        )


def this_school_year(today: date) -> tuple[date, date]:
    return date(school_year_of(today), 9, 1), today


def past_timelines(rng: Random, since_2007: int, in_2014: int) -> list[Timeline]:
    """Timelines that give exactly these two counts of distinct children, whose periods overlap."""
    both = min(round(in_2014 * BOTH_PERIODS), since_2007)
    wanted = {(True, False): since_2007 - both, (True, True): both, (False, True): in_2014 - both}
    months = list(months_between(PROGRAMME_BEGAN, YEAR_2014[1]))
    # the programme grew during its first years
    weights = [SEASON[month.month] * min(1.0, 0.6 + 0.13 * (month.year - 2007)) for month in months]
    timelines = []
    while any(wanted.values()):
        month = rng.choices(months, weights=weights)[0]
        timeline = drawn(rng, month, horizon=date.max, latest_entry=YEAR_2014[1])
        kind = (timeline.followed(PERIOD), timeline.followed(YEAR_2014))
        if wanted.get(kind):
            wanted[kind] -= 1
            end = YEAR_2014[1] if kind[1] else PERIOD[1]
            timeline.reference_on = min(end, timeline.stays[-1].closed_on or end)
            timelines.append(timeline)
    return sorted(timelines, key=lambda timeline: timeline.stays[0].opened_on)


def current_timelines(rng: Random, today: date, followed: int) -> list[Timeline]:
    """Timelines of exactly so many children followed this school year, up to today."""
    period = this_school_year(today)
    months = list(months_between(period[0] - relativedelta(months=30), today))
    weights = [SEASON[month.month] + 1 for month in months]
    timelines: list[Timeline] = []
    while len(timelines) < followed:
        month = rng.choices(months, weights=weights)[0]
        timeline = drawn(rng, month, horizon=today, latest_entry=today)
        if timeline.followed(period):
            timeline.reference_on = timeline.stays[-1].last_day(today)
            timelines.append(timeline)
    return sorted(timelines, key=lambda timeline: timeline.stays[0].opened_on)


def leavers(rng: Random, current: list[Timeline], period: tuple[date, date], followed: int) -> list[Timeline]:
    """Children who left by the end of a period, so that with those of today exactly so many were followed in it."""
    missing = followed - sum(timeline.followed(period) for timeline in current)
    horizon = period[1] + timedelta(days=1)
    months = list(months_between(period[0] - relativedelta(months=18), period[1]))
    weights = [SEASON[month.month] + 1 for month in months]
    timelines: list[Timeline] = []
    while len(timelines) < missing:
        month = rng.choices(months, weights=weights)[0]
        timeline = drawn(rng, month, horizon=horizon, latest_entry=period[1])
        last_day = timeline.stays[-1].closed_on
        if last_day is not None and timeline.followed(period):
            timeline.reference_on = last_day
            timelines.append(timeline)
    return sorted(timelines, key=lambda timeline: timeline.stays[0].opened_on)


def drawn(rng: Random, month: date, *, horizon: date, latest_entry: date) -> Timeline:
    """A child entering in that month, some of them for a second time later; what passes the horizon still lasts."""
    entered_on = day_between(rng, month, min(month + relativedelta(months=1, days=-1), latest_entry))
    timeline = Timeline([stay_from(rng, entered_on, horizon)])
    left_on = timeline.stays[0].closed_on
    if left_on is not None and rng.random() < RE_ENTRY:
        back_on = left_on + timedelta(days=rng.randint(120, 500))
        if back_on <= latest_entry:
            timeline.stays.append(stay_from(rng, back_on, horizon))
    return timeline


def stay_from(rng: Random, entered_on: date, horizon: date) -> Stay:
    low, high = weighted(rng, DURATION_MONTHS)
    end = entered_on + relativedelta(months=rng.randint(low, high), days=rng.randint(0, 27))
    opened_on = entered_on - timedelta(days=rng.randint(7, 42))
    return before(rng, opened_on, entered_on, end if end < horizon else None)


def before(rng: Random, opened_on: date, entered_on: date | None, closed_on: date | None) -> Stay:
    """The steps that lead to an opening: saisine, agreement presented, agreement signed."""
    signed_on = opened_on - timedelta(days=rng.randint(0, 6))
    presented_on = signed_on - timedelta(days=rng.randint(0, 14))
    received_on = presented_on - timedelta(days=rng.randint(2, 18))
    return Stay(received_on, presented_on, signed_on, opened_on, entered_on, closed_on)


def evaluations(rng: Random, today: date, count: int) -> list[Timeline]:
    """Children in evaluation today, some for longer than they should, and a few whose evaluation led nowhere."""
    timelines = []
    for number in range(count):
        if number % 6 == 5:
            opened_on = today - timedelta(days=rng.randint(70, 130))
            stay = before(rng, opened_on, None, opened_on + timedelta(days=rng.randint(20, 50)))
        else:
            stay = before(rng, today - timedelta(days=rng.randint(0, 58)), None, None)
        timelines.append(Timeline([stay], stay.last_day(today)))
    return timelines


def months_between(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month += relativedelta(months=1)
