"""What the erased still count for: years that are over are frozen as known, years that run are added to.

A year is frozen before the first child who counted in it leaves: every table about children, at every place, means and
medians included. From then on its figures are those, whoever leaves or is corrected. In a year that is not over the
erased leave counts, added to the living; means and medians are then those of the living alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.disclosure.cells import Subject
from partners.models import school_year_of
from pre_cases.models import YearlyFacts
from pre_cases.statistics.extent import Extent, team_extent, whole_extent
from pre_cases.statistics.movement import passages
from pre_cases.statistics.period import Period
from pre_cases.statistics.population import read_population
from pre_cases.statistics.tables import SHARE, Figures, Place, Tally
from referents.models import Team

NOT_ABOUT_CHILDREN = {"projects", "project_amounts", "declared", "schools_perimeter"}
NOT_ADDED = {"caseload"}  # of people, each with a load: what a year that runs cannot add

Count = Callable[[Period, Extent], list[Figures]]
Row = list[Any]  # table, place, category, category_2, measure, value


def with_erased(period: Period, extent: Extent, tables: Sequence[Figures]) -> list[Figures]:
    """The tables counted on the living, with what remains of the erased in that very year."""
    facts = YearlyFacts.objects.filter(starts_on=period.starts_on, ends_on=period.ends_on).first()
    if facts is None:
        return list(tables)
    if facts.frozen_at is not None:
        return _frozen(extent, tables, facts.cells)
    return _added(extent, tables, facts.cells)


def years_between(first: date, last: date) -> list[Period]:
    """Every civil and school year with a day between two days, both included."""
    civil = [Period.civil_year(year) for year in range(first.year, last.year + 1)]
    school = range(school_year_of(first), school_year_of(last) + 1)
    return [*civil, *map(Period.school_year, school)]


def frozen_years() -> list[Period]:
    """The years whose figures no longer depend on anybody's file."""
    rows = YearlyFacts.objects.filter(frozen_at__isnull=False)
    return [Period(*days) for days in rows.values_list("starts_on", "ends_on")]


def is_frozen(period: Period) -> bool:
    same = YearlyFacts.objects.filter(starts_on=period.starts_on, ends_on=period.ends_on)
    return same.filter(frozen_at__isnull=False).exists()


def freeze_year(period: Period, count: Count) -> None:
    """Keep the figures of a year as they are known now; a year already frozen stays as it is.

    Whoever leaves a year freezes it first, so that of two runs the first to write has counted everybody.
    """
    if is_frozen(period):
        return
    rows = rows_of(_about_children(period, count))
    with transaction.atomic():
        facts, _ = YearlyFacts.objects.select_for_update().get_or_create(
            starts_on=period.starts_on, ends_on=period.ends_on
        )
        if facts.frozen_at is None:
            facts.cells, facts.frozen_at = rows, timezone.now()
            facts.save()


def counts_by_team(period: Period, count: Count) -> Counter[tuple[str, ...]]:
    """``(table, place, category, category_2, measure)`` of a year that runs, at the teams: what can be subtracted."""
    found: Counter[tuple[str, ...]] = Counter()
    for table in _about_children(period, count):
        if table.spec.subject is Subject.PERSONS and table.spec.code not in NOT_ADDED:
            for cell in table.cells:
                if not cell.base and cell.geography.startswith("team:"):
                    found[(table.spec.code, *cell.key)] += int(cell.value)
    return found


def add_counts(period: Period, rows: Iterable[Row]) -> None:
    """Add what an erased child counted for to a year that runs, inside the transaction that deletes the child."""
    facts, _ = YearlyFacts.objects.select_for_update().get_or_create(starts_on=period.starts_on, ends_on=period.ends_on)
    if facts.frozen_at is not None:  # the year ended meanwhile, and was frozen with this child in it
        return
    sums = Counter({tuple(key): value for *key, value in facts.cells})
    sums.update({tuple(key): value for *key, value in rows})
    facts.cells = [[*key, value] for key, value in sorted(sums.items()) if value]
    facts.save()


def _about_children(period: Period, count: Count) -> list[Figures]:
    """Every table that an erasure may change, at every place."""
    tables = [table for table in count(period, whole_extent()) if table.spec.code not in NOT_ABOUT_CHILDREN]
    for team in Team.objects.order_by("pk"):
        tables.append(passages(read_population(period, team_extent(team))))
    return tables


def rows_of(tables: Iterable[Figures]) -> list[Row]:
    """The cells of some tables; zeros are left out, but the total of each, which says that the table was counted."""
    return [
        [table.spec.code, *cell.key, cell.value if isinstance(cell.value, int) else str(cell.value)]
        for table in tables
        for cell in table.cells
        if cell.value or cell.is_total
    ]


def _frozen(extent: Extent, tables: Sequence[Figures], rows: Iterable[Row]) -> list[Figures]:
    places = set(extent.codes)
    kept: dict[str, dict[Place, int | str]] = {}
    for code, *place, value in rows:
        if place[0] in places:
            kept.setdefault(code, {})[tuple(place)] = value
    return [_restored(table, extent, kept[table.spec.code]) if table.spec.code in kept else table for table in tables]


def _restored(table: Figures, extent: Extent, values: dict[Place, int | str]) -> Figures:
    derived = {measure.code for measure in table.spec.measures if measure.base}
    tally = Tally(table.spec, extent)
    for place, value in values.items():
        if place[3] in derived:
            tally.derived[place] = Decimal(value)
        else:
            tally.counts[place] = int(value)
    return tally.as_counted()


def _added(extent: Extent, tables: Sequence[Figures], rows: Iterable[Row]) -> list[Figures]:
    teams = {f"team:{code}": pk for pk, code in Team.objects.values_list("pk", "code")}
    by_table: dict[str, list[Row]] = {}
    for code, *row in rows:
        by_table.setdefault(code, []).append(row)
    result = []
    for table in tables:
        if table.spec.code not in by_table:
            result.append(table)
            continue
        tally = _tally_of(table, extent)
        for place, category, category_2, measure, value in by_table[table.spec.code]:
            tally.add(teams.get(place, 0), category, category_2, measure=measure, number=value)
        if SHARE in table.spec.measures:
            tally.derived.clear()
            tally.derive_shares()
        result.append(tally.as_counted())
    return result


def _tally_of(table: Figures, extent: Extent) -> Tally:
    tally = Tally(table.spec, extent)
    for cell in table.cells:
        if cell.base:
            tally.derived[cell.key] = Decimal(cell.value)
        elif cell.value:
            tally.counts[cell.key] = int(cell.value)
    return tally
