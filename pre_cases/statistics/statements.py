"""A tie stated as a problem of the engine: its leaves, every figure that is or might be shown, who attacks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from audit.disclosure.cells import TOTAL, Subject
from audit.disclosure.instance import Attacker, Figure, Instance
from pre_cases.statistics.extent import Extent
from pre_cases.statistics.tables import Figures
from pre_cases.statistics.ties import FOLLOWED, RECEIVED, Leaf, Tie, is_team

KNOWN, BASE = "known", "base"
POPULATIONS = {*FOLLOWED, *RECEIVED}
FACTS = ("tie_objectives",)  # several a child: what one team subtracts of another's tells of no child


class CellKey(NamedTuple):
    """One cell of one table, wherever it stands."""

    table: str
    category: str
    category_2: str
    measure: str


class Spot(NamedTuple):
    """A cell at a place: what is shown or hidden."""

    cell: CellKey
    place: str


class Entry(NamedTuple):
    """One part of a signature: a cell, at one place only unless that is empty."""

    cell: CellKey
    place: str


class Contradiction(Exception):
    """The tables and what ties them do not tell the same counts; the message names a table, never a count."""


@dataclass(frozen=True)
class Statement:
    """``spots`` names the figures that the release may show, ``closed`` those that it hides with their population;
    ``leaves`` are in the order of the instance's."""

    code: str
    instance: Instance
    spots: Mapping[int, Spot]
    closed: frozenset[Spot]
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True)
class Policy:
    """Who attacks (sets of teams known to one person), and below what a count is small, in general and by table."""

    circles: Sequence[frozenset[str]]
    threshold: int
    thresholds: Mapping[str, int]

    @property
    def by_kind(self) -> dict[str, int]:
        """What a population hangs on has the highest of all, so that each table can be protected within it."""
        return {**self.thresholds, BASE: max((self.threshold, *self.thresholds.values()))}


class Stating:
    """Makes the statements of one report, whose counts reach down to the teams; ``published`` are its own places."""

    def __init__(self, counted: Sequence[Figures], extent: Extent, published: Collection[str], policy: Policy) -> None:
        self.specs = {table.spec.code: table.spec for table in counted if not table.spec.is_tie}
        self.values = {
            Spot(CellKey(cell.table, cell.category, cell.category_2, cell.measure), cell.geography): int(cell.value)
            for table in counted
            if not table.spec.is_tie and table.spec.subject is Subject.PERSONS
            for cell in table.cells
            if not cell.base
        }
        self.published = frozenset(published)
        self.policy = policy
        self.top = extent.top
        self.within = {places[-1]: places for places in extent.by_team.values()} | {extent.top: (extent.top,)}

    def state(self, tie: Tie, decided: Mapping[Spot, bool]) -> Statement:
        """``decided`` says of each spot of earlier ties whether it is shown. Raises Contradiction."""
        entries = {text: list(self._entries(text)) for _, text in tie.counts}
        leaves = self._leaves(tie, entries)
        counts = tuple(tie.counts.get(leaf, 0) for leaf in leaves)
        inside = self._inside(leaves, entries)
        self._compare(inside, counts)
        open_places = self.published - {spot.place for spot in inside if not decided.get(spot, True)}
        figures: list[Figure] = []
        spots: dict[int, Spot] = {}
        closed = set()
        for spot, held in sorted(inside.items()):
            is_new = spot not in decided and spot.cell.table != KNOWN
            is_known = decided.get(spot, spot.cell.table == KNOWN and spot.place in open_places)
            is_shown = is_new and spot.place in open_places
            if is_shown:
                spots[len(figures)] = spot
            elif is_new and spot.place in self.published:
                closed.add(spot)
            if is_shown or is_known or (is_new and not (tie.code in FACTS and is_team(spot.place))):
                label = f"{':'.join(spot.cell[1:3]).rstrip(':')} @ {spot.place}"
                figures.append(Figure(len(figures), self._kind(spot.cell), label, held, is_shown, is_known))
        figures += self._differences(inside, len(figures))
        instance = Instance(
            counts,
            tuple(figures),
            self.policy.threshold,
            insiders=tuple(self._attackers(leaves, entries)),
            thresholds=self.policy.by_kind,
            lines=tuple(self._lines(spots)),
            id=tie.code,
        )
        return Statement(tie.code, instance, spots, frozenset(closed), tuple(leaves))

    def _entries(self, text: str) -> Iterator[Entry]:
        """A table that adds up shows its totals too."""
        for part in text.split("|"):
            name, _, place = part.partition("@")
            table, category, category_2, measure, *_ = (*name.split(":"), "", "")
            spec = self.specs.get(table)
            firsts, seconds = {category}, {category_2}
            if spec is not None:
                measure = measure or spec.measures[0].code
                firsts = {category, TOTAL} if spec.adds_up else {category}
                seconds = {category_2 or TOTAL, TOTAL} if spec.variable_2 else {""}
            for first in firsts:
                for second in seconds:
                    yield Entry(CellKey(table, first, second, measure), place)

    def _leaves(self, tie: Tie, entries: Iterable[str]) -> list[Leaf]:
        """What is met in one team is possible in each; what nobody is anywhere, everybody knows to be empty."""
        if any(not is_team(place) for place, _ in tie.counts):
            return sorted(tie.counts)
        return sorted((place, text) for place in self.within if is_team(place) for text in entries)

    def _inside(self, leaves: Sequence[Leaf], entries: Mapping[str, list[Entry]]) -> dict[Spot, frozenset[int]]:
        inside: dict[Spot, set[int]] = {}
        for number, (place, text) in enumerate(leaves):
            for entry in entries[text]:
                for where in (entry.place,) if entry.place else self.within[place]:
                    inside.setdefault(Spot(entry.cell, where), set()).add(number)
        return {spot: frozenset(held) for spot, held in inside.items()}

    def _compare(self, inside: Mapping[Spot, frozenset[int]], counts: Sequence[int]) -> None:
        for spot, held in inside.items():
            if spot.cell.table != KNOWN and sum(counts[leaf] for leaf in held) != self.values.get(spot):
                raise Contradiction(spot.cell.table)

    def _kind(self, cell: CellKey) -> str:
        """The name under which the threshold of a figure stands."""
        return BASE if cell.category == TOTAL and cell.table in POPULATIONS else cell.table

    def _differences(self, inside: Mapping[Spot, frozenset[int]], first: int) -> list[Figure]:
        """Counts that no table shows and a subtraction gives, where cells overlap or hold one another: never shown,
        and protected like the others."""
        found: dict[frozenset[int], str] = {}
        known = set(inside.values())
        cells: dict[str, list[tuple[CellKey, frozenset[int]]]] = {}
        for spot, held in inside.items():
            spec = self.specs.get(spot.cell.table)
            if spec is not None and not spec.adds_up:
                cells.setdefault(spot.place, []).append((spot.cell, held))
        for there in cells.values():
            whole = frozenset().union(*(held for _, held in there))
            for (cell, one), (other, two) in combinations(sorted(there), 2):
                kind = min(self._kind(cell), self._kind(other), key=self._threshold)
                parts = [more - less for less, more in ((one, two), (two, one)) if less < more]
                if cell.table == other.table and one | two == whole:
                    parts.append(one & two)
                found |= {part: kind for part in parts if part and part not in known and part not in found}
        ordered = sorted(found.items(), key=lambda item: sorted(item[0]))
        return [Figure(n, kind, "difference", part, published=False) for n, (part, kind) in enumerate(ordered, first)]

    def _threshold(self, kind: str) -> int:
        return self.policy.by_kind.get(kind, self.policy.threshold)

    def _attackers(self, leaves: Sequence[Leaf], entries: Mapping[str, list[Entry]]) -> Iterator[Attacker]:
        for circle in self.policy.circles:
            known = frozenset(
                number
                for number, (place, text) in enumerate(leaves)
                if place in circle or any(entry.place in circle for entry in entries[text])
            )
            if known:
                yield Attacker("+".join(sorted(circle)), known)

    def _lines(self, spots: Mapping[int, Spot]) -> Iterator[tuple[int, tuple[int, ...]]]:
        """The additions that a reader sees: places into the whole, categories into their total."""
        ids = {spot: number for number, spot in spots.items()}
        below = sorted(self.published - {self.top})
        for (cell, place), number in ids.items():
            spec = self.specs[cell.table]
            if place == self.top and (parts := [ids[Spot(cell, p)] for p in below if Spot(cell, p) in ids]):
                yield number, tuple(parts)
            for axis in ("category", "category_2"):
                if spec.adds_up and getattr(cell, axis) == TOTAL:
                    parts = [n for other, n in ids.items() if other.place == place and _is_part(other.cell, cell, axis)]
                    if parts:
                        yield number, tuple(parts)


def _is_part(cell: CellKey, total: CellKey, axis: str) -> bool:
    """Whether a cell is one of the categories of a total along one variable."""
    return getattr(cell, axis) != TOTAL and cell._replace(**{axis: TOTAL}) == total
