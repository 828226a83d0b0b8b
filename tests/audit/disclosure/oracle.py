"""The slow truth for tiny instances whose total is known: every population is written out, and every pattern tried."""

from collections.abc import Collection, Iterator
from itertools import combinations

import numpy as np

from audit.disclosure.instance import LOW, Goal, Instance


class Oracle:
    """Every population of the same total; figure 0 is that total, and nobody can hide it."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        assert instance.figures[0].released
        size = len(instance.counts)
        populations = np.array(list(compositions(sum(instance.counts), size)), dtype=np.int64)
        impossible = sorted(instance.structural_zeros)
        self.populations = populations[(populations[:, impossible] == 0).all(axis=1)]
        self.values = np.stack(
            [self.populations[:, sorted(figure.leaves)].sum(axis=1) for figure in instance.figures], axis=1
        )
        self.truth = np.array([instance.value(figure.leaves) for figure in instance.figures])
        self.knows = {
            attacker.id: (
                self.populations[:, sorted(attacker.leaves)] == np.array(instance.counts)[sorted(attacker.leaves)]
            ).all(axis=1)
            for attacker in instance.attackers
        }
        self.place = {figure.id: place for place, figure in enumerate(instance.figures)}

    def possible(self, suppressed: Collection[int], attacker: str) -> np.ndarray:
        """Which populations fit all that the attacker knows."""
        hidden = frozenset(suppressed)
        shown = [place for place, figure in enumerate(self.instance.figures) if figure.is_shown(hidden)]
        return (self.values[:, shown] == self.truth[shown]).all(axis=1) & self.knows[attacker]

    def interval(self, suppressed: Collection[int], attacker: str, figure: int) -> tuple[int, int]:
        values = self.values[self.possible(suppressed, attacker), self.place[figure]]
        return int(values.min()), int(values.max())

    def broken(self, suppressed: Collection[int]) -> list[Goal]:
        found = []
        for goal in self.instance.goals():
            least, most = self.interval(suppressed, goal.attacker, goal.figure)
            if not (least <= goal.target if goal.side == LOW else most >= goal.target):
                found.append(goal)
        return found

    def least_loss(self) -> int | None:
        """The least value that a safe pattern loses, twins counted once; None when no pattern is safe."""
        sets: dict[frozenset[int], list[int]] = {}
        for figure in self.instance.figures:
            if not figure.released:
                sets.setdefault(figure.leaves, []).append(figure.id)
        losses = []
        for size in range(len(sets) + 1):
            for chosen in combinations(sets, size):
                loss = sum(self.instance.value(leaves) for leaves in chosen)
                if losses and loss >= min(losses):
                    continue
                if not self.broken([number for leaves in chosen for number in sets[leaves]]):
                    losses.append(loss)
        return min(losses, default=None)


def compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Every way of sharing ``total`` persons among ``parts`` leaves."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in compositions(total - first, parts - 1):
            yield (first, *rest)
