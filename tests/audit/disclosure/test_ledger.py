"""Two releases some children apart: the leak without the ledger, and its absence with it."""

import random
from collections import Counter
from dataclasses import replace

from audit.disclosure.audit import audit
from audit.disclosure.instance import Instance
from audit.disclosure.layout import Layout, Variable
from audit.disclosure.ledger import Path, Release, earlier_id, joint, likeliest
from audit.disclosure.protection import protect
from tests.audit.disclosure.invented import AGES, city

TEAMS = ("T0", "T1", "T2")


def children(seed: int, number: int) -> list[tuple[str, str]]:
    draw = random.Random(seed)
    return [(draw.choice(TEAMS), draw.choice(AGES)) for _ in range(number)]


def table(persons: list[tuple[str, str]], name: str) -> tuple[Instance, dict[tuple[str, str], int]]:
    layout = Layout((Variable("team", TEAMS), Variable("age", AGES)), {"age": ("team", "age")}, 5, insiders="team")
    places = {(team, age): place for place, (team, age) in enumerate((team, age) for team in TEAMS for age in AGES)}
    return layout.instance(Counter(persons), name), places


def two_releases() -> tuple[Instance, Instance, Counter[Path]]:
    """110 children in June; by December three have left and two have come."""
    before = children(4, 110)
    newcomers = children(5, 2)
    earlier, places = table(before, "June")
    later, _ = table(before[3:] + newcomers, "December")
    persons: Counter[Path] = Counter((places[cell], places[cell]) for cell in before[3:])
    persons.update((places[cell], None) for cell in before[:3])
    persons.update((None, places[cell]) for cell in newcomers)
    return earlier, later, persons


def another_pattern(instance: Instance) -> tuple[int, ...]:
    """A second safe pattern, made to avoid the complementary cells of the first."""
    first = set(protect(instance, seed=1).suppressed)
    primary = {item.figure for item in instance.to_protect()}
    dear = [replace(figure, released=figure.id in first - primary) for figure in instance.figures]
    return protect(replace(instance, figures=tuple(dear)), seed=1).suppressed


def told_twice() -> tuple[Instance, Counter[Path]]:
    """One reference date, to publish twice: 60 children."""
    instance, places = table(children(4, 60), "June")
    return instance, Counter({(place, place): instance.counts[place] for place in places.values()})


class TestLedger:
    def test_without_it_two_safe_patterns_of_one_table_give_children_away(self) -> None:
        instance, persons = told_twice()
        first, alone = protect(instance, seed=1), another_pattern(instance)
        both = joint([Release(instance, frozenset(first.suppressed))], instance, persons, is_closed=True)
        assert audit(instance, first.suppressed)[1] == audit(instance, alone)[1] == []
        assert audit(both, alone)[1] != []

    def test_with_it_the_same_table_told_again_is_safe(self) -> None:
        instance, persons = told_twice()
        first = protect(instance, seed=1)
        both = joint([Release(instance, frozenset(first.suppressed))], instance, persons, is_closed=True)
        again = protect(both, seed=99)
        assert audit(both, again.suppressed)[1] == []
        assert set(first.suppressed) <= set(again.suppressed)

    def test_every_goal_of_two_dates_has_its_witness(self) -> None:
        earlier, later, persons = two_releases()
        first = protect(earlier, seed=1)
        both = joint([Release(earlier, frozenset(first.suppressed))], later, persons)
        second = protect(both, seed=2)
        assert audit(both, second.suppressed)[1] == []
        assert {goal.figure < 0 for goal in both.goals()} == {True, False}

    def test_what_was_shown_stays_shown(self) -> None:
        earlier, later, persons = two_releases()
        first = protect(earlier, seed=1)
        both = joint([Release(earlier, frozenset(first.suppressed))], later, persons)
        shown = {figure.id for figure in both.figures if figure.released}
        assert shown == {earlier_id(figure.id) for figure in earlier.figures if figure.id not in first.suppressed}
        assert min(protect(both, seed=2).suppressed) >= 0

    def test_impossible_cells_stay_impossible(self) -> None:
        instance = city(2, 40, 2, 2)
        persons: Counter[Path] = Counter()
        for leaf, count in enumerate(instance.counts):
            persons[leaf, leaf] = count
        possible = len(instance.counts) - len(instance.structural_zeros)
        assert len(joint([Release(instance, frozenset())], instance, persons).counts) == 3 * possible
        assert len(joint([Release(instance, frozenset())], instance, persons, is_closed=True).counts) == possible

    def test_three_tellings_of_one_table_are_safe_together(self) -> None:
        instance, _ = told_twice()
        first = Release(instance, frozenset(protect(instance, seed=1).suppressed))
        second = Release(instance, first.suppressed | {min(figure.id for figure in instance.figures)})
        paths = likeliest([instance.counts] * 3)
        together = joint([first, second], instance, paths, is_closed=True)
        third = protect(together, seed=3)
        assert audit(together, third.suppressed)[1] == []
        assert len({figure.id for figure in together.figures}) == 3 * len(instance.figures)


class TestLikeliest:
    def test_keeps_every_count_and_moves_as_few_as_it_can(self) -> None:
        paths = likeliest([(5, 0, 2), (3, 1, 2), (4, 0, 0)])
        assert paths == {(0, 0, 0): 3, (0, None, 0): 1, (0, None, None): 1, (None, 1, None): 1, (2, 2, None): 2}
