"""Every table of one period, exact for a team's coordination, protected for the programme."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.conf import settings
from django.utils import timezone

from audit.disclosure.cells import TOTAL, Judged, ProtectedTable, Reference, Relation, Status, Subject, difference
from audit.disclosure.suppression import protect
from pre_cases.statistics.children import children
from pre_cases.statistics.extent import Extent, programme_extent, team_extent
from pre_cases.statistics.identity import read_identities
from pre_cases.statistics.means import means
from pre_cases.statistics.movement import durations, evaluations, exits, movement, parcours_movement, passages
from pre_cases.statistics.period import Period
from pre_cases.statistics.population import read_population
from pre_cases.statistics.projects import projects
from pre_cases.statistics.remaining import with_erased
from pre_cases.statistics.residence import read_residences
from pre_cases.statistics.saisines import saisines
from pre_cases.statistics.schooling import read_schooling
from pre_cases.statistics.schools import schools
from pre_cases.statistics.support import actions, objectives, sign_headings, signs
from pre_cases.statistics.tables import UNKNOWN, Figures, Spec
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

NOT_ALWAYS_SAID = ("actions_time_slot", "actions_partner")
HEADINGS = {"signs": "signs_heading", "saisine_signs": "saisine_signs_heading"}

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
    # actions without this column
    *(difference(Reference("actions_domain", "children"), Reference(code, "children")) for code in NOT_ALWAYS_SAID),
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
    """Every table, exact, with what remains of the erased (``statistics.remaining``)."""
    return with_erased(period, extent, _living(period, extent, progress))


def _living(period: Period, extent: Extent, progress: Progress) -> list[Figures]:
    """Holds one line of codes per followed child in memory, and nothing of it afterwards."""
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
    judged = protect([table.as_table(extent.top) for table in counted], relations_between(counted))
    kept = [_without_rare(table.spec, protected) for table, protected in zip(counted, judged, strict=True)]
    return _report(period, extent, counted, kept)


def relations_between(counted: Sequence[Figures]) -> tuple[Relation, ...]:
    """The relations declared, and those of the categories that overlap, in one table and from one table to another."""
    found = list(RELATIONS)
    parents = sign_headings()
    for table in counted:
        code, values = table.spec.code, _values_of(table)
        if not table.spec.adds_up and table.spec.subject is Subject.PERSONS:
            found += _overlaps(code, values)
        if code in HEADINGS:  # the other signs of the heading
            nested = [(m, value, parents[value]) for m, value in values if parents[value] != value]
            found += [
                difference(Reference(HEADINGS[code], m, top), Reference(code, m, value)) for m, value, top in nested
            ]
        if code == "enrolments":  # several places in one domain
            domains = dict.fromkeys(value for _, value in values)
            found += [difference(Reference(code, "children", d), Reference(code, "enrolments", d)) for d in domains]
    return tuple(found)


def _overlaps(table: str, values: Sequence[tuple[str, str]]) -> Iterator[Relation]:
    """Those who stand outside a value, and those who hold both when there are two values only."""
    for measure, value in values:
        yield difference(Reference(table, measure), Reference(table, measure, value))
    for measure in dict.fromkeys(measure for measure, _ in values):
        held = [Reference(table, measure, value) for other, value in values if other == measure]
        if len(held) == 2:
            yield Relation(((1, held[0]), (1, held[1]), (-1, Reference(table, measure))), held[1])


def _values_of(table: Figures) -> list[tuple[str, str]]:
    """(measure, category) of the counts of a one-way table, but its total and what is not filled in."""
    counts = (cell for cell in table.cells if not cell.base and cell.category not in (TOTAL, UNKNOWN))
    return list(dict.fromkeys((cell.measure, cell.category) for cell in counts))


def _without_rare(spec: Spec, protected: ProtectedTable) -> ProtectedTable:
    """A suppressed table without the categories that appear only when somebody stands in them."""
    if not protected.suppressed:
        return protected
    first, second = (
        {category.code for category in variable.categories if category.only_if_counted} if variable else set()
        for variable in (spec.variable, spec.variable_2)
    )
    kept = (j for j in protected.judged if j.cell.category not in first and j.cell.category_2 not in second)
    return replace(protected, judged=tuple(kept))


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
