from datetime import date

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.history import acting_as, system_account
from partners.models.school import School, SchoolNature, SchoolPriorityStatus, SchoolTeam, uai_letter
from referents.models import Arrondissement, Membership, Role, Team, User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel("2026-11-24 10:00 +0100", tick=False):
        yield


@pytest.fixture
def get(signed_in, db):
    """Reads a page as someone whose role opens no file of a child."""
    with acting_as(system_account()):
        user = User.objects.create_user("reader@marelle.example", first_name="Esther", last_name="Palet")
        Membership.objects.create(user=user, role=Role.PILOTAGE)
    client = signed_in(user)
    return lambda url, **criteria: client.get(url, criteria)


def make_school(number, name="École du Palet", *, nature="maternelle", status="", **attributes):
    digits = f"{number:07d}"
    school = School.objects.create(
        uai=digits + uai_letter(digits), name=name, **{"city": "Paris", "opened_on": date(1975, 9, 1), **attributes}
    )
    SchoolNature.objects.create(school=school, nature=nature, starts_on=date(1975, 9, 1))
    if status:
        SchoolPriorityStatus.objects.create(school=school, status=status, starts_on=date(2015, 9, 1))
    return school


def names(response):
    return [school.name for school in response.context["page"]]


class TestSchoolList:
    URL = "/ecoles/"

    def test_asks_to_sign_in(self, client):
        assert client.get(self.URL, secure=True).status_code == 302

    def test_shows_the_label_with_its_date(self, get):
        make_school(759_001, status="rep_plus")
        page = get(self.URL).content.decode()
        assert "REP+, depuis le 1er\u00a0sept. 2015" in page

    @pytest.fixture
    def schools(self):
        eighteenth, _ = Arrondissement.objects.get_or_create(number=18, defaults={"name": "Dix-huitième"})
        team = Team.objects.create(code="T18", name="Équipe du 18e", arrondissement=eighteenth)
        first = make_school(759_001, "Éloïse", status="rep_plus", arrondissement=eighteenth)
        SchoolTeam.objects.create(school=first, team=team, starts_on=date(2020, 9, 1))
        make_school(759_002, "Noël", nature="college", status="rep", city="Fresnes")
        make_school(759_003, "Fermée", closed_on=date(2026, 9, 1))

    @pytest.mark.parametrize(
        ("criteria", "expected"),
        [
            ({}, ["Éloïse", "Noël"]),
            ({"text": "eloise"}, ["Éloïse"]),
            ({"text": "fresnes"}, ["Noël"]),
            ({"text": "0759002c"}, ["Noël"]),
            ({"arrondissement": "18"}, ["Éloïse"]),
            ({"nature": "college"}, ["Noël"]),
            ({"priority": "any"}, ["Éloïse", "Noël"]),
            ({"priority": "rep"}, ["Noël"]),
            ({"priority": "none"}, []),
            ({"priority": "none", "closed": "on"}, ["Fermée"]),
            ({"perimeter": "on"}, ["Éloïse"]),
            ({"closed": "on"}, ["Éloïse", "Fermée", "Noël"]),
            ({"text": "introuvable"}, []),
        ],
    )
    def test_keeps_the_schools_that_answer_every_criterion(self, get, schools, criteria, expected):
        assert names(get(self.URL, **criteria)) == expected

    @pytest.mark.parametrize(
        "criteria", [{"nature": "x"}, {"arrondissement": "x"}, {"text": "\x00"}, {"text": "a" * 101}]
    )
    def test_explains_a_criterion_that_it_cannot_read(self, get, schools, criteria):
        response = get(self.URL, **criteria)
        assert response.status_code == 200
        assert set(response.context["form"].errors) == set(criteria)
        assert names(response) == []

    def test_says_what_to_do_when_nothing_is_found(self, get, schools):
        assert "Essayez avec moins de mots" in get(self.URL, text="introuvable").content.decode()

    def test_shows_twenty_five_schools_a_page_and_keeps_the_criteria(self, get):
        for number in range(26):
            make_school(759_000 + number, f"École {number:02d}")
        first = get(self.URL, text="école")
        assert len(names(first)) == 25
        assert "/ecoles/?text=%C3%A9cole&amp;page=2" in first.content.decode()
        assert names(get(self.URL, text="école", page="2")) == ["École 25"]
        assert names(get(self.URL, text="école", page="99")) == ["École 25"]
        assert len(names(get(self.URL, page="pas un nombre"))) == 25

    def test_costs_the_same_queries_for_one_school_or_twenty_five(self, get):
        make_school(759_000, status="rep")
        get(self.URL)  # the first page of a session may write it
        with CaptureQueriesContext(connection) as one:
            get(self.URL)
        for number in range(1, 25):
            make_school(759_000 + number, status="rep")
        with CaptureQueriesContext(connection) as many:
            assert len(names(get(self.URL))) == 25
        assert len(many) == len(one)


class TestSchoolDetail:
    def url(self, uai):
        return reverse("partners:school_detail", args=[uai])

    def test_shows_the_labels_over_time_and_the_team(self, get):
        school = make_school(759_001, "Éloïse", status="rep_plus", address="1 rue de la Marelle")
        SchoolPriorityStatus.objects.create(
            school=school, status="eclair", starts_on=date(2011, 9, 1), ends_on=date(2015, 9, 1)
        )
        arrondissement, _ = Arrondissement.objects.get_or_create(number=18, defaults={"name": "Dix-huitième"})
        team = Team.objects.create(code="T18", name="Équipe de la Butte", arrondissement=arrondissement)
        SchoolTeam.objects.create(school=school, team=team, starts_on=date(2020, 9, 1))
        page = " ".join(get(self.url(school.uai)).content.decode().split())
        assert "<strong>REP+</strong>, depuis le 1er septembre 2015" in page
        assert "<strong>ÉCLAIR</strong>, du 1er septembre 2011 au 31 août 2015" in page
        assert "Équipe de la Butte" in page
        assert "1 rue de la Marelle" in page

    def test_says_when_the_school_is_closed(self, get):
        school = make_school(759_001, closed_on=date(2026, 9, 1))
        assert "fermé depuis le 1er\u00a0septembre 2026" in get(self.url(school.uai)).content.decode()

    @pytest.mark.parametrize("uai", ["0759001B", "x", "0759001B\x00", "école", "%"])
    def test_an_unknown_number_is_not_found(self, get, uai):
        assert get(self.url(uai)).status_code == 404

    def test_asks_to_sign_in(self, client):
        assert client.get(self.url("0759001B"), secure=True).status_code == 302
