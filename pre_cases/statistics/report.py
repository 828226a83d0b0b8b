"""Every table of one period, exact for a team's coordination, protected for the programme."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from audit.disclosure.cells import TOTAL, Cell, Judged, Status, Subject
from audit.disclosure.certificate import commitment
from pre_cases.statistics.children import children
from pre_cases.statistics.crossing import movement_tie
from pre_cases.statistics.extent import PARIS, Extent, programme_extent, team_extent, whole_extent
from pre_cases.statistics.identity import read_identities
from pre_cases.statistics.means import means
from pre_cases.statistics.movement import durations, evaluations, exits, movement, parcours_movement, passages
from pre_cases.statistics.period import Period
from pre_cases.statistics.population import read_population
from pre_cases.statistics.projects import projects
from pre_cases.statistics.protection import Earlier, ProtectedTie, circles_of, protect_ties
from pre_cases.statistics.remaining import with_erased
from pre_cases.statistics.residence import read_residences
from pre_cases.statistics.saisines import saisines
from pre_cases.statistics.schooling import read_schooling
from pre_cases.statistics.schools import schools
from pre_cases.statistics.statements import CellKey, Policy, Spot, Stating
from pre_cases.statistics.support import actions, objectives, signs
from pre_cases.statistics.tables import Figures, Spec
from pre_cases.statistics.ties import ties_of
from referents.models import Membership, Role, Team

Progress = Callable[[int, str], None]  # from 0 to 100, and what is being done, in French


@dataclass(frozen=True)
class JudgedTable:
    spec: Spec
    judged: tuple[Judged, ...]

    @property
    def suppressed(self) -> int:
        """How many of its cells are suppressed."""
        return sum(judged.status is Status.SUPPRESSED for judged in self.judged)


@dataclass(frozen=True)
class Report:
    """Judged tables of one period, as known on the day of the extraction; ``protection`` is that of the programme's."""

    period: Period
    extent: Extent
    extracted_on: date
    tables: tuple[JudgedTable, ...]
    protection: tuple[ProtectedTie, ...] = ()
    seed: str = ""

    def __iter__(self) -> Iterator[tuple[Spec, JudgedTable]]:
        return ((table.spec, table) for table in self.tables)

    @property
    def specs(self) -> list[Spec]:
        return [table.spec for table in self.tables]

    @property
    def suppressed(self) -> int:
        """How many cells are suppressed in all."""
        return sum(table.suppressed for table in self.tables)


def figures(period: Period, extent: Extent, progress: Progress = lambda percent, step: None) -> list[Figures]:
    """Every table, exact, with what remains of the erased (``statistics.remaining``); and what ties them, when the
    extent goes from the programme down to its teams."""
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
        movement_tie(population),
    ]
    progress(75, "Objectifs, actions et signes")
    tables += [*signs(population), *objectives(population), *actions(population)]
    progress(90, "Saisines, projets et écoles")
    tables += [*saisines(period, extent), *projects(period, extent), *means(period, extent), *schools(population)]
    return [table for table in tables if extent.reaches_teams or not table.spec.is_tie]


def protected_report(
    period: Period,
    progress: Progress = lambda percent, step: None,
    *,
    seed: int | None = None,
    earlier: Mapping[str, Sequence[Earlier]] | None = None,
) -> Report:
    """The programme's figures as they may leave: Paris and arrondissements, and no small count that can be found again.

    Counted down to the teams, which attack and are never shown. ``seed`` is secret, drawn for each report; ``earlier``
    is what overlapping releases have shown, by tie. Raises Unprotected.
    """
    extent, whole = programme_extent(), whole_extent()
    seed = secrets.randbits(128) if seed is None else seed
    counted = figures(period, whole, lambda percent, step: progress(percent // 2, step))
    policy = Policy(_circles(period, whole), settings.STATISTICS_THRESHOLD, settings.STATISTICS_THRESHOLDS)
    protected = protect_ties(
        ties_of(counted),
        Stating(counted, whole, extent.codes, policy),
        seed=seed,
        earlier=earlier or {},
        progress=lambda share: progress(50 + int(45 * share), "Protection des petits effectifs"),
    )
    decided = {spot: shown for tie in protected for spot, shown in tie.judged.items()}
    tables = tuple(_judge(table, set(extent.codes), decided) for table in counted if not table.spec.is_tie)
    return Report(period, extent, timezone.localdate(), tables, tuple(protected), commitment(seed))


def _circles(period: Period, extent: Extent) -> list[frozenset[str]]:
    """Each team, and the teams that one person has coordinated since the period began: what they know, they know at
    once."""
    held: dict[int, set[str]] = {}
    since = Q(ends_on__isnull=True) | Q(ends_on__gt=period.starts_on)
    rows = Membership.objects.filter(since, role=Role.COORDINATOR, team__in=extent.by_team)
    for user_id, team_id in rows.order_by().values_list("user_id", "team_id"):
        held.setdefault(user_id, set()).add(extent.by_team[team_id][-1])
    return circles_of(map(frozenset, held.values()), [places[-1] for places in extent.by_team.values()])


def _judge(table: Figures, places: set[str], decided: Mapping[Spot, bool]) -> JudgedTable:
    """A derived figure is shown with the counts it comes from, and leaves no mark otherwise; nor does a category that
    is there only because somebody stands in it, unless the whole programme's count of it is shown."""
    spec = table.spec

    def is_shown(cell: Cell, category: str = "", measure: str = "") -> bool:
        if spec.subject is Subject.OTHER:
            return True
        key = CellKey(cell.table, category or cell.category, cell.category_2, measure or cell.measure)
        return decided.get(Spot(key, cell.geography), not cell.value or bool(cell.base))

    rare = {category.code for category in spec.variable.categories if category.only_if_counted}
    rare -= {c.category for c in table.cells if c.geography == PARIS and c.category_2 in ("", TOTAL) and is_shown(c)}
    judged = []
    for cell in table.cells:
        if cell.geography not in places or cell.category in rare:
            continue
        if not cell.base:
            judged.append(Judged(cell, Status.PUBLISHED if is_shown(cell) else Status.SUPPRESSED))
        elif is_shown(cell, measure=cell.base) and is_shown(cell, TOTAL, cell.base):
            judged.append(Judged(cell, Status.PUBLISHED))
    return JudgedTable(spec, tuple(judged))


def exact_report(period: Period, team: Team) -> Report:
    """The figures of one team, nothing hidden: for its coordination, on the screen."""
    extent = team_extent(team)
    shown = tuple(
        JudgedTable(table.spec, tuple(Judged(cell, Status.PUBLISHED) for cell in table.cells))
        for table in figures(period, extent)
    )
    return Report(period, extent, timezone.localdate(), shown)
