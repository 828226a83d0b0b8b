"""Any pattern, ours or another's, looked at as its attackers would."""

from __future__ import annotations

from collections.abc import Collection
from time import monotonic

import numpy as np

from audit.disclosure.attack import INFINITY, Attack
from audit.disclosure.check import Proof, broken_goals
from audit.disclosure.instance import Goal, Instance
from audit.disclosure.problem import Problem, bits
from audit.disclosure.search import Failure, OutOfTime, Search


def hidden_figures(problem: Problem, suppressed: Collection[int]) -> int:
    """The merged figures (bits) that nobody sees: a figure is hidden when all its twins are."""
    hidden = frozenset(suppressed)
    return problem.secret | bits(
        place
        for place, figure in enumerate(problem.figures)
        if not figure.released and all(number in hidden for number in figure.ids)
    )


def audit(
    instance: Instance, suppressed: Collection[int], proof: Proof | None = None, time_limit: float | None = None
) -> tuple[Proof, list[Goal]]:
    """The witnesses of a pattern, and the goals that it breaks or that no witness was found for in time.

    Witnesses that come with the pattern are taken where the checker accepts them; others are searched, linear bounds
    first. A goal is met only by a witness that the checker accepts.
    """
    if proof is not None and not broken_goals(instance, suppressed, proof):
        return proof, []
    problem = Problem(instance)
    deadline = INFINITY if time_limit is None else monotonic() + time_limit
    search = Search(problem, seed=0, deadline=deadline)
    hidden = hidden_figures(problem, suppressed)
    try:
        for group in range(len(problem.groups)):
            search.failures(group, hidden)
    except OutOfTime:
        pass  # the goals not reached have no witness, and are told with the broken ones
    found = search.pool.proof(search.everything & ~hidden)
    return found, broken_goals(instance, suppressed, found)


def interval(instance: Instance, suppressed: Collection[int], figure: int, attacker: str) -> tuple[int, int | None]:
    """Between which values an attacker can enclose a figure, in whole persons; None for no upper limit."""
    problem = Problem(instance)
    if figure not in problem.figure_of:
        return 0, 0  # structural zeros only
    place, who = problem.figure_of[figure], problem.attacker_of[attacker]
    attack = Attack(problem)
    hidden = hidden_figures(problem, suppressed)
    free = np.array([bool(hidden >> number & 1) for number in range(len(problem.figures))])
    fall = attack.extreme(place, who, -1, free)
    rise = attack.extreme(place, who, 1, free)
    value = int(problem.values[place])
    return value - (fall or 0), None if rise is None else value + rise


def reasons(instance: Instance, suppressed: Collection[int], figure: int) -> list[Failure]:
    """The tasks that would fail if a hidden figure were shown; empty when nothing asks for it."""
    problem = Problem(instance)
    if figure not in problem.figure_of:
        return []
    search = Search(problem, seed=0)
    hidden = hidden_figures(problem, suppressed) & ~(1 << problem.figure_of[figure])
    return [failure for group in range(len(problem.groups)) for failure in search.failures(group, hidden)]
