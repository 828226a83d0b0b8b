"""The checker: it accepts nothing but true witnesses, and catches an engine that went wrong."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from audit.disclosure import attack, problem
from audit.disclosure.attack import SolverFailure
from audit.disclosure.check import Proof, broken_goals
from audit.disclosure.instance import HIGH, LOW, OUTSIDER, Attacker, Figure, Goal, Instance
from audit.disclosure.protection import UnsafePattern, protect
from tests.audit.disclosure.invented import city

# two rows and two columns, their totals shown; one child in the first cell
LEAVES = {"all": (0, 1, 2, 3), "row 1": (0, 1), "row 2": (2, 3), "column 1": (0, 2), "column 2": (1, 3)}
CELLS = (5, 6, 7, 8)
SQUARE = Instance(
    counts=(1, 9, 9, 9),
    figures=(
        *(Figure(number, "t", name, frozenset(leaves)) for number, (name, leaves) in enumerate(LEAVES.items())),
        *(Figure(number, "t", "cell", frozenset([leaf])) for leaf, number in enumerate(CELLS)),
    ),
    threshold=3,
)
GONE = {0: 0, 1: 10, 2: 10, 3: 8}
MORE = {0: 3, 1: 7, 2: 7, 3: 11}


def proof(low: dict[int, int], high: dict[int, int]) -> Proof:
    return Proof((low, high), {(5, LOW): (0,), (5, HIGH): (1,)})


class TestBrokenGoals:
    def test_two_true_witnesses_are_the_proof(self) -> None:
        assert broken_goals(SQUARE, CELLS, proof(GONE, MORE)) == []

    def test_without_witness_every_goal_is_broken(self) -> None:
        assert broken_goals(SQUARE, CELLS, Proof()) == [Goal(5, OUTSIDER, LOW, 0), Goal(5, OUTSIDER, HIGH, 3)]

    @pytest.mark.parametrize(
        "wrong",
        [
            {0: 0},  # the sums no longer hold
            {0: 0, 1: 10, 2: 10, 3: 9},  # one of them
            {0: 0.0, 1: 10, 2: 10, 3: 8},  # not an integer
            {0: -1, 1: 11, 2: 11, 3: 7},  # fewer than nobody
            {0: 1, 1: 9, 2: 9, 3: 9},  # the true population
            {0: 0, 1: 10, 2: 10, 3: 8, 4: 1},  # a leaf that does not exist
            {-4: 0, 1: 10, 2: 10, 3: 8},
        ],
    )
    def test_a_wrong_witness_is_a_broken_goal(self, wrong: dict[int, int]) -> None:
        assert [goal.side for goal in broken_goals(SQUARE, CELLS, proof(wrong, MORE))] == [LOW]

    def test_a_witness_that_does_not_go_far_enough_is_a_broken_goal(self) -> None:
        near = {0: 2, 1: 8, 2: 8, 3: 10}
        assert [goal.side for goal in broken_goals(SQUARE, CELLS, proof(GONE, near))] == [HIGH]

    def test_a_figure_shown_again_breaks_them(self) -> None:
        assert len(broken_goals(SQUARE, CELLS[:3], proof(GONE, MORE))) == 2

    def test_a_twin_left_shown_breaks_them(self) -> None:
        twin = replace(SQUARE, figures=(*SQUARE.figures, Figure(9, "again", "cell", frozenset([0]))))
        assert broken_goals(twin, CELLS, proof(GONE, MORE)) != []

    def test_an_attacker_is_not_convinced_by_a_change_in_what_he_knows(self) -> None:
        informed = replace(SQUARE, insiders=(Attacker("neighbour", frozenset([3])),))
        assert {goal.attacker for goal in broken_goals(informed, CELLS, proof(GONE, MORE))} == {"neighbour"}

    def test_a_structural_zero_holds_nobody_in_any_witness(self) -> None:
        impossible = replace(SQUARE, counts=(1, 9, 9, 0), structural_zeros=frozenset([3]))
        moved = {0: 3, 1: 7, 2: 7, 3: 2}
        assert HIGH in {goal.side for goal in broken_goals(impossible, CELLS, proof({}, moved))}

    def test_who_knows_the_whole_figure_is_no_goal(self) -> None:
        informed = replace(SQUARE, insiders=(Attacker("owner", frozenset([0])),))
        assert {goal.attacker for goal in informed.goals()} == {OUTSIDER}

    def test_nobody_expects_less_than_what_is_known(self) -> None:
        figures = (Figure(0, "t", "pair", frozenset([0, 1])), Figure(1, "t", "all", frozenset([0, 1, 2])))
        instance = Instance((1, 2, 30), figures, 5, (Attacker("owner", frozenset([0])),))
        assert Goal(0, "owner", LOW, 1) in list(instance.goals())


def forget_an_attacker(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = problem.Group.__post_init__

    def forget(self: problem.Group) -> None:
        self.needs[1] = 0
        honest(self)

    monkeypatch.setattr(problem.Group, "__post_init__", forget)


def ask_for_less(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = problem.Group.__post_init__

    def weaken(self: problem.Group) -> None:
        self.needs[self.needs > 1] -= 1
        honest(self)

    monkeypatch.setattr(problem.Group, "__post_init__", weaken)


def forget_an_equation(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = problem.Problem._merge_figures

    def forget(self: problem.Problem) -> None:
        honest(self)
        primary = {item.figure for item in self.instance.to_protect()}
        self.figures[0].leaves = self.figures[0].leaves[:0]
        assert not primary & set(self.figures[0].ids)

    monkeypatch.setattr(problem.Problem, "_merge_figures", forget)


def take_more_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = attack.Attack.__init__

    def deepen(self: attack.Attack, *args: object, **kwargs: object) -> None:
        honest(self, *args, **kwargs)  # type: ignore[arg-type]
        self.floor = self.floor - 9.0

    monkeypatch.setattr(attack.Attack, "__init__", deepen)


def show_what_should_be_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = problem.Problem.moved

    def blind(self: problem.Problem, move: np.ndarray) -> np.ndarray:
        moved = honest(self, move)
        quiet = np.ones(len(moved), dtype=bool)
        quiet[self.primary] = False
        moved[quiet & (np.arange(len(moved)) % 2 == 0)] = 0
        return moved

    monkeypatch.setattr(problem.Problem, "moved", blind)


MUTATIONS = [
    forget_an_attacker,
    ask_for_less,
    forget_an_equation,
    take_more_than_there_is,
    show_what_should_be_hidden,
]


class TestMutations:
    @pytest.mark.parametrize("mutate", MUTATIONS)
    def test_a_wrong_engine_is_refused(
        self, mutate: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        instance = city(2, 60, 3, 2)
        assert protect(instance, seed=1).suppressed
        mutate(monkeypatch)
        with pytest.raises((UnsafePattern, SolverFailure)):
            protect(instance, seed=1)
