"""The instance in its smallest equivalent form: leaves that nothing separates are one, equal figures are one.

Exact, integers included: a population of the merged leaves spreads over the original ones in any way that keeps their
sums, and no published figure, goal or attacker tells two ways apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from audit.disclosure.instance import HIGH, OUTSIDER, Instance


@dataclass(slots=True)
class MergedFigure:
    """Figures of the same leaves: ``ids`` are those that the release would publish, ``released`` says that an earlier
    one has."""

    leaves: np.ndarray
    value: int
    ids: tuple[int, ...]
    released: bool


class Task(NamedTuple):
    """Move ``figure`` by ``need`` persons (1 or more) upwards (sign 1) or downwards (sign -1), without the leaves of
    the attacker."""

    figure: int
    attacker: int
    sign: int
    need: int


@dataclass(slots=True)
class Group:
    """The tasks of one figure on one side: ``needs[a]`` for each attacker a, 0 where there is nothing to do.

    Sets of attackers are the bits of an integer: ``everybody`` are those with a need.
    """

    figure: int
    sign: int
    needs: np.ndarray
    everybody: int = field(init=False)
    levels: list[tuple[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        self.everybody = bits(np.flatnonzero(self.needs))
        self.levels = [(int(need), bits(np.flatnonzero(self.needs == need))) for need in np.unique(self.needs) if need]

    def within(self, reached: int) -> int:
        """The attackers whose need a move of ``reached`` persons meets."""
        return sum(attackers for need, attackers in self.levels if need <= reached)

    def task(self, attacker: int) -> Task:
        return Task(self.figure, attacker, self.sign, int(self.needs[attacker]))


def bits(numbers: Iterable[int]) -> int:
    """A set of numbers as the bits of an integer."""
    total = 0
    for number in numbers:
        total |= 1 << int(number)
    return total


def members(mask: int) -> Iterator[int]:
    """The numbers of a set given by its bits, in order."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


class Problem:
    """Merged leaves, figures, attackers and goals of an instance. Sets of figures are the bits of an integer:
    ``hideable`` may be shown or not, ``secret`` are never shown, ``released`` always.

    ``counts[l]`` is the count of merged leaf l; ``owned[a, l]`` is True where attacker a knows leaf l. Goals that
    the true population reaches already have no task.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._merge_leaves()
        self._merge_figures()
        self._merge_attackers()
        self._group_goals()

    def _merge_leaves(self) -> None:
        instance = self.instance
        signatures: list[list[int]] = [[] for _ in instance.counts]
        sets = {figure.leaves for figure in instance.figures} | {attacker.leaves for attacker in instance.insiders}
        for number, leaves in enumerate(sorted(sets, key=sorted)):
            for leaf in leaves:
                signatures[leaf].append(number)
        groups: dict[tuple[int, ...], list[int]] = {}
        for leaf, signature in enumerate(signatures):
            if signature and leaf not in instance.structural_zeros:
                groups.setdefault(tuple(signature), []).append(leaf)
        self.members = list(groups.values())
        self.class_of = {leaf: number for number, leaves in enumerate(self.members) for leaf in leaves}
        self.counts = np.array([instance.value(leaves) for leaves in self.members], dtype=np.int64)

    def _classes(self, leaves: frozenset[int]) -> tuple[int, ...]:
        return tuple(sorted({self.class_of[leaf] for leaf in leaves if leaf in self.class_of}))

    def _merge_figures(self) -> None:
        twins: dict[tuple[int, ...], list[int]] = {}
        for place, figure in enumerate(self.instance.figures):
            twins.setdefault(self._classes(figure.leaves), []).append(place)
        twins.pop((), None)
        self.figures: list[MergedFigure] = []
        self.figure_of: dict[int, int] = {}
        for leaves, places in twins.items():
            figures = [self.instance.figures[place] for place in places]
            self.figure_of |= {figure.id: len(self.figures) for figure in figures}
            classes = np.array(leaves, dtype=np.int64)
            self.figures.append(
                MergedFigure(
                    leaves=classes,
                    value=int(self.counts[classes].sum()),
                    ids=tuple(figure.id for figure in figures if figure.published),
                    released=any(figure.released for figure in figures),
                )
            )
        self.values = np.array([figure.value for figure in self.figures], dtype=np.int64)
        self.secret = bits(place for place, figure in enumerate(self.figures) if not figure.ids and not figure.released)
        self.released = bits(place for place, figure in enumerate(self.figures) if figure.released)
        self.hideable = bits(range(len(self.figures))) & ~self.secret & ~self.released

    def _merge_attackers(self) -> None:
        owners: dict[tuple[int, ...], int] = {}
        self.attacker_of: dict[str, int] = {}
        for attacker in self.instance.attackers:
            self.attacker_of[attacker.id] = owners.setdefault(self._classes(attacker.leaves), len(owners))
        self.owned = np.zeros((len(owners), len(self.counts)), dtype=bool)
        for leaves, number in owners.items():
            self.owned[number, list(leaves)] = True
        self.outsider = self.attacker_of[OUTSIDER]

    def _group_goals(self) -> None:
        """Twins, and attackers who know the same leaves, share their tasks: the hardest of them."""
        needs: dict[tuple[int, int], np.ndarray] = {}
        for goal in self.instance.goals():
            figure, attacker = self.figure_of[goal.figure], self.attacker_of[goal.attacker]
            sign = 1 if goal.side == HIGH else -1
            need = (goal.target - int(self.values[figure])) * sign
            row = needs.setdefault((figure, sign), np.zeros(len(self.owned), dtype=np.int64))
            row[attacker] = max(row[attacker], need)
        self.groups = [Group(figure, sign, row) for (figure, sign), row in needs.items() if row.any()]
        self.primary = sorted({group.figure for group in self.groups})

    @cached_property
    def figures_of(self) -> list[np.ndarray]:
        """The merged figures that hold each merged leaf."""
        found: list[list[int]] = [[] for _ in self.counts]
        for number, figure in enumerate(self.figures):
            for leaf in figure.leaves:
                found[leaf].append(number)
        return [np.array(numbers, dtype=np.int64) for numbers in found]

    @cached_property
    def known(self) -> np.ndarray:
        """``known[a, f]``: how many persons of figure f attacker a knows."""
        known = np.zeros((len(self.owned), len(self.figures)), dtype=np.int64)
        for attacker, leaf in np.argwhere(self.owned):
            known[attacker, self.figures_of[leaf]] += self.counts[leaf]
        return known

    def moved(self, move: np.ndarray) -> np.ndarray:
        """What each merged figure gains when the merged leaves move by ``move``."""
        leaves, figures = self._flat
        return np.bincount(figures, move[leaves], len(self.figures)).astype(move.dtype)

    @cached_property
    def _flat(self) -> tuple[np.ndarray, np.ndarray]:
        """Every pair of a merged leaf and a merged figure that holds it, as two columns."""
        lengths = [len(figures) for figures in self.figures_of]
        figures = np.concatenate([np.zeros(0, dtype=np.int64), *self.figures_of])
        return np.repeat(np.arange(len(lengths)), lengths), figures

    def spread(self, move: np.ndarray) -> dict[int, int]:
        """A move of merged leaves as a witness: the original leaves that change, and their counts."""
        witness = {}
        for place in np.flatnonzero(move):
            rest = int(move[place])
            for leaf in self.members[place]:
                count = self.instance.counts[leaf]
                step = max(rest, -count)
                if step:
                    witness[leaf] = count + step
                rest -= step
        return witness
