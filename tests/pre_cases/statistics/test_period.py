from datetime import date

import pytest

from pre_cases.statistics.period import Period, PeriodKind


class TestPeriod:
    def test_refuses_to_end_before_it_starts(self) -> None:
        with pytest.raises(ValueError):
            Period(date(2014, 2, 1), date(2014, 1, 31))

    @pytest.mark.parametrize(
        ("period", "kind"),
        [
            (Period(date(2014, 1, 1), date(2014, 12, 31)), PeriodKind.CIVIL),
            (Period(date(2014, 9, 1), date(2015, 8, 31)), PeriodKind.SCHOOL),
            (Period(date(2014, 1, 1), date(2014, 12, 30)), PeriodKind.OTHER),
            (Period(date(2013, 1, 1), date(2014, 12, 31)), PeriodKind.OTHER),
            (Period(date(2007, 10, 1), date(2014, 6, 30)), PeriodKind.OTHER),
        ],
    )
    def test_knows_a_whole_year(self, period: Period, kind: PeriodKind) -> None:
        assert period.kind is kind
        assert period.is_whole_year == (kind is not PeriodKind.OTHER)

    @pytest.mark.parametrize("code", ["civile-2014", "scolaire-2014"])
    def test_is_found_by_its_code(self, code: str) -> None:
        assert Period.from_code(code).code == code

    @pytest.mark.parametrize(
        "code", ["", "2014", "civile-", "civile-14", "autre-2014", "civile-20140", "civile-２０１４"]
    )
    def test_refuses_another_code(self, code: str) -> None:
        with pytest.raises(ValueError):
            Period.from_code(code)
