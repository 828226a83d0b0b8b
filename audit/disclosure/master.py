"""The least that must be hidden: a covering program fed with cuts, which gives the bound, and patterns worth mending.

After Fischetti and Salazar-González (Models and algorithms for optimizing cell suppression, JASA 95, 2000). A cut
comes from the multipliers of an attacker's linear program. Let s be the direction of the task, p its figure, n its
need. For multipliers a[f] such that b[l] = sum(a[f] for f holding l) - s [l in p] is 0 or more on the leaves that the
attacker does not know, every move y satisfies s y(p) = sum a[f] y(f) - sum b[l] y[l], which is at most
sum a[f] y(f) + sum b[l] count[l]. A witness may be shrunk until it moves p by n exactly, and shown figures do not move:
the hidden ones make up for the *lack*, n (1 - s a[p]) - sum b[l] count[l]. One with a[f] < 0 does for at most -a[f]
times the persons whom the attacker does not know in it; one with a[f] > 0 may do for all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from audit.disclosure.attack import ANY, INFINITY, WHOLE, new_solver
from audit.disclosure.problem import Problem, Task

GRID = 12  # the multipliers are small fractions: on the grid their sums are exact
TINY = 1e-6
STATUS = highspy.HighsModelStatus


@dataclass(slots=True)
class Choice:
    """``hidden[f]`` between 0 and 1; None when none was found, in time or at all. No pattern costs less than ``bound``.

    A solver that fails here costs nothing but quality: safety never rests on this program.
    """

    hidden: np.ndarray | None
    bound: float


class Master:
    def __init__(self, problem: Problem, weights: np.ndarray, seed: int) -> None:
        self.problem = problem
        self.count = len(problem.figures)
        self.columns = np.arange(self.count, dtype=np.int32)
        self.always = np.zeros(self.count, dtype=bool)
        self.always[problem.primary] = True
        self.solver = new_solver(seed)
        self._known: set[tuple[bytes, bytes]] = set()
        never = np.array([figure.released for figure in problem.figures], dtype=bool)
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = self.count, 0
        program.col_cost_ = weights
        program.col_lower_ = np.where(self.always & ~never, 1.0, 0.0)
        program.col_upper_ = np.where(never, 0.0, 1.0)
        program.a_matrix_.start_ = np.zeros(self.count + 1, dtype=np.int32)
        self.solver.passModel(program)
        self.solver.setOptionValue("mip_rel_gap", 0.0)
        self.solver.setOptionValue("mip_abs_gap", 0.5)  # values are whole: less than one person apart is equal

    def cut(self, task: Task, prices: np.ndarray) -> np.ndarray | None:
        """The coefficients of the cut that the multipliers prove: their product with a safe pattern is 1 or more."""
        multipliers = np.where(np.abs(prices) < TINY, 0.0, -prices)
        rounded = np.rint(multipliers * GRID) / GRID
        multipliers = np.where(np.abs(multipliers - rounded) < TINY, rounded, multipliers)
        held = np.zeros(len(self.problem.counts))
        for figure in np.flatnonzero(multipliers):
            held[self.problem.figures[figure].leaves] += multipliers[figure]
        held[self.problem.figures[task.figure].leaves] -= task.sign
        held[self.problem.owned[task.attacker]] = 0.0
        if held.min(initial=0.0) < -TINY / 10:
            return None
        lack = task.need * (1 - task.sign * multipliers[task.figure]) - float(np.maximum(held, 0) @ self.problem.counts)
        if lack <= TINY:
            return None
        unknown = self.problem.values - self.problem.known[task.attacker]
        cut = np.where(multipliers > 0, 1.0, np.minimum(1.0, -multipliers * unknown / lack))
        cut[task.figure] = 0.0
        return cut

    def add(self, cut: np.ndarray) -> bool:
        """Keep a cut; False when it is known, or says nothing more than that the primary figures are hidden."""
        rest = 1.0 - float(cut[self.always].sum())
        places = np.flatnonzero((cut > TINY) & ~self.always).astype(np.int32)
        if rest <= TINY:
            return False
        values = np.minimum(cut[places] / rest, 1.0)
        key = places.tobytes(), np.round(values, 6).tobytes()
        if key in self._known:
            return False
        self._known.add(key)
        self.solver.addRow(1.0, INFINITY, len(places), places, values)
        return True

    def relaxed(self) -> Choice:
        """The optimum of the linear relaxation."""
        self._restrict(ANY)
        self.solver.run()
        if self.solver.getModelStatus() != STATUS.kOptimal:
            return Choice(None, 0.0)
        return Choice(self._hidden(), float(self.solver.getInfo().objective_function_value))

    def best(self, seconds: float, nodes: int) -> Choice:
        """The best pattern for the cuts known so far, or what the search tree has when a limit stops it."""
        self._restrict(WHOLE)
        self.solver.setOptionValue("mip_max_nodes", nodes)
        self.solver.setOptionValue("time_limit", self.solver.getRunTime() + seconds)
        self.solver.run()
        self.solver.setOptionValue("time_limit", INFINITY)
        if self.solver.getModelStatus() not in (STATUS.kOptimal, STATUS.kTimeLimit, STATUS.kSolutionLimit):
            return Choice(None, 0.0)
        info = self.solver.getInfo()
        found = info.primal_solution_status == int(highspy.kSolutionStatusFeasible)
        return Choice(self._hidden() if found else None, float(info.mip_dual_bound))

    def _restrict(self, kind: highspy.HighsVarType) -> None:
        self.solver.changeColsIntegrality(self.count, self.columns, np.array([kind] * self.count))

    def _hidden(self) -> np.ndarray:
        return np.array(self.solver.getSolution().col_value[: self.count])
