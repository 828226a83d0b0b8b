"""Years that are over are frozen before somebody leaves; years that run are added to."""

from datetime import date

import pytest

from audit.history import system_account
from pre_cases.models import Child, Parcours, YearlyFacts
from pre_cases.services.erasure import erase_child
from pre_cases.statistics.extent import programme_extent, team_extent
from pre_cases.statistics.period import Period
from pre_cases.statistics.remaining import add_counts, freeze_year, is_frozen, years_between
from pre_cases.statistics.report import exact_report, figures
from pre_cases.statistics.tables import TOTAL
from pre_cases.statistics.years import finished_years
from tests.cast import Cast
from tests.erasures import make_former

YEAR = Period.civil_year(2023)


@pytest.fixture
def child(cast: Cast) -> Child:
    """Followed in team A from January to June 2023."""
    return make_former(cast.team_a, ended_on=date(2023, 6, 30)).child


def followed(cast: Cast, year: Period = YEAR) -> list[int]:
    """Children followed, in Paris and in team A."""
    return [
        int(next(t for t in figures(year, extent) if t.spec.code == "movement").value(extent.top))
        for extent in (programme_extent(), team_extent(cast.team_a))
    ]


class TestFreezeYear:
    def test_keeps_every_figure_whoever_leaves(self, cast: Cast, child: Child) -> None:
        make_former(cast.team_a, first_name="Lou", ended_on=date(2023, 9, 3))
        before = [figures(YEAR, extent) for extent in (programme_extent(), team_extent(cast.team_a))]
        assert followed(cast) == [2, 2]
        freeze_year(YEAR, figures)
        erase_child(child=child, by=system_account())
        assert [figures(YEAR, extent) for extent in (programme_extent(), team_extent(cast.team_a))] == before

    def test_is_what_keeps_them(self, cast: Cast, child: Child) -> None:
        """The control: not frozen, the year loses the child."""
        erase_child(child=child, by=system_account())
        assert followed(cast) == [0, 0]

    def test_is_done_once(self, cast: Cast, child: Child) -> None:
        freeze_year(YEAR, figures)
        first = YearlyFacts.objects.get()
        make_former(cast.team_a, first_name="Lou", ended_on=date(2023, 9, 3))
        freeze_year(YEAR, figures)
        assert YearlyFacts.objects.get().frozen_at == first.frozen_at
        assert followed(cast) == [1, 1]

    def test_includes_what_had_been_added_while_the_year_ran(self, cast: Cast, child: Child) -> None:
        add_counts(YEAR, [["movement", "team:a", TOTAL, "", "children", 3]])
        assert followed(cast) == [4, 4]
        freeze_year(YEAR, figures)
        assert is_frozen(YEAR)
        assert followed(cast) == [4, 4]

    def test_keeps_a_year_in_the_list_after_its_last_child(self, cast: Cast, child: Child) -> None:
        freeze_year(YEAR, figures)
        erase_child(child=child, by=system_account())
        assert not Parcours.objects.filter(entered_on__year=2023).exists()
        assert YEAR in finished_years()

    def test_says_nothing_of_other_intervals(self, cast: Cast, child: Child) -> None:
        freeze_year(YEAR, figures)
        erase_child(child=child, by=system_account())
        assert followed(cast, Period(date(2023, 1, 1), date(2023, 12, 30))) == [0, 0]

    def test_holds_no_id_and_no_row_a_child(self, cast: Cast, child: Child) -> None:
        freeze_year(YEAR, figures)
        cells = YearlyFacts.objects.get().cells
        assert {len(cell) for cell in cells} == {6}
        assert str(child.pk) not in str(cells)


class TestAddCounts:
    def test_adds_up_and_forgets_what_falls_to_zero(self, cast: Cast) -> None:
        row = ["sex", "team:a", "girl", "", "children"]
        add_counts(YEAR, [[*row, 2]])
        add_counts(YEAR, [[*row, 1], ["sex", "team:a", "boy", "", "children", 1]])
        add_counts(YEAR, [["sex", "team:a", "boy", "", "children", -1]])
        assert YearlyFacts.objects.get().cells == [[*row, 3]]

    def test_changes_nothing_once_the_year_is_frozen(self, cast: Cast, child: Child) -> None:
        freeze_year(YEAR, figures)
        add_counts(YEAR, [["movement", "team:a", TOTAL, "", "children", 3]])
        assert followed(cast) == [1, 1]

    def test_shares_follow_the_counts(self, cast: Cast, child: Child) -> None:
        add_counts(
            YEAR,
            [
                ["signs_heading", "team:a", TOTAL, "", "children", 2],
                ["signs_heading", "team:a", "scolarite", "", "children", 1],
            ],
        )
        report = exact_report(YEAR, cast.team_a)
        cells = {j.cell.measure: j.cell.value for _, t in report for j in t.judged if _is_scolarite(j.cell)}
        assert cells["children"] == 1
        assert cells["percent"] == 50


def _is_scolarite(cell: object) -> bool:
    return (cell.table, cell.category) == ("signs_heading", "scolarite")  # type: ignore[attr-defined]


class TestYearsBetween:
    def test_are_both_kinds_with_their_bounds(self) -> None:
        assert years_between(date(2023, 8, 31), date(2024, 9, 1)) == [
            Period.civil_year(2023),
            Period.civil_year(2024),
            Period.school_year(2022),
            Period.school_year(2023),
            Period.school_year(2024),
        ]
