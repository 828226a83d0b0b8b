"""The pool of witnesses: moves in whole persons, and the tasks that each of them serves.

A witness does not depend on a pattern: it serves wherever the figures that it moves are all hidden, against every
attacker none of whose leaves it moves. So one found for a task serves others, and showing a figure again only puts in
doubt the tasks whose witnesses moved it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from audit.disclosure.check import Proof
from audit.disclosure.instance import HIGH, LOW
from audit.disclosure.problem import Group, Problem, bits


@dataclass(slots=True)
class Found:
    """A witness: the merged leaves that move, by how much, and the figures that move with them (bits)."""

    places: np.ndarray
    steps: np.ndarray
    support: int


class Pool:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.witnesses: list[Found] = []
        # for each group the witnesses that serve it, and the attackers (bits) whom each one convinces
        self.serving: list[list[tuple[int, int]]] = [[] for _ in problem.groups]
        self._known: set[bytes] = set()
        self._groups_of: dict[int, list[int]] = {}
        for number, group in enumerate(problem.groups):
            self._groups_of.setdefault(group.figure, []).append(number)

    def add(self, move: np.ndarray) -> None:
        """Keep a witness, and note all that it serves; a known one changes nothing."""
        places = np.flatnonzero(move)
        steps = move[places]
        key = places.tobytes() + steps.tobytes()
        if key in self._known or bool((steps < -self.problem.counts[places]).any()):
            return
        self._known.add(key)
        gained = self.problem.moved(move)
        figures = np.flatnonzero(gained)
        number = len(self.witnesses)
        self.witnesses.append(Found(places, steps, bits(figures)))
        touched = bits(np.flatnonzero(self.problem.owned[:, places].any(axis=1)))
        for figure in figures:
            for place in self._groups_of.get(int(figure), ()):
                group = self.problem.groups[place]
                convinced = group.within(int(gained[figure]) * group.sign) & ~touched
                if convinced:
                    self.serving[place].append((number, convinced))

    def chosen(self, group: int, shown: int) -> Iterator[tuple[int, int]]:
        """Witnesses, the latest first, that together convince as many attackers as can be; and whom each one adds."""
        missing = self.problem.groups[group].everybody
        for number, convinced in reversed(self.serving[group]):
            if missing & convinced and not self.witnesses[number].support & shown:
                yield number, missing & convinced
                missing &= ~convinced
                if not missing:
                    return

    def missing(self, group: int, shown: int) -> int:
        """The attackers (bits) for whom the pool holds no witness while the figures of ``shown`` are shown."""
        missing = self.problem.groups[group].everybody
        for _, convinced in self.chosen(group, shown):
            missing &= ~convinced
        return missing

    def proof(self, shown: int) -> Proof:
        """The witnesses of a pattern, on the leaves of the instance."""
        numbers: dict[int, int] = {}
        by_group = {
            (group.figure, group.sign): [
                numbers.setdefault(number, len(numbers)) for number, _ in self.chosen(place, shown)
            ]
            for place, group in enumerate(self.problem.groups)
        }
        uses = {}
        for primary in self.problem.instance.to_protect():
            figure = self.problem.figure_of.get(primary.figure, -1)
            for side, sign in ((LOW, -1), (HIGH, 1)):
                if (figure, sign) in by_group:
                    uses[primary.figure, side] = tuple(by_group[figure, sign])
        return Proof(tuple(self._witness(number) for number in numbers), uses)

    def _witness(self, number: int) -> dict[int, int]:
        found = self.witnesses[number]
        move = np.zeros(len(self.problem.counts), dtype=np.int64)
        move[found.places] = found.steps
        return self.problem.spread(move)


def hardest(group: Group, attackers: int) -> int:
    """Whom to convince first: who needs the most persons moved, the last of the list among equals."""
    asked = [number for number in range(attackers.bit_length()) if attackers >> number & 1]
    return max(asked, key=lambda number: (int(group.needs[number]), number))
