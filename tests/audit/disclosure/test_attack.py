"""Regions: what is found in one holds for the whole, on both sides."""

import numpy as np
import pytest

from audit.disclosure.attack import INFINITY, Attack, InnerAttack, neighbourhood
from audit.disclosure.check import Proof, broken_goals
from audit.disclosure.instance import HIGH, LOW, Goal
from audit.disclosure.master import Master
from audit.disclosure.problem import Problem
from audit.disclosure.protection import protect
from audit.disclosure.search import Search
from tests.audit.disclosure.invented import city


def problem() -> Problem:
    return Problem(city(3, 90, 5, 3))


class TestRegions:
    def test_a_move_found_in_a_region_is_a_witness_of_the_whole(self) -> None:
        stated = problem()
        free = np.ones(len(stated.figures), dtype=bool)
        for group in stated.groups:
            task = group.task(int(np.flatnonzero(group.needs)[0]))
            attack = Attack(stated, neighbourhood(stated, task.figure, 12))
            move = attack.whole_move(task, free, 10.0)
            assert move is not None
            outside = np.setdiff1d(np.arange(len(stated.counts)), attack.leaves)
            assert not move[outside].any()
            side = HIGH if task.sign > 0 else LOW
            identifier = stated.figures[task.figure].ids[0]
            proof = Proof((stated.spread(move),), {(identifier, side): (0,)})
            everything = [figure.id for figure in stated.instance.figures]
            attacker = next(name for name, number in stated.attacker_of.items() if number == task.attacker)
            broken = broken_goals(stated.instance, everything, proof)
            assert not [
                goal for goal in broken if (goal.figure, goal.attacker, goal.side) == (identifier, attacker, side)
            ]
            assert isinstance(broken[0], Goal)

    def test_who_sees_a_region_excludes_no_more_than_who_sees_all(self) -> None:
        stated = problem()
        hidden = np.zeros(len(stated.figures), dtype=bool)
        hidden[stated.primary] = True
        reach = np.where(hidden, INFINITY, 0.0)
        whole = Attack(stated)
        for group in stated.groups:
            task = group.task(int(np.flatnonzero(group.needs)[0]))
            inner = InnerAttack(stated, neighbourhood(stated, task.figure, 12))
            assert inner.farthest(task, -reach, reach).reached >= whole.farthest(task, -reach, reach).reached - 1e-6

    def test_no_cut_forbids_a_safe_pattern(self) -> None:
        stated = problem()
        search = Search(stated, seed=1)
        safe = search.flags(search.tidy(search.mend(0)))
        master = Master(stated, search.weights, 1)
        cuts = 0
        for attack_kind in (Attack, InnerAttack):
            for group in stated.groups:
                task = group.task(int(np.flatnonzero(group.needs)[0]))
                attack = attack_kind(
                    stated, neighbourhood(stated, task.figure, 12) if attack_kind is InnerAttack else None
                )
                nothing = np.zeros(len(stated.figures))
                answer = attack.farthest(task, nothing, nothing)
                cut = master.cut(task, answer.prices) if answer.reached < task.need - 1e-6 else None
                if cut is not None:
                    cuts += 1
                    cut[task.figure] = 0
                    assert cut @ safe >= 1 - 1e-6
        assert cuts

    def test_a_large_problem_is_safe_by_regions_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("audit.disclosure.search.LARGE", 10)
        monkeypatch.setattr("audit.disclosure.search.REGIONS", (12, 24))
        monkeypatch.setattr("audit.disclosure.search.PRICED_REGIONS", (12, 24))
        instance = city(3, 90, 5, 3)
        protection = protect(instance, seed=1)
        assert broken_goals(instance, protection.suppressed, protection.proof) == []
        monkeypatch.undo()
        assert protection.bound <= protect(instance, seed=1).lost <= protection.lost
