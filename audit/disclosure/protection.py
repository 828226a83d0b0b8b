"""Complementary suppression: the pattern that loses least among those found safe, and how far it may be from the least.

The order: a greedy pattern; the linear relaxation of the covering program, cut by the attackers' programs; a
pattern guided by it; then the covering program in whole cells, each of its patterns cut where it breaks a goal and
mended into a safe one. When one breaks no goal it is optimal. At any moment the best safe pattern stands, and at first
the one that hides everything, so that a time limit never ends in « publish as is ».
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import numpy as np

from audit.disclosure.attack import INFINITY, Answer, Attack
from audit.disclosure.check import Proof, broken_goals
from audit.disclosure.instance import Instance
from audit.disclosure.master import Master
from audit.disclosure.problem import Problem, Task, bits, members
from audit.disclosure.search import Failure, OutOfTime, Search
from audit.disclosure.witnesses import hardest

Progress = Callable[[str, int, float], None]

ROUND_OF_CUTS = 200
FAILURES = 5  # of one group: more of them would say nothing else
STALLED = 4
MAX_ROUNDS = 60
NODES = 400
FIRST, LAST = 0.6, 0.85  # of the time limit; what follows is the check
SHARE_OF_TIME = 0.5  # at most, for the linear relaxation, of what is left for the first patterns


class UnsafePattern(Exception):
    """The checker refused what the engine found: nothing may leave."""


@dataclass(frozen=True, slots=True)
class Protection:
    """A safe pattern. ``lost`` is the sum of the values hidden, ``bound`` what every safe pattern loses at least; both
    count a set of leaves published twice once. ``is_complete`` is False when the time limit stopped the search."""

    instance: Instance
    suppressed: tuple[int, ...]
    proof: Proof
    lost: int
    bound: int
    is_complete: bool
    seconds: float

    @property
    def gap(self) -> float:
        """The share of the loss that might still be saved: 0 for an optimal pattern."""
        return (self.lost - self.bound) / self.lost if self.lost else 0.0

    @property
    def is_optimal(self) -> bool:
        return self.lost <= self.bound


def protect(
    instance: Instance,
    *,
    seed: int,
    time_limit: float | None = None,
    progress: Progress | None = None,
    now: Callable[[], float] = monotonic,
) -> Protection:
    """Choose what to hide so that no attacker excludes 0 or the threshold for any primary figure.

    The same seed gives the same pattern as long as no time limit (seconds) cuts the search short. ``progress`` is told
    the step, the best loss so far and the bound. ``now`` is the clock of the limit: ``time.thread_time`` for somebody
    whose machine has other work, which is not to make the pattern worse. Raises Unprotectable when earlier releases
    give a figure away whatever is hidden, UnsafePattern when the checker refuses the result.
    """
    started, began = monotonic(), now()
    clock = Clock(now) if time_limit is None else Clock(now, began + FIRST * time_limit, began + LAST * time_limit)
    run = Engine(Problem(instance), seed, clock, progress)
    try:
        run.search_pattern()
    except OutOfTime:
        raise UnsafePattern("no time to prove anything") from None
    shown = run.search.everything & ~run.hidden
    proof = run.search.pool.proof(shown)
    suppressed = tuple(sorted(number for place in members(run.hidden) for number in run.problem.figures[place].ids))
    if broken_goals(instance, suppressed, proof):
        raise UnsafePattern(instance.id)
    return Protection(instance, suppressed, proof, run.lost, run.bound, run.is_complete, monotonic() - started)


@dataclass(frozen=True, slots=True)
class Clock:
    """When to stop, in the time of ``now``: the ``first`` patterns, so that the better one can still be tidied; and
    all."""

    now: Callable[[], float] = monotonic
    first: float = INFINITY
    last: float = INFINITY


class Engine:
    """One search: the best safe pattern so far (``hidden``, bits), and the bound."""

    def __init__(self, problem: Problem, seed: int, clock: Clock, progress: Progress | None) -> None:
        self.problem = problem
        self.clock = clock
        self.search = Search(problem, seed, clock.last, clock.now)
        self.master = Master(problem, self.search.weights, seed % 2**31)
        self.progress = progress or (lambda step, lost, bound: None)
        self.primary = bits(problem.primary)
        self.hidden = 0
        self.lost = 0
        self.floor = 0.0
        self.is_complete = True

    @property
    def bound(self) -> int:
        """No safe pattern loses less: the values are whole, and the ties weigh less than 0.4 of a person altogether."""
        return min(self.lost, math.ceil(self.floor - 0.4 - 1e-6))

    def search_pattern(self) -> None:
        """Leave in ``hidden`` the best safe pattern found, and in ``floor`` the best bound."""
        if not self.problem.groups:
            self.hidden = self.problem.secret
            return
        self._hide_everything()
        try:
            self._keep(self.search.mend(self.primary), "greedy")
            self.search.deadline = self.clock.first
            prices = self.search.weights * (1.05 - self._relax())
            self._keep(self.search.mend(self.primary, prices), "guided")
        except OutOfTime:
            self.is_complete = False
        self.search.deadline = self.clock.last
        self._keep(self.search.tidy(self.hidden), "tidied")
        try:
            self._improve()
        except OutOfTime:
            self.is_complete = False

    def _hide_everything(self) -> None:
        self.hidden = self.problem.hideable | self.problem.secret
        self.lost = self.search.value(self.hidden)
        self.search.prove_everything(self.hidden)

    def _keep(self, hidden: int, step: str) -> None:
        """Keep a safe pattern when it loses less."""
        if self.search.loss(hidden) < self.search.loss(self.hidden):
            self.hidden, self.lost = hidden, self.search.value(hidden)
        self.progress(step, self.lost, self.floor)

    def _improve(self) -> None:
        """Cut and mend the patterns of the program in whole cells, until one is safe or the bound is reached."""
        for _ in range(MAX_ROUNDS):
            if self.lost <= self.bound or self.search.is_large:
                return
            choice = self.master.best(min(0.3 * self.search.breathe(), 60.0), NODES)
            self.floor = max(self.floor, choice.bound)
            self.progress("whole", self.lost, self.floor)
            if choice.hidden is None:
                return
            hidden = bits(np.flatnonzero(choice.hidden > 0.5)) | self.problem.secret
            if not self._cut_broken(hidden):
                return
            self._keep(self.search.tidy(self.search.mend(hidden)), "mended")

    def _relax(self) -> np.ndarray:
        """Cut the linear relaxation until it stalls; how much of each figure it hides."""
        stalled, best, hidden = 0, -1.0, self.master.always.astype(float)
        stop = (
            INFINITY if self.search.deadline == INFINITY else self.clock.now() + SHARE_OF_TIME * self.search.breathe()
        )
        while True:
            choice = self.master.relaxed()
            self.floor = max(self.floor, choice.bound)
            self.progress("relaxed", self.lost, self.floor)
            if choice.hidden is None:
                return hidden
            hidden = choice.hidden
            stalled = stalled + 1 if choice.bound < best * 1.001 else 0
            best = max(best, choice.bound)
            if stalled >= STALLED or not self._cut_fraction(hidden, stop):
                return hidden

    def _cut_fraction(self, hidden: np.ndarray, stop: float) -> int:
        """Add the cuts that a fractional pattern violates, until there are many or the time comes to stop; how many."""
        added = 0
        for place in self.search.generator.permutation(len(self.problem.groups)):
            group = self.problem.groups[place]
            waiting = group.everybody
            while waiting:
                if self.clock.now() > stop:
                    return 0
                task = group.task(hardest(group, waiting))
                waiting &= ~(1 << task.attacker)
                answer, attack = self._fractional_move(task, hidden)
                if answer.reached < task.need - 1e-4:
                    cut = self.master.cut(task, answer.prices)
                    added += cut is not None and float(cut @ hidden) < 1 - 1e-3 and self.master.add(cut)
                    waiting &= attack.insiders  # the others know nothing here: they have the same program, and cut
                else:  # the same move convinces everybody whose leaves it leaves alone
                    moved = np.abs(answer.move) > 1e-9
                    touched = bits(np.flatnonzero(self.problem.owned[:, moved].any(axis=1)))
                    waiting &= ~(group.within(task.need) & ~touched)
            if added >= ROUND_OF_CUTS:
                break
        return added

    def _fractional_move(self, task: Task, hidden: np.ndarray) -> tuple[Answer, Attack]:
        """How far the figure moves when the others move in proportion to how much they are hidden.

        In growing regions: where few figures are seen already exclude it, more do not change that. In a large problem
        what stays possible in the largest region counts as possible: the bound is lower for it, and still a bound.
        """
        share = np.where(hidden < 1e-7, 0.0, hidden)
        floor, capacity = -np.minimum(self.problem.values, task.need) * share, task.need * share
        for attack in self.search.inner.around(task.figure, is_whole=not self.search.is_large):
            answer = attack.farthest(task, floor, capacity)
            if answer.reached < task.need - 1e-4:
                break
        return answer, attack

    def _cut_broken(self, hidden: int) -> int:
        """Add the cuts of the goals that a pattern breaks; how many. 0 for a safe one, which becomes the best."""
        failures: list[Failure] = []
        for place in self.search.generator.permutation(len(self.problem.groups)):
            failures += self.search.failures(int(place), hidden, FAILURES)
        if not failures:
            self._keep(self.search.tidy(hidden), "optimal")
            return 0
        return sum(self._cut_failure(failure, hidden) for failure in failures)

    def _cut_failure(self, failure: Failure, hidden: int) -> bool:
        if failure.prices is not None:
            cut = self.master.cut(failure.task, failure.prices)
            if cut is not None:
                return self.master.add(cut)
        if not failure.is_certain:
            return False
        shown = self.search.everything & ~self.search.most_hidden(failure.task, hidden)
        return self.master.add(self.search.flags(shown).astype(float))
