"""The engine against every population and every pattern of tiny instances."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.disclosure.audit import audit, interval
from audit.disclosure.instance import Attacker, Figure, Instance
from audit.disclosure.protection import protect
from audit.disclosure.search import Unprotectable
from tests.audit.disclosure.invented import groupings
from tests.audit.disclosure.oracle import Oracle

SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def tiny_instances(draw: st.DrawFn) -> Instance:
    counts = draw(st.lists(st.integers(0, 3), min_size=3, max_size=5))
    place = st.integers(0, len(counts) - 1)
    groups = draw(st.lists(st.lists(place, min_size=2, max_size=3, unique=True), max_size=4))
    own = draw(st.lists(place, max_size=2, unique=True))
    return groupings(counts, groups, draw(st.integers(2, 3)), own)


class TestOracle:
    @SETTINGS
    @given(tiny_instances())
    def test_a_pattern_loses_the_least_that_any_safe_one_loses(self, instance: Instance) -> None:
        oracle = Oracle(instance)
        least = oracle.least_loss()
        if least is None:
            with pytest.raises(Unprotectable):
                protect(instance, seed=1)
            return
        protection = protect(instance, seed=1)
        assert oracle.broken(protection.suppressed) == []
        assert (protection.lost, protection.is_optimal) == (least, True)

    @SETTINGS
    @given(tiny_instances(), st.randoms(use_true_random=False))
    def test_the_audit_finds_exactly_the_goals_that_are_broken(self, instance: Instance, draw: random.Random) -> None:
        suppressed = [figure.id for figure in instance.figures[1:] if draw.random() < 0.6]
        assert audit(instance, suppressed)[1] == Oracle(instance).broken(suppressed)

    @SETTINGS
    @given(tiny_instances(), st.randoms(use_true_random=False))
    def test_intervals_are_those_of_all_the_populations(self, instance: Instance, draw: random.Random) -> None:
        suppressed = [figure.id for figure in instance.figures[1:] if draw.random() < 0.6]
        oracle = Oracle(instance)
        for figure in instance.figures:
            for attacker in instance.attackers:
                expected = oracle.interval(suppressed, attacker.id, figure.id)
                assert interval(instance, suppressed, figure.id, attacker.id) == expected

    def test_whole_persons_give_away_what_linear_bounds_do_not(self) -> None:
        # three pairs of three leaves: half a person in each fits the sums, a whole one does not
        pairs = ([0, 1], [1, 2], [0, 2])
        figures = [Figure(0, "total", "all", frozenset(range(4)), released=True)]
        figures += [
            Figure(number, "pairs", str(pair), frozenset(pair), released=True) for number, pair in enumerate(pairs, 1)
        ]
        figures += [Figure(4 + leaf, "leaves", str(leaf), frozenset([leaf])) for leaf in range(4)]
        instance = Instance((1, 0, 0, 2), tuple(figures), 2)
        with pytest.raises(Unprotectable):
            protect(instance, seed=1)
        assert Oracle(instance).least_loss() is None

    def test_what_is_shown_has_no_interval(self) -> None:
        instance = groupings([4, 1, 6], [], 3, [0])
        assert interval(instance, [], 2, "outsider") == (1, 1)
        assert interval(Instance((2,), (Figure(0, "t", "x", frozenset([0])),), 3), [0], 0, "outsider") == (0, None)
        assert Attacker("insider", frozenset([0])) in instance.insiders
