"""Safe patterns: every goal with its witness, on many populations, odd statements, failures and time limits."""

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.disclosure import attack
from audit.disclosure.attack import SolverFailure
from audit.disclosure.audit import audit
from audit.disclosure.check import broken_goals
from audit.disclosure.instance import Figure, Instance, InvalidInstance, Primary
from audit.disclosure.layout import Layout, Variable
from audit.disclosure.master import Choice, Master
from audit.disclosure.protection import UnsafePattern, protect
from audit.disclosure.search import Unprotectable
from tests.audit.disclosure.invented import THREE_WAY, TWO_WAY, city

QUICK = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def one_table(counts: list[int], threshold: int = 5, teams: int | None = None) -> Instance:
    """Teams by nothing: a total and its parts."""
    names = tuple(f"T{number}" for number in range(len(counts) if teams is None else teams))
    layout = Layout((Variable("team", names),), {"teams": ("team",)}, threshold, insiders="team")
    return layout.instance({(name,): count for name, count in zip(names, counts, strict=True)})


class TestManyPopulations:
    """48 of the 240 populations that the campaign of ``make bench-disclosure`` runs."""

    @pytest.mark.parametrize("batch", range(4))
    def test_every_goal_has_its_witness(self, batch: int) -> None:
        for seed in range(batch * 12, batch * 12 + 12):
            draw = random.Random(seed)
            instance = city(seed, draw.randint(1, 60), draw.randint(1, 3), draw.randint(1, 2), draw.choice([3, 5, 11]))
            protection = protect(instance, seed=seed, time_limit=20)
            assert broken_goals(instance, protection.suppressed, protection.proof) == []
            assert protection.bound <= protection.lost
            assert bool(protection.suppressed) == bool(instance.to_protect())

    def test_three_way_tables_are_proved_too(self) -> None:
        for seed in range(3):
            instance = city(seed, 60, 2, 2, 3, THREE_WAY)
            protection = protect(instance, seed=seed, time_limit=20)
            assert audit(instance, protection.suppressed)[1] == []


class TestMetamorphic:
    def test_the_order_of_leaves_and_figures_changes_no_loss(self) -> None:
        instance = city(3, 50, 3, 2)
        draw = random.Random(1)
        order = list(range(len(instance.counts)))
        draw.shuffle(order)
        moved = {old: new for new, old in enumerate(order)}
        figures = [
            replace(figure, leaves=frozenset(moved[leaf] for leaf in figure.leaves)) for figure in instance.figures
        ]
        draw.shuffle(figures)
        other = replace(
            instance,
            counts=tuple(instance.counts[old] for old in order),
            figures=tuple(figures),
            insiders=tuple(
                replace(who, leaves=frozenset(moved[leaf] for leaf in who.leaves)) for who in instance.insiders
            ),
            structural_zeros=frozenset(moved[leaf] for leaf in instance.structural_zeros),
        )
        first, second = protect(instance, seed=1), protect(other, seed=1)
        assert first.is_optimal
        assert (first.lost, first.bound) == (second.lost, second.bound)

    def test_publishing_a_figure_twice_changes_no_loss(self) -> None:
        instance = city(4, 50, 3, 2)
        twins = tuple(replace(figure, id=figure.id + 1000, table="again") for figure in instance.figures)
        doubled = replace(instance, figures=instance.figures + twins)
        first, second = protect(instance, seed=1), protect(doubled, seed=1)
        assert first.lost == second.lost
        assert {number for number in second.suppressed if number < 1000} == {
            number - 1000 for number in second.suppressed if number >= 1000
        }

    def test_a_safe_pattern_stays_safe_when_categories_are_merged(self) -> None:
        instance = city(5, 60, 3, 2)
        protection = protect(instance, seed=1)
        coarser = [figure for figure in instance.figures if "sex" not in figure.table]
        kept = {figure.id for figure in coarser}
        merged = replace(instance, figures=tuple(coarser), lines=())
        assert audit(merged, [number for number in protection.suppressed if number in kept])[1] == []

    def test_the_seed_decides_and_nothing_else(self) -> None:
        instance = city(6, 60, 3, 2)
        assert protect(instance, seed=2**100).suppressed == protect(instance, seed=2**100).suppressed

    def test_ties_are_broken_by_the_secret_seed(self) -> None:
        instance = one_table([3, 20, 20, 20, 20])
        assert len({protect(instance, seed=seed).suppressed for seed in range(12)}) > 1

    @QUICK
    @given(st.lists(st.integers(0, 8), min_size=1, max_size=8), st.integers(1, 3), st.integers(2, 6))
    def test_any_hierarchy_is_proved(self, counts: list[int], width: int, threshold: int) -> None:
        names = tuple(f"T{number}" for number in range(len(counts)))
        area = {name: f"A{number // width}" for number, name in enumerate(names)}
        zone = {name: f"Z{number // (2 * width)}" for number, name in enumerate(names)}
        variable = Variable("team", names, (area, zone))
        layout = Layout((variable,), {"teams": ("team",)}, threshold, insiders="team")
        instance = layout.instance({(name,): count for name, count in zip(names, counts, strict=True)})
        protection = protect(instance, seed=1)
        assert broken_goals(instance, protection.suppressed, protection.proof) == []
        assert protection.is_optimal


class TestOddStatements:
    def test_nothing_at_all(self) -> None:
        assert protect(Instance((), (), 5), seed=1).suppressed == ()

    def test_figures_of_nobody(self) -> None:
        assert protect(one_table([0, 0, 0]), seed=1).suppressed == ()

    def test_no_small_count_loses_nothing(self) -> None:
        assert protect(one_table([5, 6, 0, 70]), seed=1).suppressed == ()

    def test_one_child(self) -> None:
        instance = one_table([1, 0, 0])
        protection = protect(instance, seed=1)
        assert audit(instance, protection.suppressed)[1] == []
        assert protection.lost == 2  # the child, and the total

    def test_one_team(self) -> None:
        instance = city(1, 3, 1, 1)
        assert audit(instance, protect(instance, seed=1).suppressed)[1] == []

    def test_five_hundred_teams(self) -> None:
        names = tuple(f"T{number:03}" for number in range(500))
        area = {name: f"A{number % 100:02}" for number, name in enumerate(names)}
        layout = Layout((Variable("team", names, (area,)),), {"teams": ("team",)}, 5, insiders="team")
        instance = layout.instance({(name,): 3 if place in (7, 250) else 40 for place, name in enumerate(names)})
        protection = protect(instance, seed=1, time_limit=60)
        assert broken_goals(instance, protection.suppressed, protection.proof) == []
        # in each of the two areas the team, and two others, so that none of them finds it by itself
        assert (protection.lost, protection.is_optimal) == (2 * (3 + 40 + 40), True)

    def test_every_cell_primary(self) -> None:
        instance = one_table([1, 2, 1, 2], threshold=11)
        assert len(protect(instance, seed=1).suppressed) == 5

    def test_what_is_never_published_is_protected_too(self) -> None:
        figures = (
            Figure(0, "t", "all", frozenset([0, 1])),
            Figure(1, "t", "many", frozenset([0])),
            Figure(2, "t", "few", frozenset([1]), published=False),
        )
        protection = protect(Instance((40, 2), figures, 5), seed=1)
        assert protection.suppressed in ((0,), (1,))
        assert protection.lost == 40

    def test_stated_ranges_replace_the_threshold(self) -> None:
        instance = replace(one_table([30, 40, 50]), primary=(Primary(1, 20, 45),))
        protection = protect(instance, seed=1)
        assert 1 in protection.suppressed
        assert audit(instance, protection.suppressed)[1] == []
        assert protect(replace(instance, primary=()), seed=1).suppressed == ()

    def test_a_table_has_its_own_threshold(self) -> None:
        instance = replace(one_table([7, 40, 50]), thresholds={"teams": 11})
        assert 1 in protect(instance, seed=1).suppressed
        assert protect(one_table([7, 40, 50]), seed=1).suppressed == ()

    def test_what_an_earlier_release_gave_away_is_refused(self) -> None:
        instance = one_table([3, 20, 20])
        released = tuple(replace(figure, released=figure.id != 1) for figure in instance.figures)
        with pytest.raises(Unprotectable):
            protect(replace(instance, figures=released), seed=1)

    def test_a_small_figure_already_released_is_refused(self) -> None:
        instance = one_table([3, 20, 20])
        released = tuple(replace(figure, released=figure.id == 0) for figure in instance.figures)
        with pytest.raises(Unprotectable):
            protect(replace(instance, figures=released), seed=1)

    @pytest.mark.parametrize(
        "change",
        [
            {"counts": (1, -1, 0)},
            {"counts": (1.5, 1, 0)},
            {"structural_zeros": frozenset([0])},
            {"structural_zeros": frozenset([9])},
            {"threshold": 0},
            {"thresholds": {"teams": 0}},
            {"primary": (Primary(99, 0, 5),)},
        ],
    )
    def test_a_contradiction_is_refused(self, change: dict[str, object]) -> None:
        with pytest.raises(InvalidInstance):
            replace(one_table([1, 2, 3]), **change)  # type: ignore[arg-type]

    def test_names_used_twice_are_refused(self) -> None:
        instance = one_table([1, 2, 3])
        with pytest.raises(InvalidInstance):
            replace(instance, figures=instance.figures + instance.figures[:1])
        with pytest.raises(InvalidInstance):
            replace(instance, insiders=instance.insiders + instance.insiders[:1])


class TestLimits:
    def test_no_time_hides_everything_rather_than_nothing(self) -> None:
        instance = city(7, 80, 4, 2)
        protection = protect(instance, seed=1, time_limit=0)
        assert not protection.is_complete
        assert broken_goals(instance, protection.suppressed, protection.proof) == []
        assert set(protection.suppressed) == {figure.id for figure in instance.figures}

    def test_a_short_time_still_gives_a_safe_pattern(self) -> None:
        instance = city(8, 300, 6, 3, 5, {**TWO_WAY, **THREE_WAY})
        protection = protect(instance, seed=1, time_limit=3)
        assert broken_goals(instance, protection.suppressed, protection.proof) == []
        assert protection.seconds < 10

    def test_a_solver_that_fails_publishes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*args: object, **kwargs: object) -> bool:
            raise SolverFailure("broken")

        monkeypatch.setattr(attack.Attack, "_solve", fail)
        with pytest.raises(SolverFailure):
            protect(city(9, 60, 3, 2), seed=1)

    def test_a_solver_that_lies_publishes_nothing_unsafe(self, monkeypatch: pytest.MonkeyPatch) -> None:
        instance = city(9, 60, 3, 2)
        honest = attack.Attack._answer

        def lie(self: attack.Attack, task: attack.Task) -> attack.Answer:
            answer = honest(self, task)
            answer.move[:1] += 1.0
            return answer

        monkeypatch.setattr(attack.Attack, "_answer", lie)
        with pytest.raises((SolverFailure, UnsafePattern)):
            protect(instance, seed=1, time_limit=5)

    def test_a_bound_that_cannot_be_had_costs_quality_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Master, "relaxed", lambda self: Choice(None, 0.0))
        monkeypatch.setattr(Master, "best", lambda self, seconds, nodes: Choice(None, 0.0))
        instance = city(9, 60, 3, 2)
        protection = protect(instance, seed=1)
        assert broken_goals(instance, protection.suppressed, protection.proof) == []
        assert (protection.bound, protection.is_optimal) == (0, False)

    def test_progress_is_told(self) -> None:
        told: list[str] = []
        protect(city(3, 50, 3, 2), seed=1, progress=lambda step, lost, bound: told.append(step))
        assert told[0] == "greedy"
