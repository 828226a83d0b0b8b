"""Finding a child by name in *Mes parcours* and in a team: what answers, to whom, and what is left of what is typed."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.encryption.keys import destroy_data_keys
from audit.history import acting_as
from audit.journal.models import Event
from partners.models import Term
from pre_cases.models import Parcours
from pre_cases.services.parcours import close_parcours
from referents.models import Membership, Role, User
from tests.cast import Cast, make_child, make_parcours, make_residence, make_schooling, make_user
from tests.leaks.canaries import found_in
from tests.queries import queries_of

SENTENCE = "Tapez un nom ou un prénom, ou leur début."
NEAR = ["Inès", "ines", "INES MOREL", "Morel Inès", "in", "mor", "Innès", "Morelle", "morrel ines", " Inès, Morel ! "]
NO_NAMES = ["", "   ", "\t\n", "-", "’'", "…?!", "😀", "\u0301"]
MINE, TEAM = reverse("pre_cases:parcours_search"), reverse("pre_cases:team_search", args=["a"])


def searchers(cast: Cast) -> dict[str, User]:
    """Each page of search, and somebody who finds Inès there."""
    return {MINE: cast.benoit, TEAM: cast.amina}


@pytest.fixture(params=[MINE, TEAM], ids=["mine", "team"])
def address(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def client(cast: Cast, signed_in: Any, address: str) -> Client:
    return signed_in(searchers(cast)[address])


def search(client: Client, address: str, name: str, status: int = 200) -> Any:
    response = client.post(address, {"name": name})
    assert response.status_code == status
    return response


def shown(client: Client, address: str, name: str) -> list[str]:
    """The children found, in the order of the page."""
    response = search(client, address, name)
    names = [f"{p.child.first_name} {p.child.family_name}" for p in response.context["found"].records]
    page = response.content.decode()
    assert all(found in page for found in names)
    return names


def followed(cast: Cast, first_name: str, family_name: str = "Morel", **values: Any) -> Parcours:
    values.setdefault("referent", cast.benoit)
    return make_parcours(cast.team_a, child=make_child(first_name, family_name=family_name), **values)


def close(cast: Cast, parcours: Parcours) -> None:
    lost = Term.objects.get(pk="exit_reason:contact-perdu")
    close_parcours(parcours=parcours, on=timezone.localdate(), reason=lost, by=cast.amina)


def searches() -> list[Event]:
    return list(Event.objects.filter(action="search").order_by("pk"))


class TestASearchByName:
    def test_finds_by_accents_order_beginning_and_spelling(self, client: Client, address: str) -> None:
        for typed in NEAR:
            assert shown(client, address, typed) == ["Inès Morel"], typed

    def test_says_that_nobody_bears_the_name(self, client: Client, address: str) -> None:
        for typed in ("Zoé", "Inès Durand", "nès", "123"):
            page = search(client, address, typed).content.decode()
            assert "Aucun enfant de ce nom" in page
            assert "<table" not in page

    def test_shows_the_closest_names_first(self, cast: Cast, client: Client, address: str) -> None:
        for name in ("Lefebvre", "Lefèvreaux", "Lefèvre"):
            followed(cast, "Zoé", name)
        assert shown(client, address, "lefèvre") == ["Zoé Lefèvre", "Zoé Lefèvreaux", "Zoé Lefebvre"]

    def test_leads_to_each_parcours(self, cast: Cast, client: Client, address: str) -> None:
        page = search(client, address, "Inès").content.decode()
        assert reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk]) in page
        assert "<caption>1 parcours</caption>" in page

    def test_keeps_what_was_typed_in_its_field(self, client: Client, address: str) -> None:
        page = search(client, address, 'Zoé "<b>').content.decode()
        assert 'value="Zoé &quot;&lt;b&gt;"' in page
        assert "<b>" not in page

    def test_shows_its_form_when_it_is_opened(self, client: Client, address: str) -> None:
        response = client.get(address)
        assert response.status_code == 200
        page = response.content.decode()
        assert f'<form method="post" action="{address}"' in page
        assert "csrfmiddlewaretoken" in page
        assert "Aucun enfant de ce nom" not in page
        assert SENTENCE not in page
        assert searches() == []

    def test_takes_nothing_from_the_address(self, client: Client, address: str) -> None:
        response = client.get(address, {"name": "Inès"})
        assert "Inès" not in response.content.decode()
        assert searches() == []

    def test_is_refused_for_what_names_nobody(self, client: Client, address: str) -> None:
        for typed in NO_NAMES:
            page = search(client, address, typed, 422).content.decode()
            assert page.count(SENTENCE) == 1, typed
            assert "Aucun enfant de ce nom" not in page
            assert "<table" not in page
        assert searches() == []

    def test_is_refused_for_more_than_a_name(self, client: Client, address: str) -> None:
        search(client, address, "é" * 81, 422)
        assert searches() == []
        search(client, address, "é" * 80)

    def test_shows_at_most_twenty_five_and_says_how_many_there_are(
        self, cast: Cast, client: Client, address: str
    ) -> None:
        for number in range(26):
            followed(cast, f"Prénom{number}")
        response = search(client, address, "morel")
        assert len(response.context["found"].records) == 25
        page = response.content.decode()
        assert page.count('<th scope="row"') == 25
        assert "<caption>27 parcours ; voici les 25 plus proches : précisez le nom pour les autres</caption>" in page
        assert (searches()[0].detail["found"], len(searches()[0].record_ids)) == (27, 25)

    def test_asks_as_much_for_one_row_as_for_twenty_five(self, cast: Cast, client: Client, address: str) -> None:
        one = queries_of(client, address, {"name": "morel"})
        for number in range(24):
            parcours = followed(cast, f"Prénom{number}")
            make_schooling(parcours.child)
            make_residence(parcours.child)
        many = queries_of(client, address, {"name": "morel"})
        assert len(search(client, address, "morel").context["found"].records) == 25
        assert len(many) == len(one), "\n".join(many)


class TestTheJournalOfASearch:
    def test_says_how_many_were_found_and_which_were_shown(self, cast: Cast, client: Client, address: str) -> None:
        other = followed(cast, "Innès")
        followed(cast, "Zoé")
        search(client, address, "ines")
        (event,) = searches()
        assert (event.kind, event.actor_id) == ("pre_cases.parcours", searchers(cast)[address].pk)
        assert event.record_ids == [str(cast.ines_parcours.pk), str(other.pk)]
        assert event.detail == {"found": 2, "unreadable": 0}
        assert event.subject_team_id == cast.team_a.pk

    def test_keeps_a_search_that_finds_nobody(self, client: Client, address: str) -> None:
        search(client, address, "Zoé")
        assert [(event.record_ids, event.detail["found"]) for event in searches()] == [([], 0)]

    def test_holds_nothing_of_what_was_typed(self, cast: Cast, client: Client, address: str) -> None:
        followed(cast, "Zébulonne", "Quetzalcoatl-Martin")
        for typed in ("Zébulonne", "quetzalcoatl martin", "Zébulone Quetzalcoatl", "!?"):
            client.post(address, {"name": typed})
        assert [event.detail["found"] for event in searches()] == [1, 1, 1]
        written = str(list(Event.objects.values()))
        canaries = ["Zébulonne", "Zébulone", "zebulonne", "Quetzalcoatl", "quetzalcoatl martin", "quetzalcoatlmartin"]
        assert found_in(written.encode(), canaries) == set()


class TestAChildWhoseNamesDoNotOpen:
    def test_is_said_and_the_others_are_shown(self, cast: Cast, client: Client, address: str) -> None:
        destroy_data_keys([followed(cast, "Zoé").child.data_key_id])
        response = search(client, address, "morel")
        assert [p.pk for p in response.context["found"].records] == [cast.ines_parcours.pk]
        page = response.content.decode()
        assert ("1 situation ne se lit pas et n’a pas pu répondre : prévenez l’administration technique.") in page
        assert searches()[0].detail == {"found": 1, "unreadable": 1}

    def test_is_counted_with_the_others(self, cast: Cast, client: Client, address: str) -> None:
        destroy_data_keys([cast.ines.data_key_id, followed(cast, "Zoé").child.data_key_id])
        page = search(client, address, "morel").content.decode()
        assert "Aucun enfant de ce nom" in page
        assert "2 situations ne se lisent pas et n’ont pas pu répondre" in page

    def test_is_not_spoken_of_when_there_is_none(self, client: Client, address: str) -> None:
        assert "pu répondre" not in search(client, address, "morel").content.decode()

    def test_of_another_team_is_not_counted(self, cast: Cast, client: Client, address: str) -> None:
        destroy_data_keys([cast.tom.data_key_id])
        assert "pu répondre" not in search(client, address, "morel").content.decode()


class TestParcoursSearch:
    """*Mes parcours*: those that the person follows, and open."""

    def test_finds_no_child_of_another_team(self, cast: Cast, signed_in) -> None:
        assert shown(signed_in(cast.benoit), MINE, "tom") == []
        assert shown(signed_in(cast.chloe), MINE, "tom") == ["Tom Diallo"]

    def test_finds_no_child_of_a_colleague(self, cast: Cast, signed_in) -> None:
        omar = make_user("Omar", Role.REFERENT, cast.team_a)
        followed(cast, "Zoé", referent=omar)
        followed(cast, "Ana", referent=None)
        assert shown(signed_in(cast.benoit), MINE, "morel") == ["Inès Morel"]
        assert shown(signed_in(omar), MINE, "morel") == ["Zoé Morel"]

    def test_finds_no_closed_parcours(self, cast: Cast, signed_in) -> None:
        close(cast, cast.ines_parcours)
        assert shown(signed_in(cast.benoit), MINE, "ines") == []

    def test_finds_nothing_for_who_follows_nobody(self, cast: Cast, signed_in) -> None:
        for person in (cast.amina, cast.david, cast.esther, cast.gaelle, cast.hugo):
            assert shown(signed_in(person), MINE, "ines") == [], person.first_name

    def test_says_what_it_looked_among(self, cast: Cast, signed_in) -> None:
        page = search(signed_in(cast.benoit), MINE, "tom").content.decode()
        assert "Aucun de vos parcours ouverts ne porte un nom qui ressemble à celui-ci." in page
        assert reverse("pre_cases:my_parcours") in page


class TestTeamSearch:
    """Every parcours of one team that the person coordinates, closed ones too."""

    def test_finds_whoever_follows_the_child(self, cast: Cast, signed_in) -> None:
        followed(cast, "Zoé", referent=make_user("Omar", Role.REFERENT, cast.team_a))
        followed(cast, "Ana", referent=None)
        response = search(signed_in(cast.amina), TEAM, "morel")
        page = response.content.decode()
        assert {p.child.first_name for p in response.context["found"].records} == {"Inès", "Zoé", "Ana"}
        assert "Benoît Test" in page
        assert "Omar Test" in page

    def test_finds_a_closed_parcours(self, cast: Cast, signed_in) -> None:
        close(cast, cast.ines_parcours)
        assert shown(signed_in(cast.amina), TEAM, "ines") == ["Inès Morel"]

    def test_finds_no_child_of_another_team(self, cast: Cast, signed_in) -> None:
        assert shown(signed_in(cast.amina), TEAM, "tom") == []

    def test_finds_those_of_that_team_only(self, cast: Cast, signed_in) -> None:
        """For who coordinates several."""
        both = make_user("Ondine", Role.COORDINATOR, cast.team_a)
        with acting_as(cast.hugo):
            Membership.objects.create(user=both, role=Role.COORDINATOR, team=cast.team_b)
        client = signed_in(both)
        assert shown(client, TEAM, "tom") == []
        assert shown(client, reverse("pre_cases:team_search", args=["b"]), "tom") == ["Tom Diallo"]

    def test_does_not_exist_for_who_does_not_coordinate_that_team(self, cast: Cast, signed_in) -> None:
        for person in (cast.benoit, cast.chloe, cast.david, cast.esther, cast.hugo):
            client = signed_in(person)
            assert client.get(TEAM).status_code == client.post(TEAM, {"name": "ines"}).status_code == 404
        client = signed_in(cast.amina)
        foreign, nothing = (
            client.post(reverse("pre_cases:team_search", args=[code]), {"name": "tom"}) for code in ("b", "zz")
        )
        assert foreign.status_code == nothing.status_code == 404
        assert foreign.content == nothing.content
        assert searches() == []

    def test_says_what_it_looked_among(self, cast: Cast, signed_in) -> None:
        page = search(signed_in(cast.amina), TEAM, "tom").content.decode()
        assert "Aucun parcours de l’équipe, ouvert ou clos, ne porte un nom qui ressemble à celui-ci." in page
        assert reverse("pre_cases:team_parcours", args=["a"]) in page
