"""Facts of each child at the reference day, and those frozen at the entry."""

from datetime import date
from typing import Any

import pytest

from audit.history import acting_as, system_account
from partners.models import School, SchoolPriorityStatus
from partners.models.school import uai_letter
from pre_cases.models import Child
from pre_cases.statistics.children import children
from pre_cases.statistics.identity import read_identities
from pre_cases.statistics.period import Period
from pre_cases.statistics.residence import read_residences
from pre_cases.statistics.schooling import read_schooling
from tests.cast import make_residence, make_schooling
from tests.pre_cases.statistics.invented import PARIS, YEAR, Programme, column, day

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture
def programme() -> Programme:
    return Programme()


def make_school(number: int = 1, *labels: tuple[str, date, date | None]) -> School:
    digits = f"{750000 + number:07d}"
    school = School.objects.create(uai=digits + uai_letter(digits), name=f"École {number}")
    for status, starts_on, ends_on in labels:
        SchoolPriorityStatus.objects.create(school=school, status=status, starts_on=starts_on, ends_on=ends_on)
    return school


def tables(programme: Programme, period: Period = YEAR) -> dict[str, dict[str, Any]]:
    population = programme.population(period)
    read_identities(population)
    read_schooling(population)
    read_residences(population)
    found = {table.spec.code: column(table) for table in children(population)}
    return {code: {k: v for k, v in counts.items() if k != "*"} for code, counts in found.items()}


def school_year(child: Child, year: int, level: str = "cp", **values: Any) -> None:
    make_schooling(child, level=level, school_year=year, **values)


class TestAge:
    @pytest.mark.parametrize(
        ("born", "last_day", "band"),
        [
            (date(2008, 12, 31), None, "6_10"),  # six on the very last day
            (date(2009, 1, 1), None, "2_5"),
            (date(2003, 6, 15), day(6, 15), "11_16"),  # at the last day followed, not at the end of the year
            (date(2003, 6, 16), day(6, 15), "6_10"),
            (date(2008, 2, 29), day(2, 28), "2_5"),  # born on 29 February: six on 1 March
            (date(2008, 2, 29), day(3, 1), "6_10"),
            (date(2013, 3, 1), None, "under_2"),
            (date(1997, 5, 1), None, "17_over"),
        ],
    )
    def test_is_that_of_the_reference_day(
        self, programme: Programme, born: date, last_day: date | None, band: str
    ) -> None:
        programme.follow((day(1, 6), last_day), birth_date=born)
        assert tables(programme)["age"] == {band: 1}

    def test_is_not_filled_in_without_a_birth_date(self, programme: Programme) -> None:
        programme.follow((day(1, 6), None), birth_date=None)
        assert tables(programme)["age"] == {"nr": 1}

    def test_is_crossed_with_the_sex(self, programme: Programme) -> None:
        programme.follow((day(1, 6), None), birth_date=date(2007, 1, 1), sex="")
        crossed = tables(programme)["age_sex"]
        assert crossed[("6_10", "nr")] == crossed[("6_10", "*")] == crossed[("*", "nr")] == 1


class TestLevel:
    def test_is_the_confirmed_one_of_the_reference_day(self, programme: Programme) -> None:
        child = programme.follow((day(1, 6), None))
        school_year(child, 2013, "cp")
        school_year(child, 2014, "ce1")
        assert tables(programme)["level"] == {"ce1": 1}
        assert tables(programme)["level_rollup"] == {"elementaire": 1}

    def test_is_that_of_the_year_left(self, programme: Programme) -> None:
        child = programme.follow((day(1, 6), day(5, 2)))
        school_year(child, 2013, "cp")
        school_year(child, 2014, "ce1")
        assert tables(programme)["level"] == {"cp": 1}

    def test_of_the_summer_belongs_to_the_year_begun_in_september(self, programme: Programme) -> None:
        child = programme.follow((day(1, 6), day(8, 20)))
        school_year(child, 2013, "cm2", ends_on=day(7, 5))
        assert tables(programme, Period(day(7, 15), day(12, 31)))["level"] == {"cm2": 1}

    def test_is_otherwise_the_last_confirmed_of_the_period(self, programme: Programme) -> None:
        child = programme.follow((day(1, 6), None))
        school_year(child, 2013, "gs")
        school_year(child, 2014, "cp", confirmed_on=None)
        assert tables(programme)["level"] == {"gs": 1}

    def test_is_not_filled_in_when_only_presumed(self, programme: Programme) -> None:
        child = programme.follow((day(10, 6), None))
        school_year(child, 2014, "cp", confirmed_on=None)
        school_year(child, 2012, "ms")
        found = tables(programme)
        assert found["level"] == found["level_rollup"] == found["school_status"] == found["support"] == {"nr": 1}

    def test_has_its_support_beside_it(self, programme: Programme) -> None:
        child = programme.follow((day(10, 6), None))
        school_year(child, 2014, "ce2", in_ulis=True)
        assert tables(programme)["support"] == {"ulis": 1}
        assert tables(programme)["level"] == {"ce2": 1}


class TestSchoolStatus:
    @pytest.mark.parametrize(
        ("label", "category"), [("rep_plus", "rep_plus"), ("eclair", "rep_plus"), ("zep", "rep"), ("rrs", "rep")]
    )
    def test_rolls_up_to_the_label_of_today(self, programme: Programme, label: str, category: str) -> None:
        school = make_school(1, (label, date(2010, 9, 1), None))
        school_year(programme.follow((day(10, 6), None)), 2014, school=school)
        assert tables(programme)["school_status"] == {category: 1}

    def test_is_that_of_the_reference_day(self, programme: Programme) -> None:
        school = make_school(1, ("zep", date(2010, 9, 1), day(9, 1)))
        child = programme.follow((day(1, 6), None))
        school_year(child, 2013, school=school)
        school_year(child, 2014, school=school)
        assert tables(programme)["school_status"] == {"none": 1}
        assert tables(programme, Period(day(1, 1), day(8, 31)))["school_status"] == {"rep": 1}

    def test_is_not_filled_in_without_a_school(self, programme: Programme) -> None:
        school_year(programme.follow((day(10, 6), None)), 2014)
        assert tables(programme)["school_status"] == {"nr": 1}


class TestResidence:
    def test_is_fixed_at_the_entry(self, programme: Programme) -> None:
        child = programme.follow((day(3, 3), None))
        make_home(child, "ZUS18", ends_on=day(4, 1))
        make_home(child, "", starts_on=day(4, 1))
        assert tables(programme)["residence"] == {"zus": 1}

    @pytest.mark.parametrize(
        ("entered_on", "generation"),
        [(date(2014, 12, 31), "zus"), (date(2015, 1, 1), "qpv2015"), (date(2024, 1, 1), "qpv2024")],
    )
    def test_has_the_generation_of_the_entry(self, programme: Programme, entered_on: date, generation: str) -> None:
        child = programme.follow((entered_on, None))
        make_home(child, "QN1", generation, starts_on=date(2013, 1, 1))
        assert tables(programme, Period.civil_year(entered_on.year))["residence"] == {generation: 1}

    def test_is_not_read_in_another_generation(self, programme: Programme) -> None:
        child = programme.follow((date(2015, 3, 3), None))
        make_home(child, "ZUS18", "zus", starts_on=date(2013, 1, 1))
        assert tables(programme, Period.civil_year(2015))["residence"] == {"nr": 1}

    def test_needs_only_one_home_of_two(self, programme: Programme) -> None:
        child = programme.follow((day(3, 3), None))
        make_home(child, "")
        make_home(child, "ZUS18")
        assert tables(programme)["residence"] == {"zus": 1}

    def test_is_outside_only_when_every_home_was_looked_at(self, programme: Programme) -> None:
        child = programme.follow((day(3, 3), None))
        make_home(child, "")
        assert tables(programme)["residence"] == {"outside": 1}
        make_home(child, "", determined_on=None)
        assert tables(programme)["residence"] == {"nr": 1}


def make_home(child: Child, code: str, generation: str = "zus", **values: Any) -> None:
    values.setdefault("starts_on", date(2012, 1, 1))
    home = make_residence(child, qpv_code=code, **{"determined_on": values["starts_on"], **values})
    if code:
        home.qpv_generation = generation
        with acting_as(system_account()):
            home.save()


class TestEligibility:
    def test_joins_the_two_facts_of_the_entry(self, programme: Programme) -> None:
        labelled = make_school(1, ("zep", date(2010, 9, 1), day(9, 1)))
        plain = make_school(2)
        for code, school in (("ZUS18", labelled), ("ZUS18", plain), ("", labelled), ("", plain)):
            child = programme.follow((day(3, 3), None))
            make_home(child, code)
            school_year(child, 2013, school=school)
        assert tables(programme)["eligibility"] == {"both": 1, "qpv_only": 1, "rep_only": 1, "neither": 1}

    def test_is_unknown_as_soon_as_one_is(self, programme: Programme) -> None:
        make_home(programme.follow((day(3, 3), None)), "ZUS18")
        assert tables(programme)["eligibility"] == {"nr": 1}

    def test_stays_that_of_the_entry_when_the_school_changes(self, programme: Programme) -> None:
        child = programme.follow((day(3, 3), None))
        make_home(child, "")
        school_year(child, 2013, school=make_school(1, ("zep", date(2010, 9, 1), None)))
        school_year(child, 2014, school=make_school(2))
        found = tables(programme)
        assert found["eligibility"] == {"rep_only": 1}
        assert found["school_status"] == {"none": 1}


class TestChildren:
    def test_stand_once_in_each_table(self, programme: Programme) -> None:
        programme.follow((date(2013, 5, 1), day(3, 31)), (day(9, 1), None), teams=(programme.north, programme.east))
        population = programme.population()
        for table in children(population):
            total = table.value(PARIS, "*", "*" if table.spec.variable_2 else "")
            assert total == 1
