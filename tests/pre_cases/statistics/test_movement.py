"""Entries, exits, returns: small populations counted by hand, and the identities on any of them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.history import acting_as, system_account
from partners.models import Term
from pre_cases.models import Parcours
from pre_cases.statistics.extent import Extent, Geography, team_extent
from pre_cases.statistics.movement import duration_band, durations, evaluations, exits, movement, parcours_movement
from pre_cases.statistics.period import Period
from pre_cases.statistics.population import FollowedChild, Population, Stay, read_population
from tests.cast import make_child, make_parcours
from tests.pre_cases.statistics.invented import PARIS, YEAR, Programme, column, day

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture
def programme() -> Programme:
    return Programme()


def moves(programme: Programme, period: Period = YEAR) -> dict[str, int]:
    moved, arrivals, gaps = movement(programme.population(period))
    found = column(moved) | {k: v for k, v in column(arrivals).items() if k != "*"}
    return found | {k: v for k, v in column(gaps).items() if k == "interrupted"}


class TestMovement:
    def test_counts_a_child_present_all_along(self, programme: Programme) -> None:
        programme.follow((date(2013, 5, 1), None))
        assert moves(programme) == {"*": 1, "start": 1, "end": 1}

    def test_counts_an_entry(self, programme: Programme) -> None:
        programme.follow((day(3, 1), None))
        assert moves(programme) == {"*": 1, "arrival": 1, "entry": 1, "end": 1}

    def test_takes_an_entry_on_the_first_day_as_an_entry(self, programme: Programme) -> None:
        programme.follow((day(1, 1), None))
        assert moves(programme)["entry"] == 1

    def test_takes_a_closing_on_the_last_day_as_an_exit(self, programme: Programme) -> None:
        programme.follow((date(2013, 5, 1), day(12, 31)))
        assert moves(programme) == {"*": 1, "start": 1, "exit": 1}

    def test_follows_a_child_closed_on_the_first_day(self, programme: Programme) -> None:
        programme.follow((date(2013, 5, 1), day(1, 1)))
        assert moves(programme) == {"*": 1, "start": 1, "exit": 1}

    def test_ignores_a_child_closed_the_day_before(self, programme: Programme) -> None:
        programme.follow((date(2013, 5, 1), date(2013, 12, 31)))
        assert moves(programme) == {}

    def test_counts_a_parcours_opened_and_closed_the_same_day(self, programme: Programme) -> None:
        programme.follow((day(6, 2), day(6, 2)))
        assert moves(programme) == {"*": 1, "arrival": 1, "entry": 1, "exit": 1}

    def test_counts_a_re_entry(self, programme: Programme) -> None:
        programme.follow((date(2012, 1, 9), date(2012, 9, 1)), (day(2, 3), None))
        assert moves(programme) == {"*": 1, "arrival": 1, "re_entry": 1, "end": 1}

    def test_takes_out_and_back_as_neither(self, programme: Programme) -> None:
        programme.follow((date(2013, 5, 1), day(3, 31)), (day(9, 1), None))
        assert moves(programme) == {"*": 1, "start": 1, "end": 1, "interrupted": 1}

    def test_counts_one_entry_for_two_parcours_begun_in_the_period(self, programme: Programme) -> None:
        programme.follow((day(1, 15), day(3, 31)), (day(9, 1), day(10, 1)))
        assert moves(programme) == {"*": 1, "arrival": 1, "entry": 1, "exit": 1, "interrupted": 1}

    def test_makes_an_exit_then_a_re_entry_of_a_return_the_next_day_across_the_years(
        self, programme: Programme
    ) -> None:
        programme.follow((date(2013, 5, 1), day(12, 31)), (date(2015, 1, 1), None))
        assert moves(programme) == {"*": 1, "start": 1, "exit": 1}
        assert moves(programme, Period.civil_year(2015)) == {"*": 1, "arrival": 1, "re_entry": 1, "end": 1}

    def test_does_not_follow_an_evaluation(self, programme: Programme) -> None:
        make_parcours(programme.north, opened_on=day(2, 1), entered_on=None)
        assert moves(programme) == {}

    def test_takes_no_evaluation_without_entry_for_an_earlier_parcours(self, programme: Programme) -> None:
        child = make_child()
        make_parcours(
            programme.north,
            child=child,
            opened_on=date(2012, 1, 9),
            entered_on=None,
            closed_on=date(2012, 3, 1),
            exit_reason=Term.objects.get(pk="exit_reason:sans-entree"),
        )
        programme.follow((day(2, 3), None), child=child)
        assert moves(programme)["entry"] == 1

    def test_counts_each_child_in_the_team_of_the_reference_day(self, programme: Programme) -> None:
        programme.follow((date(2013, 5, 1), day(3, 31)), (day(9, 1), None), teams=(programme.north, programme.east))
        moved, *_ = movement(programme.population())
        assert column(moved, "arrondissement:18") == {}
        assert column(moved, "arrondissement:19") == column(moved) == {"*": 1, "start": 1, "end": 1}

    def test_counts_a_child_who_left_a_team_in_the_other_one_only(self, programme: Programme) -> None:
        programme.follow((date(2013, 5, 1), day(3, 31)), (day(9, 1), None), teams=(programme.north, programme.east))
        north = read_population(YEAR, team_extent(programme.north))
        assert column(movement(north)[0], "team:nord") == {}
        assert column(parcours_movement(north), "team:nord") == {"*": 1, "start": 1, "closed": 1}
        assert north.passed_through == 1


class TestParcoursMovement:
    def test_counts_parcours_and_not_children(self, programme: Programme) -> None:
        programme.follow((date(2013, 5, 1), day(3, 31)), (day(9, 1), None))
        assert column(parcours_movement(programme.population())) == {
            "*": 2,
            "start": 1,
            "opened": 1,
            "closed": 1,
            "end": 1,
        }


class TestEvaluations:
    def test_are_counted_apart_until_the_entry(self, programme: Programme) -> None:
        make_parcours(programme.north, opened_on=date(2013, 11, 1), entered_on=day(1, 10))
        make_parcours(programme.north, opened_on=day(12, 1), entered_on=None)
        make_parcours(programme.east, opened_on=day(12, 1), entered_on=date(2015, 1, 5))
        found = evaluations(programme.population())
        assert column(found) == {"*": 3, "start": 1, "opened": 2, "entered": 1, "end": 2}
        assert column(found, "arrondissement:19") == {"*": 1, "opened": 1, "end": 1}

    def test_closed_without_entry_are_neither_entries_nor_exits(self, programme: Programme) -> None:
        parcours = make_parcours(programme.north, opened_on=day(2, 1), entered_on=None)
        close(parcours, day(4, 1), "sans-entree")
        assert column(evaluations(programme.population())) == {"*": 1, "opened": 1, "no_entry": 1}
        assert moves(programme) == {}


def close(parcours: Parcours, on: date, reason: str) -> None:
    parcours.closed_on, parcours.exit_reason = on, Term.objects.get(pk=f"exit_reason:{reason}")
    with acting_as(system_account()):
        parcours.save()


class TestExits:
    def test_take_the_reason_of_the_last_parcours_closed(self, programme: Programme) -> None:
        child = programme.follow((date(2013, 5, 1), day(3, 31)), reason="demenagement")
        programme.follow((day(9, 1), day(10, 1)), child=child, reason="droit-commun")
        assert column(exits(programme.population())) == {"*": 1, "droit-commun": 1}

    def test_leave_out_who_came_back(self, programme: Programme) -> None:
        programme.follow((date(2013, 5, 1), day(3, 31)), (day(9, 1), None))
        assert column(exits(programme.population())) == {}


class TestDurations:
    @pytest.mark.parametrize(
        ("first", "last", "band"),
        [
            (day(1, 1), day(1, 1), "0_3"),
            (day(1, 1), day(3, 30), "0_3"),
            (day(1, 1), day(3, 31), "3_6"),  # three months to the day: the lower bound is included
            (date(2013, 11, 30), day(2, 27), "3_6"),  # to 28 February: 30 November + 3 months
            (day(1, 1), day(12, 31), "12_18"),
            (day(1, 1), date(2015, 12, 30), "18_24"),
            (day(1, 1), date(2015, 12, 31), "24_over"),
        ],
    )
    def test_bands_are_calendar_months(self, first: date, last: date, band: str) -> None:
        assert duration_band(first, last) == band

    def test_closed_and_running_are_two_tables(self, programme: Programme) -> None:
        programme.follow((day(1, 1), day(1, 10)))
        programme.follow((day(1, 1), day(1, 20)))
        programme.follow((day(12, 1), None))
        closed, running = durations(programme.population())
        assert column(closed) == {"*": 2, "0_3": 2}
        assert column(running) == {"*": 1, "0_3": 1}
        assert closed.value(PARIS, measure="mean_days") == 15  # 10 and 20 days, both bounds included
        assert running.value(PARIS, measure="median_days") == 31

    def test_are_never_summed_over_a_re_entry(self, programme: Programme) -> None:
        programme.follow((day(1, 1), day(1, 10)), (day(3, 1), day(3, 30)))
        closed, _ = durations(programme.population())
        assert closed.value(PARIS, measure="mean_days") == 20

    def test_of_nobody_have_no_mean(self, programme: Programme) -> None:
        closed, _ = durations(programme.population())
        with pytest.raises(KeyError):
            closed.value(PARIS, measure="mean_days")


PERIOD = Period(date(2014, 3, 1), date(2014, 6, 30))


@st.composite
def life(draw: st.DrawFn) -> list[Stay]:
    """Parcours of one child, one after the other; the last may be open."""
    stays, on = [], date(2013, 1, 1)
    for number in range(draw(st.integers(1, 5))):
        start = on + timedelta(days=draw(st.integers(1, 200)))
        end = start + timedelta(days=draw(st.integers(0, 300)))
        stays.append(Stay(number, draw(st.integers(1, 3)), start, start, end, "exit_reason:autre"))
        on = end
    if draw(st.booleans()):
        stays[-1].closed_on = None
    return stays


def population_of(lives: list[list[Stay]], period: Period) -> Population:
    extent = Extent(
        (Geography(PARIS, ""), Geography("a", "", PARIS), Geography("b", "", PARIS)),
        {1: (PARIS, "a"), 2: (PARIS, "a"), 3: (PARIS, "b")},
    )
    population = Population(period, extent)
    for number, stays in enumerate(lives):
        followed = [
            s
            for s in stays
            if s.entered_on <= period.ends_on and (s.closed_on is None or s.closed_on >= period.starts_on)
        ]
        if followed:
            earlier = any(s.entered_on < period.starts_on for s in stays)
            population.children[number] = FollowedChild(followed, earlier)  # type: ignore[index]
            population.stays += followed
    return population


class TestIdentities:
    @given(st.lists(life(), max_size=12))
    def test_hold_at_every_place(self, lives: list[list[Stay]]) -> None:
        population = population_of(lives, PERIOD)
        moved, arrivals, gaps = movement(population)
        parcours = parcours_movement(population)
        for place in population.extent.codes:
            value = lambda category, table=moved: table.value(place, category)  # noqa: B023, E731
            assert value("start") + value("arrival") - value("exit") == value("end")
            assert value("*") == value("start") + value("arrival")
            assert value("arrival") == arrivals.value(place, "entry") + arrivals.value(place, "re_entry")
            assert gaps.value(place) == value("*")
            assert value("start", parcours) + value("opened", parcours) - value("closed", parcours) == value(
                "end", parcours
            )
            assert value("*", parcours) == value("start", parcours) + value("opened", parcours)

    @given(st.lists(life(), max_size=12))
    def test_make_teams_add_up_to_paris(self, lives: list[list[Stay]]) -> None:
        population = population_of(lives, PERIOD)
        for table in movement(population):
            for cell in table.cells:
                if cell.geography == PARIS:
                    parts = [table.value(place, cell.category) for place in ("a", "b")]
                    assert cell.value == sum(parts)

    @given(st.lists(life(), max_size=12), st.integers(0, 400))
    def test_chain_one_period_to_the_next(self, lives: list[list[Stay]], length: int) -> None:
        following = Period(PERIOD.after, PERIOD.after + timedelta(days=length))
        before = movement(population_of(lives, PERIOD))[0]
        after = movement(population_of(lives, following))[0]
        assert before.value(PARIS, "end") == after.value(PARIS, "start")

    @given(st.lists(life(), max_size=12))
    def test_tie_durations_and_exits_to_the_movement(self, lives: list[list[Stay]]) -> None:
        population = population_of(lives, PERIOD)
        moved = movement(population)[0]
        closed, running = durations(population)
        parcours = parcours_movement(population)
        assert exits(population).value(PARIS) == moved.value(PARIS, "exit")
        assert closed.value(PARIS) == parcours.value(PARIS, "closed")
        assert running.value(PARIS) == parcours.value(PARIS, "end") == moved.value(PARIS, "end")
