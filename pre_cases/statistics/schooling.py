"""Class and school of each followed child on the reference day, and at the entry: confirmed facts only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from typing import NamedTuple

from partners.models import SchoolPriorityStatus
from partners.models.project import school_year_of
from partners.models.school import PriorityStatus
from pre_cases.models import Schooling
from pre_cases.statistics.population import CHUNK, Population
from pre_cases.statistics.tables import UNKNOWN, term_code

NO_LABEL = "none"
SUMMER = (7, 8)


class Year(NamedTuple):
    """One confirmed schooling, half-open."""

    starts_on: date
    ends_on: date
    school_year: int
    level_id: str
    in_ulis: bool
    in_upe2a: bool
    school_id: int | None


Labels = dict[int, list[tuple[date, date | None, str]]]


def read_schooling(population: Population) -> None:
    """Fill in level, support, school status at the reference day, and the school at the entry."""
    period = population.period
    labels = priority_labels(period.ends_on)
    rows = (
        Schooling.objects.filter(
            child__in=population.child_ids(), confirmed_on__isnull=False, starts_on__lte=period.ends_on
        )
        .order_by("child_id", "starts_on")
        .values_list("child_id", *Year._fields)
    )
    for child_id, group in groupby(rows.iterator(chunk_size=CHUNK), key=lambda row: row[0]):
        child = population.children.get(child_id)
        if child is None:
            continue
        years = [Year(*row[1:]) for row in group]
        day = child.reference_day(period)
        year = schooling_on(years, day) or _last_known(years, period.starts_on, day)
        if year is not None:
            child.level = term_code(year.level_id)
            child.support = _support(year)
            child.school_status = label_on(labels, year.school_id, day)
        entry = child.last.entered_on
        at_entry = schooling_on(years, entry)
        child.label_at_entry = UNKNOWN if at_entry is None else label_on(labels, at_entry.school_id, entry)


def schooling_on(years: Sequence[Year], day: date) -> Year | None:
    """The schooling in force on a day; July and August belong to the school year that began in September."""
    current = [year for year in years if year.starts_on <= day < year.ends_on]
    if not current and day.month in SUMMER:
        current = [year for year in years if year.school_year == school_year_of(day) and year.starts_on <= day]
    return current[-1] if current else None


def _last_known(years: Iterable[Year], first: date, day: date) -> Year | None:
    """The last confirmed one with a day between the start of the period and the reference day."""
    known = [year for year in years if year.starts_on <= day and year.ends_on > first]
    return known[-1] if known else None


def _support(year: Year) -> str:
    if year.in_ulis and year.in_upe2a:
        return "both"
    return "ulis" if year.in_ulis else "upe2a" if year.in_upe2a else NO_LABEL


def priority_labels(until: date) -> Labels:
    """Dated labels of the éducation prioritaire by school, each under the label of today that it counts as."""
    labels: Labels = defaultdict(list)
    facts = SchoolPriorityStatus.objects.lasting().filter(starts_on__lte=until).order_by("school_id", "starts_on")
    for school_id, starts_on, ends_on, status in facts.values_list("school_id", "starts_on", "ends_on", "status"):
        labels[school_id].append((starts_on, ends_on, PriorityStatus(status).rollup.value))
    return labels


def label_on(labels: Labels, school_id: int | None, day: date) -> str:
    """REP+, REP or none for a school on a day; not filled in when the school is not known."""
    if school_id is None:
        return UNKNOWN
    held = {label for start, end, label in labels.get(school_id, ()) if start <= day and (end is None or day < end)}
    if PriorityStatus.REP_PLUS in held:
        return PriorityStatus.REP_PLUS.value
    return PriorityStatus.REP.value if held else NO_LABEL
