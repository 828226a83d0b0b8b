"""What the rights cost as a country grows: the first page of each list, beside django-guardian's on the same rows.

« python tests/bench.py access ». On PostgreSQL only: the plans are the proof, and SQLite's say nothing of them. The
times are of this machine; the bars are ratios within one run, the shape of the plans and the blocks they read.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from unittest import mock

from django.db import connection
from django.db.models import Model, Q
from django.test.runner import DiscoverRunner
from guardian import shortcuts
from guardian.managers import UserObjectPermissionManager
from guardian.models import UserObjectPermission

from audit.journal.page import capped_counts, read_page
from pre_cases.models import Parcours, ParcoursShare
from pre_cases.querysets.parcours import ParcoursQuerySet
from pre_cases.views.board import TEAM_FILTERS
from pre_cases.views.parcours import MY_FILTERS, flag_counts
from referents.models import User
from tests import access_volume

SIZES = (1_000, 10_000, 100_000, 1_000_000)
REPEATS = 30
ANALYSES = 10
ORDER = ("due_on", "id")
REFERENT = "Mes parcours"
PAGE = 25
GROWTH, FASTER, BUFFERS, LAST_PAGE, COUNTS = 2.0, 50, 200, 1.5, 1.5


class GuardianShare(ParcoursShare):
    """The grants as guardian reads them: through its own manager, without dates."""

    objects = UserObjectPermissionManager()

    class Meta:
        proxy = True
        app_label = "pre_cases"  # in this process only


@dataclass
class Measure:
    """One list at one volume; times are medians in milliseconds.

    ``first`` and ``last`` are pages as the screen reads them, with the card of each child; ``scope`` is the same
    first page without the cards: what the rights alone cost, and what guardian is compared with. ``count`` says how
    long the list is, ``filters`` how many each of its filters holds.
    """

    rows: int
    first: float
    last: float
    scope: float
    count: float = 0
    filters: float = 0
    guardian: dict[str, float] = field(default_factory=dict)
    blocks: int = 0
    card_blocks: int = 0
    queries: int = 0
    subplans: bool = False
    analysed: list[float] = field(default_factory=list)


def run() -> None:
    """Load each volume, measure each list, print the table; the database is dropped whatever happens."""
    found: dict[str, dict[int, Measure]] = {}
    with database():
        for size in SIZES:
            began = time.perf_counter()
            country = access_volume.Country(size)
            country.load()
            print(f"{size} parcours chargés en {time.perf_counter() - began:.0f} s…", flush=True)
            for title, scope, flags, person in lists_of(country):
                found.setdefault(title, {})[size] = measured(scope, flags, person)
        version = connection.cursor().connection.info.server_version
    print_table(found, version)


@contextmanager
def database() -> Iterator[None]:
    runner = DiscoverRunner(verbosity=0, interactive=False)
    runner.setup_test_environment()
    databases = runner.setup_databases(serialized_aliases=[])
    try:
        yield
    finally:
        runner.teardown_databases(databases)
        runner.teardown_test_environment()


Scope = Callable[[], ParcoursQuerySet]


def lists_of(country: access_volume.Country) -> Iterator[tuple[str, Scope, tuple[Any, ...], User | None]]:
    """The lists that people open each morning, as their views write them; a person where guardian can do the same."""
    referent, coordinator, reader, chief = (
        User.objects.get(pk=pk)
        for pk in (country.referent, country.coordinator, country.reader, access_volume.BIG_COORDINATOR)
    )
    team, big = country.team, access_volume.BIG_TEAM
    parcours = Parcours.objects
    yield REFERENT, lambda: parcours.followed_by(referent).open(), MY_FILTERS, referent
    yield "Équipe", lambda: parcours.in_team(team).open(), TEAM_FILTERS, coordinator
    yield "Grande équipe", lambda: parcours.in_team(big).open(), TEAM_FILTERS, chief
    yield "Partagés avec moi", lambda: parcours.shared_with(reader), (), None


def measured(scope: Scope, flags: tuple[Any, ...], person: User | None) -> Measure:
    if person is not None:
        assert person.standing  # read once a request, whatever the list
    rows = scope().count()
    far = read_page(scope().only(*ORDER), order=ORDER, cursor="", size=max(rows - PAGE, 1)).next_cursor

    def page(cursor: str = "") -> object:
        return read_page(scope().with_card(), order=ORDER, cursor=cursor, size=PAGE)

    def bare() -> object:
        return read_page(scope(), order=ORDER, cursor="", size=PAGE)

    found = Measure(rows, first=median(page), last=median(lambda: page(far)), scope=median(bare))
    found.count = median(lambda: capped_counts(scope(), {"all": Q()}))
    if flags:
        found.filters = median(lambda: flag_counts(scope(), flags))
    if person is not None:
        found.guardian = {name: median(partial(by_guardian, person, *way), 5) for name, way in GUARDIAN.items()}
    for _ in range(ANALYSES):
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        plans = [explained(*statement) for statement in sent_by(page)]
        found.queries = len(plans)
        found.card_blocks = max(found.card_blocks, *map(blocks_of, plans))
        found.blocks = max(found.blocks, *(blocks_of(explained(*statement)) for statement in sent_by(bare)))
        found.subplans |= any(re.search(r"Filter: .*SubPlan", plan) for plan in plans)
        found.analysed.append(median(page, 15))
    return found


STRICT = {"use_groups": False, "with_superuser": False, "accept_global_perms": False}
# as guardian comes: its own table of grants, the call of its documentation; then with our table, and our arguments
GUARDIAN: dict[str, tuple[type[Model], dict[str, bool]]] = {
    "tel qu’il vient": (UserObjectPermission, {}),
    "clés directes": (GuardianShare, {}),
    "clés directes, strict": (GuardianShare, STRICT),
}
AS_IT_COMES = next(iter(GUARDIAN))


def by_guardian(person: User, grants: type[Model], arguments: dict[str, bool]) -> list[Parcours]:
    """The same rows in the same order, as guardian finds them.

    Several models may grant on a parcours and guardian would take the first one it meets: the table that holds these
    rows is named.
    """
    with mock.patch.object(shortcuts, "get_user_obj_perms_model", return_value=grants):
        granted = shortcuts.get_objects_for_user(person, "pre_cases.view_parcours", **arguments)
        return list(granted.order_by(*ORDER)[: PAGE + 1])


def median(read: Callable[[], object], repeats: int = REPEATS) -> float:
    """The lowest of three medians: what else the machine does meanwhile is not measured."""
    read()
    return min(_median(read, -(-repeats // 3)) for _ in range(3))


def _median(read: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        read()
        times.append((time.perf_counter() - began) * 1_000)
    return statistics.median(times)


# -- plans ------------------------------------------------------------------------------------------------------------


def sent_by(read: Callable[[], object]) -> list[tuple[str, Any]]:
    """The statements that a reading sends, with their parameters."""
    statements: list[tuple[str, Any]] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        read()
    return statements


def explained(sql: str, params: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", params)
        return "\n".join(row[0] for row in cursor.fetchall())


def blocks_of(plan: str) -> int:
    """Blocks that the whole plan touched, in memory or not: those of its first node."""
    line = next((line for line in plan.splitlines() if "Buffers: shared" in line), "")
    return sum(int(number) for number in re.findall(r"(?:hit|read)=(\d+)", line))


# -- the table --------------------------------------------------------------------------------------------------------


COLUMNS = (
    "parcours", "liste", "1re page", "rapport", "dernière", "compte", "filtres", "périmètre", "guardian", "directes",
    "strict", "requêtes", "blocs", "+fiches",
)  # fmt: skip


def print_table(found: dict[str, dict[int, Measure]], version: int) -> None:
    print(f"\nLes droits, du bourg au pays (PostgreSQL {version // 10_000}.{version % 10_000}).")
    print(f"La meilleure de trois médianes de {REPEATS // 3} lectures, en millisecondes. « 1re page », « dernière » :")
    print("25 lignes avec leurs fiches ; « périmètre » : les mêmes sans fiche, comme celles de guardian, sur les mêmes")
    print(
        "lignes et dans le même ordre. « compte » : combien la liste en tient, arrêté à 1 001 ; « filtres » : combien"
    )
    print("chacun de ses filtres en tient. « guardian » : tel qu’il vient ; « directes » : sur nos clés directes ;")
    print("« strict » : de plus, sans groupes ni droits généraux.\n")
    print(f"{'liste':<18}" + "".join(f"{title:>10}" for title in COLUMNS))
    for title, measures in found.items():
        start = measures[min(measures)]
        for size, one in measures.items():
            print(f"{title:<18}" + "".join(f"{cell:>10}" for cell in cells_of(size, one, start)))
    print()
    for title, measures in found.items():
        for said, value, kept in bars(title, measures):
            print(f"{'ok' if kept else 'KO':<4}{title:<20}{said:<52}{value}")


def cells_of(size: int, one: Measure, start: Measure) -> list[object]:
    return [
        size,
        one.rows,
        f"{one.first:.2f}",
        f"{one.first / start.first:.2f}",
        f"{one.last:.2f}",
        f"{one.count:.2f}",
        f"{one.filters:.2f}" if one.filters else "–",
        f"{one.scope:.2f}",
        *(f"{one.guardian[name]:.1f}" if one.guardian else "–" for name in GUARDIAN),
        one.queries,
        one.blocks,
        one.card_blocks,
    ]


def bars(title: str, measures: dict[int, Measure]) -> Iterator[tuple[str, str, bool]]:
    """Each bar: what it says, the worst value met, and whether it holds."""
    small, large = measures[min(measures)], measures[max(measures)]
    growth = large.first / small.first
    yield f"au plus grand ≤ {GROWTH:g} × le plus petit", f"{growth:.2f}", growth <= GROWTH
    if large.guardian and title == REFERENT:
        ratio = large.guardian[AS_IT_COMES] / large.scope
        yield f"au moins {FASTER} × plus vite que guardian {AS_IT_COMES}", f"{ratio:.1f}", ratio >= FASTER
    worst = max(one.blocks for one in measures.values())
    yield f"au plus {BUFFERS} blocs pour le périmètre", str(worst), worst <= BUFFERS
    yield "aucun SubPlan dans un filtre", "", not any(one.subplans for one in measures.values())
    spread = max(max(one.analysed) / min(one.analysed) for one in measures.values())
    yield f"stable après {ANALYSES} ANALYZE (≤ 2 ×)", f"{spread:.2f}", spread <= 2
    last = max(one.last / one.first for one in measures.values())
    yield f"dernière page ≤ {LAST_PAGE} × la première", f"{last:.2f}", last <= LAST_PAGE
    count = max(one.count / one.first for one in measures.values())
    yield f"compte ≤ {COUNTS} × la première page", f"{count:.2f}", count <= COUNTS
    if small.filters:
        filters = max(one.filters / one.first for one in measures.values())
        yield f"comptes des filtres ≤ {COUNTS} × la première page", f"{filters:.2f}", filters <= COUNTS
