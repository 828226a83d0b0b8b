"""Days in French."""

from datetime import UTC, date, datetime

import pytest
from django.template import Context, Template

from referents.days import day, instant, long_day


class TestDay:
    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (date(2026, 2, 1), "1er\u00a0févr. 2026"),
            (date(2026, 8, 11), "11\u00a0août 2026"),
            (None, ""),
        ],
    )
    def test_is_short(self, value: date | None, written: str) -> None:
        assert day(value) == written

    def test_of_an_instant_is_that_of_paris(self) -> None:
        assert day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == "1er\u00a0janv. 2027"


class TestLongDay:
    def test_writes_the_month_in_full(self) -> None:
        assert long_day(date(2026, 12, 1)) == "1er\u00a0décembre 2026"
        assert long_day(date(2026, 12, 21)) == "21\u00a0décembre 2026"


class TestInstant:
    def test_adds_the_hour_of_paris(self) -> None:
        assert instant(datetime(2026, 7, 1, 7, 5, tzinfo=UTC)) == "1er\u00a0juillet 2026 à 9\u00a0h\u00a005"

    def test_of_nothing_is_nothing(self) -> None:
        assert instant(None) == ""


class TestFilters:
    def test_need_no_loading(self) -> None:
        page = Template("{{ on|day }} {{ on|long_day }}{{ at|instant }}")
        assert page.render(Context({"on": date(2026, 2, 1), "at": None})) == "1er\u00a0févr. 2026 1er\u00a0février 2026"
