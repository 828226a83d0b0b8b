"""Projects, money, places held and declared children: measures that are never added to one another."""

from datetime import date
from decimal import Decimal

import pytest

from audit.disclosure.cells import TOTAL
from partners.models import Organisation, Project, ProjectHeadcount, Term
from pre_cases.statistics.period import Period
from pre_cases.statistics.projects import projects, projects_of
from tests.cast import make_enrolment, make_project
from tests.pre_cases.statistics.invented import PARIS, YEAR, Programme, column, day

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

SEPTEMBER = day(9, 1)


@pytest.fixture
def programme() -> Programme:
    return Programme()


def found(programme: Programme, code: str, measure: str = "", geography: str = PARIS):
    table = next(table for table in projects(YEAR, programme.extent) if table.spec.code == code)
    return column(table, geography, measure)


def declare(project: Project, sex: str, band: str, number: int, starts_on: date = SEPTEMBER) -> None:
    ProjectHeadcount.objects.create(
        project=project,
        starts_on=starts_on,
        ends_on=date(2015, 7, 1),
        sex=sex,
        age_band=band,
        number=number,
        declared_on=date(2015, 7, 1),
    )


class TestProjectsOfAPeriod:
    @pytest.mark.parametrize(
        ("period", "years"),
        [
            (YEAR, {2014}),
            (Period.school_year(2014), {2014}),
            (Period(day(9, 2), date(2015, 9, 1)), {2015}),
            (Period(day(9, 1), day(9, 1)), {2014}),
            (Period(day(1, 1), day(8, 31)), set()),
            (Period(date(2013, 10, 1), date(2015, 12, 31)), {2014, 2015}),
        ],
    )
    def test_begin_their_school_year_inside(self, programme: Programme, period: Period, years: set[int]) -> None:
        for year in (2013, 2014, 2015):
            make_project(programme.north, school_year=year)
        assert set(projects_of(period).values_list("school_year", flat=True)) == years


class TestNumbers:
    def test_count_projects_organisations_and_places(self, programme: Programme) -> None:
        make_project(programme.north, programme.south, title="Un", places=10, school_year=2014)
        make_project(programme.north, programme.east, title="Deux", places=5, school_year=2014)
        other = make_project(programme.east, title="Trois", places=1, school_year=2014)
        other.organisation = Organisation.objects.create(name="Le Préau")
        other.domain = Term.objects.get(pk="domain:social")
        other.save()
        assert found(programme, "projects") == {TOTAL: 3, "educatif": 2, "social": 1}
        assert found(programme, "projects", "organisations") == {TOTAL: 2, "educatif": 1, "social": 1}
        assert found(programme, "projects", "places") == {TOTAL: 16, "educatif": 15, "social": 1}
        assert found(programme, "projects", geography="arrondissement:18") == {TOTAL: 2, "educatif": 2}
        assert found(programme, "projects", geography="arrondissement:19") == {TOTAL: 2, "educatif": 1, "social": 1}

    def test_count_a_project_that_admits_no_team_in_paris(self, programme: Programme) -> None:
        make_project(school_year=2014)
        assert found(programme, "projects") == {TOTAL: 1, "educatif": 1}


class TestAmounts:
    def test_are_summed_to_the_cent_for_paris_only(self, programme: Programme) -> None:
        for title in ("Un", "Deux"):
            make_project(programme.north, title=title, school_year=2014, granted=Decimal("100.10"))
        assert found(programme, "project_amounts", "granted") == {
            TOTAL: Decimal("200.20"),
            "educatif": Decimal("200.20"),
        }
        assert found(programme, "project_amounts", "granted", "arrondissement:18") == {}


class TestEnrolments:
    def test_are_not_children(self, programme: Programme) -> None:
        [one, other] = [make_project(programme.north, title=title, school_year=2013) for title in ("Un", "Deux")]
        parcours = programme.follow((date(2013, 9, 2), None)).parcours_list.get()
        make_enrolment(parcours, one, starts_on=date(2013, 10, 1))
        make_enrolment(parcours, other, starts_on=day(2, 1))
        assert found(programme, "enrolments") == {TOTAL: 1, "educatif": 1}
        assert found(programme, "enrolments", "enrolments") == {TOTAL: 2, "educatif": 2}

    def test_count_when_they_overlap_the_period(self, programme: Programme) -> None:
        project = make_project(programme.north, school_year=2013)
        for starts_on, ends_on in (
            (date(2013, 10, 1), day(1, 1)),  # its last day is 31 December
            (date(2013, 10, 1), day(1, 2)),
            (date(2015, 1, 1), None),
            (day(5, 1), day(5, 1)),
        ):
            parcours = programme.follow((date(2013, 9, 2), None)).parcours_list.get()
            make_enrolment(parcours, project, starts_on=starts_on, ends_on=ends_on)
        assert found(programme, "enrolments") == {TOTAL: 1, "educatif": 1}

    def test_count_a_child_of_two_teams_once(self, programme: Programme) -> None:
        child = programme.follow((day(1, 6), day(3, 1)), (day(5, 1), None), teams=(programme.north, programme.east))
        for parcours in child.parcours_list.all():
            make_enrolment(
                parcours, make_project(title=str(parcours.pk), school_year=2013), starts_on=parcours.entered_on
            )
        assert found(programme, "enrolments") == {TOTAL: 1, "educatif": 1}
        assert found(programme, "enrolments", geography="arrondissement:18") == {}
        assert found(programme, "enrolments", geography="arrondissement:19") == {TOTAL: 1, "educatif": 1}


class TestDeclared:
    def test_are_kept_apart_and_not_counted_twice(self, programme: Programme) -> None:
        project = make_project(programme.north, school_year=2014)
        declare(project, "girl", "6_10", 12)
        declare(project, "girl", "6_10", 15, date(2015, 1, 5))
        declare(project, "boy", "11_16", 7)
        declare(make_project(programme.north, school_year=2013), "boy", "11_16", 50)
        table = found(programme, "declared")
        assert table[("*", "*")] == 22
        assert table[("6_10", "girl")] == 15
        assert found(programme, "enrolments") == {}
