"""A small invented programme: two teams in the 18e, one in the 19e, and children made in one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from audit.history import acting_as, system_account
from partners.models import Term
from pre_cases.models import Child, Parcours, StatisticsExport
from pre_cases.services.release import make_export
from pre_cases.statistics.extent import Extent, programme_extent
from pre_cases.statistics.period import Period
from pre_cases.statistics.population import Population, read_population
from pre_cases.statistics.tables import Figures
from referents.models import Team, User
from tests.cast import make_child, make_parcours, make_team

YEAR = Period.civil_year(2014)
LAST_YEAR = Period.civil_year(2025)
PARIS = "paris"
day = partial(date, 2014)


@dataclass
class Programme:
    north: Team = field(default_factory=lambda: make_team("nord", 18))
    south: Team = field(default_factory=lambda: make_team("sud", 18))
    east: Team = field(default_factory=lambda: make_team("est", 19))

    @property
    def extent(self) -> Extent:
        return programme_extent()

    def population(self, period: Period = YEAR) -> Population:
        return read_population(period, self.extent)

    def follow(
        self,
        *stays: tuple[date, date | None],
        team: Team | None = None,
        teams: tuple[Team, ...] = (),
        child: Child | None = None,
        reason: str = "objectifs-atteints",
        **values: Any,
    ) -> Child:
        """A child with one parcours per ``(entered_on, last day or None)``; a team each when ``teams`` is given."""
        child = child or make_child(**values)
        for number, (entered_on, closed_on) in enumerate(stays):
            own = teams[number] if teams else team or self.north
            add_parcours(child, own, entered_on, closed_on, reason)
        return child


def add_parcours(
    child: Child,
    team: Team,
    entered_on: date,
    closed_on: date | None,
    reason: str = "objectifs-atteints",
    **values: Any,
) -> Parcours:
    ending = (
        {}
        if closed_on is None
        else {"closed_on": closed_on, "exit_reason": Term.objects.get(pk=f"exit_reason:{reason}")}
    )
    return make_parcours(team, child=child, opened_on=entered_on, entered_on=entered_on, **ending, **values)


def saved(model: Any, **values: Any) -> Any:
    """A tracked record, signed by the system account."""
    with acting_as(system_account()):
        return model.objects.create(**values)


def column(figures: Figures, geography: str = PARIS, measure: str = "") -> dict[str, Any]:
    """Figures of one geography by category, without the zeros; the total under ``*``."""
    wanted = measure or figures.spec.measures[0].code
    return {
        cell.category if not cell.category_2 else (cell.category, cell.category_2): cell.value
        for cell in figures.cells
        if cell.geography == geography and cell.measure == wanted and cell.value
    }


def released(person: User, period: Period = LAST_YEAR) -> StatisticsExport:
    """A release as the worker makes it."""
    export = StatisticsExport.objects.create(requested_by=person, starts_on=period.starts_on, ends_on=period.ends_on)
    make_export(export_id=export.pk)
    export.refresh_from_db()
    assert export.state == StatisticsExport.State.DONE, export.failure
    return export
