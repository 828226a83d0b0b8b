"""What is to be published, as its statistician states it: leaf cells, figures, who attacks, what is primary.

A *leaf* is a finest cell; a *figure* is a set of leaves and its value the sum of their counts. Everything else
(tables, hierarchies, linked tables, earlier releases, exports some children apart) is said with these two words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

OUTSIDER = "outsider"
LOW, HIGH = "low", "high"


class InvalidInstance(ValueError):
    """The statement contradicts itself; the message names the place, never a count."""


class Goal(NamedTuple):
    """The attacker must not be able to exclude ``target`` or beyond, on the side ``low`` or ``high``."""

    figure: int
    attacker: str
    side: str
    target: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of one table. ``published`` is False for what is protected and never shown; ``released`` is True for
    what an earlier release has shown, and nobody can hide any more."""

    id: int
    table: str
    label: str
    leaves: frozenset[int]
    published: bool = True
    released: bool = False

    def is_shown(self, hidden: frozenset[int]) -> bool:
        return self.released or (self.published and self.id not in hidden)


@dataclass(frozen=True, slots=True)
class Attacker:
    """Somebody who knows the exact count of ``leaves``, besides everything published."""

    id: str
    leaves: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Primary:
    """A figure to protect: neither ``lo`` or less nor ``hi`` or more may be excluded."""

    figure: int
    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class Instance:
    """``thresholds`` gives a table its own; ``primary``, when not None, replaces the rule 0 < n < threshold."""

    counts: tuple[int, ...]
    figures: tuple[Figure, ...]
    threshold: int
    insiders: tuple[Attacker, ...] = ()
    structural_zeros: frozenset[int] = frozenset()
    primary: tuple[Primary, ...] | None = None
    thresholds: Mapping[str, int] = field(default_factory=dict)
    lines: tuple[tuple[int, tuple[int, ...]], ...] = ()
    id: str = ""

    def __post_init__(self) -> None:
        if not all(type(count) is int and count >= 0 for count in self.counts):
            raise InvalidInstance("A count is not an integer of 0 or more.")
        places = set(range(len(self.counts)))
        known = {figure.id for figure in self.figures}
        if len(known) != len(self.figures):
            raise InvalidInstance("Two figures have the same id.")
        named = [figure.leaves for figure in self.figures] + [attacker.leaves for attacker in self.insiders]
        if not places.issuperset(self.structural_zeros.union(*named)):
            raise InvalidInstance("A leaf is named that does not exist.")
        if any(self.counts[leaf] for leaf in self.structural_zeros):
            raise InvalidInstance("A structural zero holds somebody.")
        if any(item.figure not in known for item in self.primary or ()):
            raise InvalidInstance("A primary figure does not exist.")
        if len({attacker.id for attacker in self.attackers}) != len(self.attackers):
            raise InvalidInstance("Two attackers have the same id.")
        if min((self.threshold, *self.thresholds.values())) < 1:
            raise InvalidInstance("A threshold is below 1.")

    @property
    def attackers(self) -> tuple[Attacker, ...]:
        return (Attacker(OUTSIDER), *self.insiders)

    def value(self, leaves: Iterable[int]) -> int:
        return sum(self.counts[leaf] for leaf in leaves)

    def to_protect(self) -> list[Primary]:
        """The primary figures: those stated, or every count below the threshold of its table."""
        if self.primary is not None:
            return list(self.primary)
        found = []
        for figure in self.figures:
            threshold = self.thresholds.get(figure.table, self.threshold)
            if 0 < self.value(figure.leaves) < threshold:
                found.append(Primary(figure.id, 0, threshold))
        return found

    def goals(self) -> Iterator[Goal]:
        """Every goal: two for each primary figure and each attacker who does not know it already."""
        figures = {figure.id: figure for figure in self.figures}
        for primary in self.to_protect():
            leaves = figures[primary.figure].leaves
            value = self.value(leaves)
            for attacker in self.attackers:
                known = self.value(leaves & attacker.leaves)
                if known == value or leaves <= attacker.leaves:
                    continue
                yield Goal(primary.figure, attacker.id, LOW, max(known, primary.lo))
                yield Goal(primary.figure, attacker.id, HIGH, primary.hi)
