"""Every table of one period, exact for a team's coordination, protected for the programme."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.utils import timezone

from audit.disclosure.cells import Judged, ProtectedTable, Reference, Relation, Status, difference
from audit.disclosure.suppression import protect
from pre_cases.statistics.children import children
from pre_cases.statistics.extent import Extent, programme_extent, team_extent
from pre_cases.statistics.identity import read_identities
from pre_cases.statistics.means import means
from pre_cases.statistics.movement import durations, evaluations, exits, movement, parcours_movement, passages
from pre_cases.statistics.period import Period
from pre_cases.statistics.population import read_population
from pre_cases.statistics.projects import projects
from pre_cases.statistics.residence import read_residences
from pre_cases.statistics.saisines import saisines
from pre_cases.statistics.schooling import read_schooling
from pre_cases.statistics.schools import schools
from pre_cases.statistics.support import actions, objectives, signs
from pre_cases.statistics.tables import Figures, Spec
from referents.models import Team

Progress = Callable[[int, str], None]  # from 0 to 100, and what is being done, in French

FOLLOWED = Reference("movement", "children")
PARCOURS = Reference("parcours_movement", "parcours")
EXITS = Reference("exits", "children")
CLOSED = Reference("duration_closed", "parcours")
RUNNING = Reference("duration_running", "parcours")
ARRIVALS = Reference("arrivals", "children")
EVALUATED = Reference("evaluations", "parcours", "entered")
MULTIPLE = (
    "signs_heading",
    "signs",
    "actions_domain",
    "actions_mode",
    "actions_nature",
    "actions_time_slot",
    "actions_partner",
)

# What a reader obtains by adding and subtracting totals: the last name is the one that yields.
RELATIONS = (
    difference(FOLLOWED, PARCOURS),  # returns inside the period
    difference(FOLLOWED, EXITS),  # present at the end
    difference(FOLLOWED, RUNNING),  # exits
    difference(FOLLOWED, ARRIVALS),  # present at the start
    difference(FOLLOWED, Reference("parcours_movement", "parcours", "start")),  # arrivals
    difference(EXITS, CLOSED),  # returns inside the period
    difference(PARCOURS, CLOSED),  # running at the end
    difference(PARCOURS, RUNNING),  # closed
    difference(PARCOURS, EVALUATED),  # running at the start
    difference(ARRIVALS, EVALUATED),  # returns inside the period
    Relation(((1, EVALUATED), (-1, CLOSED), (1, EXITS)), EVALUATED),  # arrivals
    *(difference(FOLLOWED, Reference(code, "children")) for code in MULTIPLE),  # nothing recorded
    difference(Reference("saisine_source", "saisines"), Reference("saisine_signs_heading", "saisines")),
    difference(Reference("saisine_source", "saisines"), Reference("saisine_signs", "saisines")),
    difference(Reference("enrolments", "children"), Reference("enrolments", "enrolments")),  # several places
)


@dataclass(frozen=True)
class Report:
    """Judged tables of one period, as known on the day of the extraction."""

    period: Period
    extent: Extent
    extracted_on: date
    threshold: int
    specs: tuple[Spec, ...]
    tables: tuple[ProtectedTable, ...]

    def __iter__(self) -> Iterator[tuple[Spec, ProtectedTable]]:
        return iter(zip(self.specs, self.tables, strict=True))

    @property
    def suppressed(self) -> int:
        """How many cells are suppressed in all."""
        return sum(table.suppressed for table in self.tables)


def figures(period: Period, extent: Extent, progress: Progress = lambda percent, step: None) -> list[Figures]:
    """Every table, exact. Holds one line of codes per followed child in memory, and nothing of it afterwards."""
    progress(0, "Lecture des parcours")
    population = read_population(period, extent)
    progress(10, "Lecture des âges")
    read_identities(population, lambda share: progress(10 + int(40 * share), "Lecture des âges"))
    progress(50, "Lecture des scolarités et des résidences")
    read_schooling(population)
    read_residences(population)
    progress(65, "Enfants et parcours")
    tables = [
        *movement(population),
        *([] if extent.team_id is None else [passages(population)]),
        *children(population),
        parcours_movement(population),
        evaluations(population),
        exits(population),
        *durations(population),
    ]
    progress(75, "Objectifs, actions et signes")
    tables += [*signs(population), *objectives(population), *actions(population)]
    progress(90, "Saisines, projets et écoles")
    tables += [*saisines(period, extent), *projects(period, extent), *means(period, extent), *schools(population)]
    return tables


def protected_report(period: Period, progress: Progress = lambda percent, step: None) -> Report:
    """The programme's figures as they may leave: Paris and arrondissements, small tables hidden below their total."""
    extent = programme_extent()
    counted = figures(period, extent, progress)
    progress(95, "Protection des petits effectifs")
    judged = protect([table.as_table(extent.top) for table in counted], RELATIONS)
    return _report(period, extent, counted, judged)


def exact_report(period: Period, team: Team) -> Report:
    """The figures of one team, nothing hidden: for its coordination, on the screen."""
    extent = team_extent(team)
    counted = figures(period, extent)
    shown = [
        ProtectedTable(table.as_table(extent.top), tuple(Judged(cell, Status.PUBLISHED) for cell in table.cells))
        for table in counted
    ]
    return _report(period, extent, counted, shown)


def _report(period: Period, extent: Extent, counted: list[Figures], judged: list[ProtectedTable]) -> Report:
    return Report(
        period,
        extent,
        timezone.localdate(),
        settings.STATISTICS_THRESHOLD,
        tuple(table.spec for table in counted),
        tuple(judged),
    )
