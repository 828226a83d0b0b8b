"""Patterns that are safe: proving one, mending one that is not, and tidying one that hides too much.

A pattern is the set of hidden figures, as the bits of an integer; the secret ones are always among them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import numpy as np

from audit.disclosure.attack import EXACT, INFINITY, Answer, Attack, InnerAttack, PricedAttack, Regions, SolverFailure
from audit.disclosure.problem import Problem, Task, bits, members
from audit.disclosure.witnesses import Pool, hardest

REGIONS = (80, 300)
LARGE = 1500  # merged leaves beyond which programs on all of them are too slow to be run by the thousand
PRICED_REGIONS = (150, 600)
SECONDS_A_WITNESS = 3.0


class OutOfTime(Exception):
    """The time limit has passed; what was found before it stands."""


class Unprotectable(Exception):
    """A figure that nothing left to hide can protect: earlier releases give it away."""


@dataclass(slots=True)
class Failure:
    """A task without a witness. ``prices`` are the multipliers of the linear program that shows there is none, or None
    when only whole persons exclude it; ``is_certain`` is False when the time ran out before an answer."""

    task: Task
    prices: np.ndarray | None
    is_certain: bool = True


class Search:
    """Everything that looks for witnesses. ``generator`` breaks the ties; ``deadline`` is a time of the clock."""

    def __init__(
        self, problem: Problem, seed: int, deadline: float = INFINITY, now: Callable[[], float] = monotonic
    ) -> None:
        self.problem = problem
        self.pool = Pool(problem)
        self.generator = np.random.default_rng(seed)
        self.deadline = deadline
        self.now = now
        self.count = len(problem.figures)
        self.everything = (1 << self.count) - 1
        self.regions = Regions(problem, Attack, REGIONS)
        self.is_large = len(problem.counts) > LARGE
        self.priced = Regions(problem, PricedAttack, PRICED_REGIONS if self.is_large else ())
        self.inner = Regions(problem, InnerAttack, REGIONS)
        # value first; then as few cells as possible, and the secret draw: less than half a person altogether
        draw = self.generator.random(self.count)
        tied = 0.4 * (1 + 0.2 * draw) / (1.2 * max(1, self.count))
        self.weights = np.where(self.flags(problem.secret), 0.0, problem.values + tied)

    def flags(self, figures: int) -> np.ndarray:
        """Bits as an array of booleans."""
        raw = np.frombuffer(figures.to_bytes(self.count // 8 + 1, "little"), dtype=np.uint8)
        return np.unpackbits(raw, bitorder="little", count=self.count).astype(bool)

    def value(self, hidden: int) -> int:
        """What a pattern loses: the sum of the values hidden, each set of leaves once."""
        return int(self.problem.values[self.flags(hidden & self.problem.hideable)].sum())

    def loss(self, hidden: int) -> float:
        return float(self.weights[self.flags(hidden)].sum())

    def breathe(self) -> float:
        """The seconds left; raises OutOfTime when there are none."""
        left = self.deadline - self.now()
        if left <= 0:
            raise OutOfTime
        return left

    # proving

    def prove(self, group: int, hidden: int, *, thorough: bool = True) -> Failure | None:
        """Find a witness for every attacker of a group; the first task without one otherwise.

        When not ``thorough`` only the nearest regions are searched, and a failure proves nothing.
        """
        shown = self.everything & ~hidden
        while missing := self.pool.missing(group, shown):
            task = self.problem.groups[group].task(hardest(self.problem.groups[group], missing))
            failure = self._witness(task, hidden, thorough)
            if failure is not None:
                return failure
            self._refuse_standstill(group, task, shown)
        return None

    def _refuse_standstill(self, group: int, task: Task, shown: int) -> None:
        """The solver said that it had a witness; raises SolverFailure when the pool does not find it convincing."""
        if self.pool.missing(group, shown) >> task.attacker & 1:
            raise SolverFailure("a move that is no witness")

    def _witness(self, task: Task, hidden: int, thorough: bool) -> Failure | None:
        free = self.flags(hidden)
        reach = np.where(free, INFINITY, 0.0)
        failure = Failure(task, None, is_certain=False)
        for attack in self.regions.around(task.figure, is_whole=thorough):
            is_whole = len(attack.leaves) == len(self.problem.counts)
            left = self.breathe()
            answer = attack.farthest(task, -reach, reach)
            if answer.reached < task.need - EXACT:
                failure = Failure(task, answer.prices, is_certain=is_whole)
                continue
            move = attack.dive(task, answer)
            seconds = min(SECONDS_A_WITNESS, left)
            started = self.now()
            if move is None:
                move = attack.whole_move(task, free, seconds)
            if move is not None:
                self.pool.add(move)
                return None
            failure = Failure(task, None, is_certain=is_whole and self.now() - started < seconds * 0.9)
        return failure

    def failures(self, group: int, hidden: int, limit: int | None = None) -> list[Failure]:
        """The tasks of a group that have no witness under a pattern, ``limit`` of them at most."""
        found: list[Failure] = []
        given_up = 0
        shown = self.everything & ~hidden
        while len(found) != limit and (missing := self.pool.missing(group, shown) & ~given_up):
            task = self.problem.groups[group].task(hardest(self.problem.groups[group], missing))
            failure = self._witness(task, hidden, thorough=True)
            if failure is not None:
                found.append(failure)
                given_up |= 1 << task.attacker
            else:
                self._refuse_standstill(group, task, shown)
        return found

    def most_hidden(self, task: Task, hidden: int) -> int:
        """The pattern with more hidden figures, as many as can be while whole persons still exclude the task."""
        step = max(1, (self.everything & ~hidden).bit_count() // 2)
        while step:
            shown = list(members(self.everything & ~hidden & ~self.problem.released))
            self.generator.shuffle(shown)
            for start in range(0, len(shown), step):
                more = hidden | bits(shown[start : start + step])
                failure = self._witness(task, more, thorough=True)
                if failure is not None and failure.is_certain:
                    hidden = more
            step //= 2
        return hidden

    def prove_everything(self, hidden: int) -> None:
        """Witnesses for a pattern that hides all that can be: emptying the figure, or filling one of its leaves.

        Raises Unprotectable when figures already released give a primary one away.
        """
        for place, group in enumerate(self.problem.groups):
            leaves = self.problem.figures[group.figure].leaves
            shown = self.everything & ~hidden
            while not shown and (missing := self.pool.missing(place, shown)):
                task = group.task(hardest(group, missing))
                move = np.zeros(len(self.problem.counts), dtype=np.int64)
                unknown = leaves[~self.problem.owned[task.attacker, leaves]]
                if task.sign < 0:
                    move[unknown] = -self.problem.counts[unknown]
                else:
                    move[unknown[0]] = task.need
                self.pool.add(move)
            if shown and self.prove(place, hidden) is not None:
                raise Unprotectable

    # mending

    def mend(self, hidden: int, prices: np.ndarray | None = None) -> int:
        """Hide more until every goal has its witness, always what looks cheapest for the next goal."""
        base = self.weights if prices is None else prices
        base = np.where(self.flags(self.problem.released), INFINITY, base)
        hidden |= self.problem.secret
        for group in self.generator.permutation(len(self.problem.groups)):
            while missing := self.pool.missing(int(group), self.everything & ~hidden):
                task = self.problem.groups[group].task(hardest(self.problem.groups[group], missing))
                hidden |= self._hide_for(task, self.flags(hidden), base)
                self._refuse_standstill(int(group), task, self.everything & ~hidden)
        return hidden

    def _hide_for(self, task: Task, free: np.ndarray, base: np.ndarray) -> int:
        """The figures that a cheap witness of the task moves; the witness joins the pool."""
        for attack in self.priced.around(task.figure):
            self.breathe()
            found = self._cheap_move(attack, task, free, base)
            if found is None:
                continue
            answer, support = found
            move = answer.whole_move()
            within = np.where(free | support, 0.0, INFINITY)
            if move is None and (there := attack.cheapest(task, within)) is not None:
                move = attack.dive(task, there)
            for price in (within, np.where(free, 0.0, base)):
                if move is None:
                    whole = attack.cheapest(task, price, seconds=min(SECONDS_A_WITNESS, self.breathe()))
                    move = whole.whole_move() if whole else None
            if move is not None:
                self.pool.add(move)
                return bits(np.flatnonzero(self.problem.moved(move)))
        raise Unprotectable

    def _cheap_move(
        self, attack: PricedAttack, task: Task, free: np.ndarray, base: np.ndarray
    ) -> tuple[Answer, np.ndarray] | None:
        """The best of a few linear programs, each with the price of a figure spread over what it moved before."""
        best: tuple[float, Answer, np.ndarray] | None = None
        price = np.where(free, 0.0, base)
        for _ in range(3):
            answer = attack.cheapest(task, price)
            if answer is None:
                return None
            moved = np.abs(self.problem.moved(answer.move))
            support = (moved > EXACT) & ~free
            cost = float(base[support].sum())
            if best is not None and cost >= best[0]:
                break
            best = cost, answer, support
            price = np.where(free, 0.0, base / (moved + 0.3))
        return (best[1], best[2]) if best else None

    # tidying

    def tidy(self, hidden: int) -> int:
        """Show again what need not be hidden, the most valuable first. Safe at every moment: out of time, it stops."""
        used = [self._support(group, hidden) for group in range(len(self.problem.groups))]
        suspects = list(range(len(used)))
        primary = bits(self.problem.primary)
        for figure in sorted(
            members(hidden & self.problem.hideable & ~primary), key=lambda place: -self.weights[place]
        ):
            without = hidden & ~(1 << figure)
            doubtful = [group for group in suspects if used[group] >> figure & 1]
            thorough = not self.is_large
            try:
                failed = next((group for group in doubtful if self.prove(group, without, thorough=thorough)), None)
            except OutOfTime:
                break
            if failed is None:
                hidden = without
                for group in doubtful:
                    used[group] = self._support(group, hidden)
            else:  # whoever refused once is asked first
                suspects.remove(failed)
                suspects.insert(0, failed)
        return hidden

    def _support(self, group: int, hidden: int) -> int:
        """The figures moved by the witnesses of a group under a pattern."""
        support = 0
        for number, _ in self.pool.chosen(group, self.everything & ~hidden):
            support |= self.pool.witnesses[number].support
        return support
