"""What a report hides, chosen by the engine tie after tie, and proved: the pattern, its certificate, and what the
checker needs to verify it again without a solver."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import thread_time
from typing import Any

from audit.disclosure.attack import SolverFailure
from audit.disclosure.certificate import certificate
from audit.disclosure.check import Proof, broken_goals
from audit.disclosure.instance import Instance
from audit.disclosure.ledger import Release, joint, likeliest
from audit.disclosure.protection import UnsafePattern, protect
from audit.disclosure.search import Unprotectable
from pre_cases.statistics.statements import Contradiction, Spot, Statement, Stating
from pre_cases.statistics.ties import Leaf, Tie

LEAST_SECONDS, SECONDS_A_GOAL = 6.0, 0.0028  # of this thread: a busy machine hides no more


class Unprotected(Exception):
    """No pattern could be proved safe: nothing may leave. ``code`` says why, without any count."""

    def __init__(self, code: str, where: str) -> None:
        self.code = code
        super().__init__(f"{where}: {code}")


GIVEN_AWAY, UNPROVED, CONTRADICTORY = "given_away", "unproved", "contradictory"


@dataclass(frozen=True)
class Hidden:
    """How many cells of one table are hidden at one level (the whole programme, or its arrondissements), of how many;
    ``small`` are below the threshold, the others protect them. It tells more than the release does: it stays inside."""

    table: str
    level: str
    cells: int
    hidden: int
    small: int


@dataclass(frozen=True)
class ProtectedTie:
    """A tie whose pattern is proved. ``problem`` is what was solved: the statement, with the earlier releases."""

    statement: Statement
    problem: Instance
    suppressed: frozenset[int]
    proof: Proof
    certificate: dict[str, Any]

    @property
    def judged(self) -> dict[Spot, bool]:
        """Whether each spot is shown."""
        shown = {spot: number not in self.suppressed for number, spot in self.statement.spots.items()}
        return shown | dict.fromkeys(self.statement.closed, False)

    @property
    def alone(self) -> Release:
        """What a later release has to know of this one."""
        return Release(self.statement.instance, self.suppressed)

    def is_safe(self) -> bool:
        """What the checker says, without any solver, of the pattern and its witnesses."""
        return not broken_goals(self.problem, self.suppressed, self.proof)

    def hidden(self) -> list[Hidden]:
        small = {item.figure for item in self.statement.instance.to_protect()}
        cells: Counter[tuple[str, str]] = Counter()
        found: dict[tuple[str, str], list[int]] = {}
        for number, spot in self.statement.spots.items():
            level = spot.place.partition(":")[0]
            cells[spot.cell.table, level] += 1
            if number in self.suppressed:
                found.setdefault((spot.cell.table, level), []).append(number)
        for spot in self.statement.closed:
            cells[spot.cell.table, spot.place.partition(":")[0]] += 1
            found.setdefault((spot.cell.table, spot.place.partition(":")[0]), []).append(-1)
        return [
            Hidden(*key, count, len(found.get(key, ())), sum(number in small for number in found.get(key, ())))
            for key, count in sorted(cells.items())
        ]


@dataclass(frozen=True)
class Earlier:
    """One tie of an earlier release that overlaps: its leaves, in the order of the instance, and what it showed."""

    leaves: tuple[Leaf, ...]
    release: Release


def protect_ties(
    ties: Sequence[Tie],
    stating: Stating,
    *,
    seed: int,
    earlier: Mapping[str, Sequence[Earlier]],
    progress: Callable[[float], None],
) -> list[ProtectedTie]:
    """Decide every cell; ``earlier`` holds by tie what overlapping releases showed. ``progress`` hears shares of 1.

    The same seed gives the same patterns, unless a limit of time stops a search. Raises Unprotected.
    """
    decided: dict[Spot, bool] = {}
    protected = []
    for done, tie in enumerate(ties):
        heard = lambda *step, done=done: progress(done / len(ties))  # noqa: E731
        heard()
        try:
            protected.append(_protect_tie(stating.state(tie, decided), seed, earlier.get(tie.code, ()), heard))
        except Contradiction as error:
            raise Unprotected(CONTRADICTORY, str(error)) from None
        decided |= protected[-1].judged
    return protected


def _protect_tie(
    statement: Statement, seed: int, earlier: Sequence[Earlier], progress: Callable[..., None]
) -> ProtectedTie:
    statement, problem = with_earlier(statement, earlier)
    own = int.from_bytes(hashlib.sha256(f"{seed} {statement.code}".encode()).digest()[:16], "big")
    seconds = max(LEAST_SECONDS, SECONDS_A_GOAL * sum(1 for _ in problem.goals()))
    try:
        found = protect(problem, seed=own, time_limit=seconds, progress=progress, now=thread_time)
        proved = certificate(found, own)
    except Unprotectable:
        raise Unprotected(GIVEN_AWAY, statement.code) from None
    except (UnsafePattern, SolverFailure):
        raise Unprotected(UNPROVED, statement.code) from None
    tables = sorted({spot.cell.table for spot in statement.spots.values()})
    return ProtectedTie(
        statement,
        problem,
        frozenset(found.suppressed),
        found.proof,
        {"tie": statement.code, "tables": tables, "earlier_releases": len(earlier), **proved},
    )


def with_earlier(statement: Statement, earlier: Sequence[Earlier]) -> tuple[Statement, Instance]:
    """The statement and the problem that earlier releases make of it; all of them over the same leaves."""
    if not earlier:
        return statement, statement.instance
    leaves = tuple(dict.fromkeys(leaf for told in (statement.leaves, *(e.leaves for e in earlier)) for leaf in told))
    statement = replace(statement, instance=_over(statement.instance, statement.leaves, leaves), leaves=leaves)
    releases = [Release(_over(e.release.instance, e.leaves, leaves), e.release.suppressed) for e in earlier]
    paths = likeliest([*(release.instance.counts for release in releases), statement.instance.counts])
    # as if everybody knew who was there in both: more than anybody knows
    return statement, joint(releases, statement.instance, paths, is_closed=True)


def _over(instance: Instance, own: Sequence[Leaf], leaves: Sequence[Leaf]) -> Instance:
    """The same instance over more leaves, empty and known to be."""
    place = {leaf: number for number, leaf in enumerate(leaves)}
    there = [place[leaf] for leaf in own]
    counts = [0] * len(leaves)
    for number, count in zip(there, instance.counts, strict=True):
        counts[number] = count
    return replace(
        instance,
        counts=tuple(counts),
        figures=tuple(replace(f, leaves=frozenset(there[leaf] for leaf in f.leaves)) for f in instance.figures),
        insiders=tuple(replace(a, leaves=frozenset(there[leaf] for leaf in a.leaves)) for a in instance.insiders),
        structural_zeros=frozenset(range(len(leaves)))
        - {n for leaf, n in enumerate(there) if leaf not in instance.structural_zeros},
    )


def circles_of(teams_of_persons: Iterable[frozenset[str]], teams: Sequence[str]) -> list[frozenset[str]]:
    """Who attacks, besides the outsider: each team, and each set of teams held by one person."""
    return sorted(
        {frozenset([team]) for team in teams} | {held for held in teams_of_persons if len(held) > 1}, key=sorted
    )
