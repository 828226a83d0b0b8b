from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pre_cases.deadlines import due_after, latest_receipt_late_on

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


class TestDueAfter:
    @pytest.mark.parametrize(
        ("received_on", "months", "due_on"),
        [
            (date(2026, 3, 3), 1, date(2026, 4, 3)),
            (date(2026, 1, 31), 1, date(2026, 2, 28)),
            (date(2028, 1, 30), 1, date(2028, 2, 29)),
            (date(2026, 12, 15), 1, date(2027, 1, 15)),
            (date(2026, 11, 30), 3, date(2027, 2, 28)),
        ],
    )
    def test_is_the_same_day_or_the_last_of_a_shorter_month(self, received_on: date, months: int, due_on: date) -> None:
        assert due_after(received_on, months) == due_on


class TestLatestReceiptLateOn:
    @given(day=DAYS, months=st.sampled_from([1, 3]))
    def test_is_the_last_one_whose_deadline_has_passed(self, day: date, months: int) -> None:
        found = latest_receipt_late_on(day, months)
        assert due_after(found, months) < day <= due_after(found + timedelta(days=1), months)
