"""Establishments by nature, with the one whose nature changed; teams at work; people and their load."""

from datetime import date

import pytest

from audit.disclosure.cells import TOTAL
from partners.models import School, SchoolNature, SchoolTeam
from pre_cases.models import Assignment
from pre_cases.statistics.extent import programme_extent
from pre_cases.statistics.means import means
from pre_cases.statistics.schools import schools
from referents.models import Role
from tests.cast import make_schooling, make_user
from tests.pre_cases.statistics.invented import PARIS, YEAR, Programme, column, day, saved
from tests.pre_cases.statistics.test_children import make_school

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture
def programme() -> Programme:
    return Programme()


def found(programme: Programme, code: str, geography: str = PARIS, measure: str = ""):
    table = next(table for table in schools(programme.population()) if table.spec.code == code)
    return column(table, geography, measure)


def of_nature(number: int, *natures: tuple[str, date, date | None]) -> School:
    school = make_school(number)
    for nature, starts_on, ends_on in natures:
        SchoolNature.objects.create(school=school, nature=nature, starts_on=starts_on, ends_on=ends_on)
    return school


ALWAYS = date(2000, 9, 1)


class TestPerimeter:
    def test_counts_a_school_whose_nature_changed_once_in_the_total_and_in_each(self, programme: Programme) -> None:
        changed = of_nature(1, ("maternelle", ALWAYS, day(9, 1)), ("elementaire", day(9, 1), None))
        plain = of_nature(2, ("college", ALWAYS, None))
        for school in (changed, plain):
            SchoolTeam.objects.create(school=school, team=programme.north, starts_on=ALWAYS)
        assert found(programme, "schools_perimeter") == {TOTAL: 2, "maternelle": 1, "elementaire": 1, "college": 1}

    def test_holds_the_schools_that_a_team_answered_for(self, programme: Programme) -> None:
        for number, (starts_on, ends_on) in enumerate(
            [(ALWAYS, date(2014, 1, 1)), (ALWAYS, day(1, 2)), (date(2015, 1, 1), None), (day(5, 1), day(5, 1))], 1
        ):
            school = of_nature(number, ("college", ALWAYS, None))
            SchoolTeam.objects.create(school=school, team=programme.north, starts_on=starts_on, ends_on=ends_on)
        assert found(programme, "schools_perimeter") == {TOTAL: 1, "college": 1}

    def test_counts_a_school_handed_over_once_in_paris(self, programme: Programme) -> None:
        school = of_nature(1, ("college", ALWAYS, None))
        SchoolTeam.objects.create(school=school, team=programme.north, starts_on=ALWAYS, ends_on=day(9, 1))
        SchoolTeam.objects.create(school=school, team=programme.east, starts_on=day(9, 1))
        assert found(programme, "schools_perimeter") == {TOTAL: 1, "college": 1}
        assert found(programme, "schools_perimeter", "arrondissement:19") == {TOTAL: 1, "college": 1}

    def test_says_when_a_nature_is_unknown(self, programme: Programme) -> None:
        SchoolTeam.objects.create(school=of_nature(1), team=programme.north, starts_on=ALWAYS)
        assert found(programme, "schools_perimeter") == {TOTAL: 1, "nr": 1}


class TestConcerned:
    def test_need_a_confirmed_schooling_on_a_followed_day(self, programme: Programme) -> None:
        child = programme.follow((day(3, 1), day(4, 30)))
        during, before, presumed, after = (of_nature(n, ("college", ALWAYS, None)) for n in range(1, 5))
        make_schooling(child, school=before, school_year=2013, ends_on=day(3, 1))
        make_schooling(child, school=during, school_year=2013, starts_on=day(3, 1), ends_on=day(4, 1))
        make_schooling(
            child, school=presumed, school_year=2013, starts_on=day(4, 1), ends_on=day(5, 1), confirmed_on=None
        )
        make_schooling(child, school=after, school_year=2013, starts_on=day(5, 1), ends_on=day(9, 1))
        assert found(programme, "schools_concerned") == {TOTAL: 1, "college": 1}

    def test_join_each_schooling_with_the_same_parcours(self, programme: Programme) -> None:
        """Between two parcours the child was not followed: the school of that time is not concerned."""
        child = programme.follow((day(1, 6), day(2, 1)), (day(10, 1), None))
        school = of_nature(1, ("college", ALWAYS, None))
        make_schooling(child, school=school, school_year=2013, starts_on=day(3, 1), ends_on=day(7, 1))
        assert found(programme, "schools_concerned") == {}

    def test_stand_in_the_place_of_the_team_that_followed(self, programme: Programme) -> None:
        child = programme.follow((day(1, 6), day(2, 1)), (day(10, 1), None), teams=(programme.north, programme.east))
        school = of_nature(1, ("college", ALWAYS, None))
        make_schooling(child, school=school, school_year=2013, starts_on=day(1, 1), ends_on=day(2, 2))
        assert found(programme, "schools_concerned", "arrondissement:18") == {TOTAL: 1, "college": 1}
        assert found(programme, "schools_concerned", "arrondissement:19") == {}


class TestTeams:
    def test_at_work_are_counted_with_their_arrondissements(self, programme: Programme) -> None:
        programme.follow((day(1, 6), None), team=programme.north)
        SchoolTeam.objects.create(school=of_nature(1), team=programme.south, starts_on=ALWAYS)
        assert found(programme, "teams") == {TOTAL: 2}
        assert found(programme, "teams", measure="arrondissements") == {TOTAL: 1}


class TestMeans:
    def test_count_people_and_their_load_on_the_last_day(self, programme: Programme) -> None:
        long_ago = date(2010, 1, 1)
        busy = make_user("Ada", Role.REFERENT, programme.north, since=long_ago)
        make_user("Bo", Role.REFERENT, programme.east, since=long_ago)
        make_user("Cy", Role.COORDINATOR, programme.north, since=long_ago)
        make_user("Di", Role.REFERENT, programme.north, since=date(2015, 1, 1))
        for closed_on, ends_on in ((None, None), (day(12, 31), None), (None, day(12, 31)), (None, date(2015, 1, 1))):
            parcours = programme.follow((day(1, 6), closed_on)).parcours_list.get()
            saved(Assignment, parcours=parcours, referent=busy, starts_on=day(1, 6), ends_on=ends_on)
        staff, caseload, _ = means(YEAR, programme_extent())
        assert column(staff) == {TOTAL: 3, "referent": 2, "coordinator": 1}
        assert column(caseload) == {TOTAL: 2, "1_19": 1, "0": 1}
        assert caseload.value(PARIS, measure="mean_parcours") == 1
        assert column(caseload, "arrondissement:19") == {TOTAL: 1, "0": 1}
