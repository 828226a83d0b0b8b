"""The directory of organisations: read by everyone signed in, kept by the coordination and the pilotage."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.journal.models import Event
from partners.models import Organisation, OrganisationKind
from tests.cast import Cast, make_project

LIST, CREATE = "partners:organisation_list", "partners:organisation_create"


def fill(number: int, name: str = "Organisme") -> None:
    for index in range(number):
        Organisation.objects.create(name=f"{name} {index:02}")


class TestOrganisationList:
    def test_is_open_to_everyone_who_holds_a_role(self, cast: Cast, signed_in) -> None:
        for person in (cast.amina, cast.benoit, cast.david, cast.esther, cast.farid, cast.gaelle, cast.hugo):
            assert "Les Amis du square" in signed_in(person).get(reverse(LIST)).content.decode()

    def test_offers_to_add_only_to_those_who_may(self, cast: Cast, signed_in) -> None:
        offered = [
            p
            for p in (cast.amina, cast.benoit, cast.david, cast.esther, cast.hugo)
            if signed_in(p).get(reverse(LIST)).context["may_add"]
        ]
        assert offered == [cast.amina, cast.esther]

    def test_finds_by_name_without_accents_by_kind_and_by_arrondissement(self, cast: Cast, signed_in) -> None:
        Organisation.objects.create(
            name="Point d’accès au droit Épinettes", kind=OrganisationKind.PAD, arrondissement_id=18
        )
        client = signed_in(cast.benoit)
        for criteria, found in (
            ({"text": "epinettes"}, 1),
            ({"kind": "pad"}, 1),
            ({"arrondissement": "18"}, 1),
            ({"arrondissement": "19"}, 0),
            ({"text": "epinettes", "kind": "association"}, 0),
        ):
            assert len(client.get(reverse(LIST), criteria).context["page"].object_list) == found, criteria

    def test_shows_twenty_five_a_page(self, cast: Cast, signed_in) -> None:
        fill(30)
        client = signed_in(cast.benoit)
        page = client.get(reverse(LIST), {"text": "organisme"})
        assert len(page.context["page"].object_list) == 25
        assert "?text=organisme&amp;page=2" in page.content.decode()
        assert len(client.get(reverse(LIST), {"text": "organisme", "page": 2}).context["page"].object_list) == 5

    def test_says_that_nothing_answers(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.benoit).get(reverse(LIST), {"text": "zzz"}).content.decode()
        assert "Aucun organisme ne répond" in page

    def test_costs_the_same_with_one_row_or_twenty_five(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        client.get(reverse(LIST))
        with CaptureQueriesContext(connection) as one:
            client.get(reverse(LIST))
        fill(24)
        with CaptureQueriesContext(connection) as many:
            assert len(client.get(reverse(LIST)).context["page"].object_list) == 25
        assert len(many) == len(one)


class TestOrganisationDetail:
    def test_shows_the_projects_in_reach_and_no_other(self, cast: Cast, signed_in) -> None:
        make_project(cast.team_b, title="Chorale")
        url = reverse("partners:organisation_detail", args=[cast.project.organisation_id])
        assert [p.title for p in signed_in(cast.benoit).get(url).context["projects"]] == ["Aide aux devoirs"]
        assert [p.title for p in signed_in(cast.chloe).get(url).context["projects"]] == ["Chorale"]
        assert len(signed_in(cast.esther).get(url).context["projects"]) == 2

    def test_keeps_projects_from_those_who_do_not_work_with_them(self, cast: Cast, signed_in) -> None:
        url = reverse("partners:organisation_detail", args=[cast.project.organisation_id])
        for person in (cast.david, cast.gaelle, cast.hugo):
            assert "Aide aux devoirs" not in signed_in(person).get(url).content.decode()

    def test_does_not_exist_for_an_unknown_id(self, cast: Cast, signed_in) -> None:
        assert signed_in(cast.benoit).get(reverse("partners:organisation_detail", args=[9999])).status_code == 404


class TestOrganisationCreate:
    def test_adds_it(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.amina).post(reverse(CREATE), {"name": "Accorderie du 18e", "kind": "accorderie"})
        organisation = Organisation.objects.get(kind="accorderie")
        assert response["Location"] == reverse("partners:organisation_detail", args=[organisation.pk])

    def test_keeps_what_was_typed_when_it_is_refused(self, cast: Cast, signed_in) -> None:
        typed = {"name": "LES AMIS du square", "kind": "other", "address": "1 rue Davy"}
        response = signed_in(cast.amina).post(reverse(CREATE), typed)
        page = response.content.decode()
        assert response.status_code == 422
        assert "déjà dans l’annuaire" in page
        assert "1 rue Davy" in page
        assert Organisation.objects.count() == 1

    @pytest.mark.parametrize("name", ["benoit", "david", "farid", "gaelle", "hugo"])
    def test_does_not_exist_for_the_others(self, cast: Cast, signed_in, name: str) -> None:
        client = signed_in(getattr(cast, name))
        assert client.get(reverse(CREATE)).status_code == 404
        assert client.post(reverse(CREATE), {"name": "x", "kind": "other"}).status_code == 404
        assert Organisation.objects.count() == 1
        assert Event.objects.filter(action="refusal", actor_id=getattr(cast, name).pk).count() == 2


class TestOrganisationChange:
    def test_replaces_what_is_said(self, cast: Cast, signed_in) -> None:
        pk = cast.project.organisation_id
        url = reverse("partners:organisation_change", args=[pk])
        assert "Les Amis du square" in signed_in(cast.esther).get(url).content.decode()
        signed_in(cast.esther).post(url, {"name": "Les Amis du parc", "kind": "association"})
        assert Organisation.objects.get(pk=pk).name == "Les Amis du parc"

    def test_answers_the_others_like_an_unknown_id(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        own = client.get(reverse("partners:organisation_change", args=[cast.project.organisation_id]))
        unknown = client.get(reverse("partners:organisation_change", args=[9999]))
        assert own.status_code == unknown.status_code == 404
        assert own.content == unknown.content
