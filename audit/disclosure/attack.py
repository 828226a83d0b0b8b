"""What an attacker can work out, by linear and integer programs over the moves of a region of leaves.

A *move* is the difference between another population and the true one: 0 on the leaves of the attacker and on every
shown figure, never below minus the count of a leaf. Outside the region nothing moves, so a move found in a region is a
move of the whole: its witness is the true population everywhere else. A region can miss a witness, never invent one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Generic, TypeVar

import highspy
import numpy as np

from audit.disclosure.problem import Problem, Task, bits

INFINITY = highspy.kHighsInf
EXACT = 1e-6
DIVES = 25
WHOLE, ANY = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
# every objective here is bounded, so that « unbounded or infeasible » is infeasible
WITHOUT = (
    highspy.HighsModelStatus.kInfeasible,
    highspy.HighsModelStatus.kUnboundedOrInfeasible,
    highspy.HighsModelStatus.kTimeLimit,
)


class SolverFailure(Exception):
    """The solver gave neither a solution nor a proof that there is none."""


@dataclass(slots=True)
class Answer:
    """``move`` over all merged leaves, as the solver gives it; ``prices`` of the figures, the multipliers of a cut."""

    reached: float
    move: np.ndarray
    prices: np.ndarray

    def whole_move(self) -> np.ndarray | None:
        """The move in whole persons, or None when it is not one."""
        rounded = np.rint(self.move)
        return rounded.astype(np.int64) if np.abs(self.move - rounded).max(initial=0.0) < EXACT else None


class QuietSolver(highspy.Highs):
    """HiGHS greets on standard output while it is being made, unless it is told before its callbacks are set."""

    def enableCallbacks(self) -> None:  # noqa: N802 - the name is the library's
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()


def new_solver(seed: int = 0) -> highspy.Highs:
    solver = QuietSolver()
    for name, value in (("output_flag", False), ("threads", 1), ("random_seed", seed)):
        solver.setOptionValue(name, value)
    return solver


class Attack:
    """The programs of one region (every merged leaf unless told otherwise), kept warm from one task to the next."""

    def __init__(self, problem: Problem, region: np.ndarray | None = None, is_priced: bool = False) -> None:
        self.problem = problem
        self.leaves = np.arange(len(problem.counts)) if region is None else region
        touched = [self._rows_of(problem.figures_of[leaf]) for leaf in self.leaves]
        self.figures = np.unique(np.concatenate(touched))
        self.row_of = {int(figure): row for row, figure in enumerate(self.figures)}
        self.floor = -problem.counts[self.leaves].astype(float)
        self.columns = np.arange(len(self.leaves), dtype=np.int32)
        self.rows = np.arange(len(self.figures), dtype=np.int32)
        self.solver = new_solver()
        self.solver.passModel(self._program(touched, is_priced))
        self.insiders = bits(np.flatnonzero(problem.owned[:, self.leaves].any(axis=1)))
        self._attacker = -1
        self._aim = (-1, 0)
        self._kind = ANY

    def _rows_of(self, figures: np.ndarray) -> np.ndarray:
        """Which of these figures are rows of the programs."""
        return figures

    def _program(self, touched: list[np.ndarray], is_priced: bool) -> highspy.HighsLp:
        columns, rows = len(self.leaves), len(self.figures)
        index = [self.row_of[int(figure)] for figures in touched for figure in figures]
        value = [1.0] * len(index)
        starts = [0, *np.cumsum([len(figures) for figures in touched])]
        if is_priced:  # the move of a figure is what it gains minus what it loses
            index += [*range(rows), *range(rows)]
            value += [-1.0] * rows + [1.0] * rows
            starts += [starts[-1] + step for step in range(1, 2 * rows + 1)]
            columns += 2 * rows
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = columns, rows
        program.col_cost_ = np.zeros(columns)
        program.col_lower_ = np.concatenate([self.floor, np.zeros(columns - len(self.leaves))])
        program.col_upper_ = np.full(columns, INFINITY)
        program.row_lower_ = program.row_upper_ = np.zeros(rows)
        program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        program.a_matrix_.start_ = np.array(starts, dtype=np.int32)
        program.a_matrix_.index_ = np.array(index, dtype=np.int32)
        program.a_matrix_.value_ = np.array(value)
        return program

    def farthest(self, task: Task, lower: np.ndarray, upper: np.ndarray) -> Answer:
        """How far the figure can move, at most to the need, figure f moving from ``lower[f]`` to ``upper[f]``."""
        low, high = lower[self.figures].astype(float), upper[self.figures].astype(float)
        row = self.row_of[task.figure]
        low[row], high[row] = max(low[row], -task.need), min(high[row], task.need)
        self._attacked_by(task.attacker)
        self._aim_at(task.figure, task.sign)
        self.solver.changeRowsBounds(len(self.rows), self.rows, low, high)  # type: ignore[attr-defined]
        if not self._solve():
            raise SolverFailure("not even the true population fits")
        return self._answer(task)

    def dive(self, task: Task, answer: Answer) -> np.ndarray | None:
        """Whole persons near the last answer: its moves are rounded one by one, and the others follow; None at worst.

        The figures of such an answer mostly move by whole persons already, and only the leaves share them out.
        """
        owned = self.problem.owned[task.attacker, self.leaves]
        lower, upper = np.where(owned, 0.0, self.floor), np.where(owned, 0.0, INFINITY)
        self._attacker = -1  # the bounds of the leaves are to be set again
        for _ in range(DIVES):
            move = answer.whole_move()
            if move is not None:
                return move if answer.reached > task.need - EXACT else None
            steps = answer.move[self.leaves]
            distance = np.abs(steps - np.rint(steps))
            nearest = np.argmin(np.where(distance < EXACT, INFINITY, distance))
            lower[nearest] = upper[nearest] = np.rint(steps[nearest])
            self.solver.changeColsBounds(len(self.columns), self.columns, lower, upper)
            if not self._solve():
                return None
            answer = self._answer(task)
        return None

    def whole_move(self, task: Task, free: np.ndarray, seconds: float) -> np.ndarray | None:
        """A move of whole persons that meets the need and moves only the ``free`` figures; None without one in time."""
        high = np.where(free[self.figures], INFINITY, 0.0)
        low = -high
        row = self.row_of[task.figure]
        (low if task.sign > 0 else high)[row] = task.sign * task.need
        self._attacked_by(task.attacker)
        self._aim_at(task.figure, -task.sign)  # no farther than needed, but whole persons may have to go beyond
        self.solver.changeRowsBounds(len(self.rows), self.rows, low, high)  # type: ignore[attr-defined]
        move = self._answer(task).whole_move() if self._solve(WHOLE, seconds) else None
        self._restrict(ANY)
        return move

    def extreme(self, figure: int, attacker: int, sign: int, free: np.ndarray) -> int | None:
        """How many persons the figure can move at most in a direction, in whole persons; None for no limit."""
        high = np.where(free[self.figures], INFINITY, 0.0)
        self._attacked_by(attacker)
        self._aim_at(figure, sign)
        self.solver.changeRowsBounds(len(self.rows), self.rows, -high, high)  # type: ignore[attr-defined]
        self._restrict(WHOLE)
        self.solver.setOptionValue("time_limit", INFINITY)
        self.solver.run()
        status = self.solver.getModelStatus()
        moved = self._answer(Task(figure, attacker, sign, 0)).reached
        self._restrict(ANY)
        if status == highspy.HighsModelStatus.kOptimal:
            return round(moved)
        if status in (highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return None  # the true population fits: it is not infeasible
        raise SolverFailure(str(status))

    def _attacked_by(self, attacker: int) -> None:
        """Fix the leaves that the attacker knows."""
        if attacker != self._attacker:
            owned = self.problem.owned[attacker, self.leaves]
            upper = np.where(owned, 0.0, INFINITY)
            self.solver.changeColsBounds(len(self.columns), self.columns, np.where(owned, 0.0, self.floor), upper)
            self._attacker = attacker

    def _aim_at(self, figure: int, sign: int) -> None:
        """Look for the greatest move of the figure in the direction of the sign."""
        if (figure, sign) != self._aim:
            cost = np.where(np.isin(self.leaves, self.problem.figures[figure].leaves), -float(sign), 0.0)
            self.solver.changeColsCost(len(self.columns), self.columns, cost)
            self._aim = (figure, sign)

    def _restrict(self, kind: highspy.HighsVarType) -> None:
        if kind != self._kind:
            self.solver.changeColsIntegrality(len(self.columns), self.columns, np.array([kind] * len(self.columns)))
            self._kind = kind

    def _solve(self, kind: highspy.HighsVarType = ANY, seconds: float = INFINITY) -> bool:
        """True with a solution; False when there is none, or none in time."""
        self._restrict(kind)
        self.solver.setOptionValue("time_limit", seconds + (self.solver.getRunTime() if seconds < INFINITY else 0))
        for _ in range(2):
            self.solver.run()
            status = self.solver.getModelStatus()
            if status == highspy.HighsModelStatus.kOptimal:
                return True
            if status in WITHOUT:
                return False
            self.solver.clearSolver()  # a stale basis: once more from the beginning
        raise SolverFailure(str(status))

    def _answer(self, task: Task) -> Answer:
        solution = self.solver.getSolution()
        move, prices = np.zeros(len(self.problem.counts)), np.zeros(len(self.problem.figures))
        move[self.leaves] = solution.col_value[: len(self.leaves)]
        if self._kind == ANY:
            prices[self.figures] = solution.row_dual
        return Answer(task.sign * float(move[self.problem.figures[task.figure].leaves].sum()), move, prices)


class PricedAttack(Attack):
    """The same with a price for each person moved in a figure: which figures would be the cheapest to hide."""

    def __init__(self, problem: Problem, region: np.ndarray | None = None) -> None:
        super().__init__(problem, region, is_priced=True)
        count = len(self.figures)
        self.gains = np.arange(len(self.leaves), len(self.leaves) + 2 * count, dtype=np.int32)

    def cheapest(self, task: Task, price: np.ndarray, seconds: float | None = None) -> Answer | None:
        """The move that meets the need at the least sum of ``price[f]`` for each person moved in figure f; a figure of
        infinite price does not move. In whole persons when ``seconds`` are given. None without one (in time)."""
        count = len(self.figures)
        each = price[self.figures].astype(float)
        is_free = np.isfinite(each)
        least, most = np.zeros(2 * count), np.tile(np.where(is_free, INFINITY, 0.0), 2)
        row = self.row_of[task.figure]
        towards, away = (row, count + row) if task.sign > 0 else (count + row, row)
        least[towards], most[towards], most[away] = task.need, INFINITY, 0.0
        self._attacked_by(task.attacker)
        self.solver.changeColsBounds(2 * count, self.gains, least, most)
        self.solver.changeColsCost(2 * count, self.gains, np.tile(np.where(is_free, each, 0.0), 2))
        kind, limit = (ANY, INFINITY) if seconds is None else (WHOLE, seconds)
        answer = self._answer(task) if self._solve(kind, limit) else None
        self._restrict(ANY)
        return answer


class InnerAttack(Attack):
    """The attack of somebody who only sees the figures that lie wholly in the region: what even that one excludes, all
    do. So its multipliers make cuts of the whole, at the price of a small program."""

    def __init__(self, problem: Problem, region: np.ndarray | None = None) -> None:
        leaves = range(len(problem.counts)) if region is None else region
        held = np.concatenate([np.zeros(0, dtype=np.int64), *(problem.figures_of[leaf] for leaf in leaves)])
        sizes = np.array([len(figure.leaves) for figure in problem.figures])
        self.within = np.bincount(held, minlength=len(sizes)) == sizes
        super().__init__(problem, region)

    def _rows_of(self, figures: np.ndarray) -> np.ndarray:
        return figures[self.within[figures]]


A = TypeVar("A", bound=Attack)


class Regions(Generic[A]):
    """Attacks on growing neighbourhoods of a figure, the last one on every leaf; the latest used are kept."""

    KEPT = 200

    def __init__(self, problem: Problem, kind: type[A], sizes: tuple[int, ...]) -> None:
        self.problem = problem
        self.kind = kind
        self.sizes = tuple(size for size in sizes if 2 * size <= len(problem.counts))
        self._kept: OrderedDict[tuple[int, int], A] = OrderedDict()
        self._whole: A | None = None

    @property
    def whole(self) -> A:
        if self._whole is None:
            self._whole = self.kind(self.problem)
        return self._whole

    def around(self, figure: int, *, is_whole: bool = True) -> Iterator[A]:
        """The attacks around a figure, the nearest first; the one on every leaf only if ``is_whole``, or alone."""
        for size in self.sizes:
            key = figure, size
            if key not in self._kept:
                self._kept[key] = self.kind(self.problem, neighbourhood(self.problem, figure, size))
                if len(self._kept) > self.KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            yield self._kept[key]
        if is_whole or not self.sizes:
            yield self.whole


def neighbourhood(problem: Problem, figure: int, size: int) -> np.ndarray:
    """At least ``size`` leaves around a figure: again and again the smallest figure that meets those already there."""
    region: set[int] = set()
    seen = {figure}
    waiting = [(0, figure)]
    while waiting and len(region) < size:
        _, nearest = heappop(waiting)
        for leaf in problem.figures[nearest].leaves:
            if int(leaf) in region:
                continue
            region.add(int(leaf))
            for other in problem.figures_of[leaf]:
                if int(other) not in seen:
                    seen.add(int(other))
                    heappush(waiting, (len(problem.figures[other].leaves), int(other)))
    return np.array(sorted(region), dtype=np.int64)
