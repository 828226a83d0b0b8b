"""The limited cards, asking for access, answering, and the page of one's own accesses."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from pre_cases.models import AccessRequest, ParcoursShare
from pre_cases.services.access_request import refuse_access
from pre_cases.services.parcours import reopen_parcours
from referents.models import Role, User
from tests.cast import (
    Cast,
    make_child,
    make_exceptional_access,
    make_hand_over,
    make_parcours,
    make_share,
    make_stand_in,
    make_user,
)
from tests.pre_cases.facts import close, sees
from tests.pre_cases.views.reach import assert_hidden, url
from tests.queries import queries_of

DAY = timedelta(days=1)


def ask(cast: Cast, person: User, **values: object) -> AccessRequest:
    with acting_as(system_account()):
        return AccessRequest.objects.create(
            **{"parcours": cast.ines_parcours, "asked_by": person, "data_key_id": cast.ines.data_key_id}
            | {"reason": "Je suis son frère"}
            | values
        )


class TestColleagueList:
    def test_lists_the_open_parcours_of_the_person_s_teams(self, cast: Cast, ibrahim: User, signed_in) -> None:
        close(make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Zoé")), by=cast.amina)
        page = signed_in(ibrahim).get(url("colleague_list"))
        assert [parcours.pk for parcours in page.context["page"]] == [cast.ines_parcours.pk]

    def test_is_journalled_as_cards(self, cast: Cast, ibrahim: User, signed_in) -> None:
        signed_in(ibrahim).get(url("colleague_list"))
        event = Event.objects.get(action="list", actor_id=ibrahim.pk)
        assert (event.data_kind, event.record_ids) == ("card", [str(cast.ines_parcours.pk)])

    def test_does_not_exist_for_who_follows_nobody(self, cast: Cast, signed_in) -> None:
        for person in (cast.david, cast.esther, cast.farid, cast.gaelle, cast.hugo):
            assert signed_in(person).get(url("colleague_list")).status_code == 404
        assert Event.objects.filter(action="refusal", kind="pre_cases.parcours").count() == 5

    def test_costs_the_same_with_one_row_or_twenty_five(self, cast: Cast, ibrahim: User, signed_in) -> None:
        client = signed_in(ibrahim)
        one = queries_of(client, url("colleague_list"))
        for number in range(24):
            make_parcours(cast.team_a, referent=cast.benoit, child=make_child(f"Enfant{number}"))
        assert len(queries_of(client, url("colleague_list"))) == len(one)


class TestParcoursCard:
    def test_asks_for_access_once(self, cast: Cast, ibrahim: User, signed_in) -> None:
        client, card = signed_in(ibrahim), url("parcours_card", cast.ines_parcours.pk)
        response = client.post(card, {"reason": "Je suis son frère"})
        assert (response.status_code, response["Location"]) == (302, card)
        assert AccessRequest.objects.get().asked_by == ibrahim
        page = client.get(card).content.decode()
        assert "Vous avez demandé à lire ce parcours" in page
        assert "Demander l’accès</button>" not in page
        again = client.post(card, {"reason": "Encore"})
        assert again.status_code == 422
        assert AccessRequest.objects.count() == 1

    @pytest.mark.parametrize(("reason", "sentence"), [("", "obligatoire"), ("   ", "obligatoire"), ("x" * 301, "300")])
    def test_says_what_is_wrong(self, cast: Cast, ibrahim: User, signed_in, reason: str, sentence: str) -> None:
        response = signed_in(ibrahim).post(url("parcours_card", cast.ines_parcours.pk), {"reason": reason})
        assert response.status_code == 422
        assert sentence in response.content.decode()
        assert reason.strip() in response.content.decode()
        assert not AccessRequest.objects.exists()

    def test_leads_who_may_read_to_the_parcours(self, cast: Cast, signed_in) -> None:
        for person in (cast.amina, cast.benoit):
            response = signed_in(person).get(url("parcours_card", cast.ines_parcours.pk))
            assert response["Location"] == url("parcours_detail", cast.ines_parcours.pk)

    def test_is_journalled_as_a_card(self, cast: Cast, ibrahim: User, signed_in) -> None:
        signed_in(ibrahim).get(url("parcours_card", cast.ines_parcours.pk))
        event = Event.objects.get(action="read", actor_id=ibrahim.pk)
        assert (event.data_kind, event.subject_id) == ("card", cast.ines_parcours.pk)

    def test_answers_out_of_reach_like_nothing(self, cast: Cast, signed_in) -> None:
        for person in (cast.chloe, cast.david, cast.esther, cast.farid, cast.gaelle, cast.hugo):
            assert_hidden(signed_in(person), "parcours_card", cast.ines_parcours.pk)


class TestAccessAnswer:
    def test_opens_until_the_last_day_included(self, cast: Cast, ibrahim: User, signed_in) -> None:
        last_day = timezone.localdate() + 9 * DAY
        response = signed_in(cast.benoit).post(
            url("access_answer", ask(cast, ibrahim).pk), {"ends_on": last_day.isoformat()}
        )
        assert response["Location"] == url("my_accesses")
        share = ParcoursShare.objects.get(user=ibrahim)
        assert (share.last_day, share.granted_by, share.reason) == (last_day, cast.benoit, "Je suis son frère")
        assert sees(ibrahim, cast.ines_parcours)

    def test_refuses_and_says_why_to_who_asked(self, cast: Cast, ibrahim: User, signed_in) -> None:
        asked = ask(cast, ibrahim)
        typed = {"refuse": "oui", "reason": "La famille préfère attendre"}
        assert signed_in(cast.amina).post(url("access_answer", asked.pk), typed).status_code == 302
        assert "La famille préfère attendre" in signed_in(ibrahim).get(url("my_accesses")).content.decode()
        assert not sees(ibrahim, cast.ines_parcours)

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({"ends_on": ""}, "obligatoire"),
            ({"ends_on": "2020-01-01"}, "est passé"),
            ({"ends_on": "2200-12-31"}, "trop lointaine"),
            ({"ends_on": "demain"}, "date"),
            ({"refuse": "oui", "reason": ""}, "obligatoire"),
            ({"refuse": "oui", "reason": "x" * 301}, "300"),
        ],
    )
    def test_says_what_is_wrong_and_answers_nothing(
        self, cast: Cast, ibrahim: User, signed_in, typed: dict[str, str], sentence: str
    ) -> None:
        response = signed_in(cast.benoit).post(url("access_answer", ask(cast, ibrahim).pk), typed)
        assert response.status_code == 422
        page = response.content.decode()
        assert sentence in page
        assert all(value in page for value in typed.values())
        assert AccessRequest.objects.pending().exists()

    def test_says_that_who_asked_has_left_the_team(self, cast: Cast, signed_in) -> None:
        asked = ask(cast, cast.yann)
        response = signed_in(cast.benoit).post(
            url("access_answer", asked.pk), {"ends_on": timezone.localdate().isoformat()}
        )
        assert response.status_code == 422
        assert "ne fait pas partie de l’équipe" in response.content.decode()

    def test_answers_out_of_reach_like_nothing(self, cast: Cast, ibrahim: User, signed_in) -> None:
        """Ibrahim does not answer his own request."""
        asked = ask(cast, ibrahim)
        for person in (ibrahim, cast.chloe, cast.david, cast.esther, cast.farid, cast.gaelle, cast.hugo):
            assert_hidden(signed_in(person), "access_answer", asked.pk)

    def test_no_longer_exists_once_answered(self, cast: Cast, ibrahim: User, signed_in) -> None:
        asked = ask(cast, ibrahim)
        refuse_access(request=asked, reason="Non", by=cast.amina)
        assert_hidden(signed_in(cast.benoit), "access_answer", asked.pk)


class TestMyAccesses:
    def everything(self, cast: Cast, ibrahim: User) -> None:
        """One row of each kind, seen by Benoît."""
        zoe = make_parcours(cast.team_a, referent=ibrahim, child=make_child("Zoé"))
        make_hand_over(zoe, ibrahim, cast.benoit, message="Je change d’école")
        make_hand_over(cast.ines_parcours, cast.benoit, ibrahim)
        make_share(make_parcours(cast.team_a, referent=ibrahim, child=make_child("Malo")), cast.benoit)
        ask(cast, ibrahim)
        ask(cast, cast.benoit, parcours=zoe, data_key_id=zoe.data_key_id)
        ParcoursShare.objects.filter(pk=cast.share.pk).update(granted_by=cast.benoit)
        make_stand_in(cast.benoit, make_user("Denis", Role.REFERENT, cast.team_a))

    def test_shows_what_waits_what_is_held_and_what_is_given(self, cast: Cast, ibrahim: User, signed_in) -> None:
        self.everything(cast, ibrahim)
        page = signed_in(cast.benoit).get(url("my_accesses")).content.decode()
        for shown in (
            "Zoé, suivi par Ibrahim Test",
            "Je change d’école",
            "Ibrahim Test demande à lire le parcours de Inès",
            "Malo</a>, partagé par",
            "David Test lit le parcours de Inès",
            "Denis Test me remplace",
            "Inès : de Benoît Test à Ibrahim Test",
            "encore sans réponse",
            "Me faire remplacer",
        ):
            assert shown in page, shown
        assert "Morel" not in page

    def test_is_empty_for_who_holds_nothing(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.esther).get(url("my_accesses")).content.decode()
        assert "Rien en dehors de votre rôle" in page
        assert not Event.objects.filter(actor_id=cast.esther.pk, action="list").exists()

    def test_shows_nothing_that_is_over(self, cast: Cast, ibrahim: User, signed_in) -> None:
        self.everything(cast, ibrahim)
        ask(cast, cast.chloe)
        close(cast.ines_parcours, by=cast.amina)
        page = signed_in(cast.benoit).get(url("my_accesses")).content.decode()
        assert "demande à lire" not in page
        assert "lit le parcours" not in page

    def test_says_why_a_request_has_no_answer_after_a_closing(self, cast: Cast, ibrahim: User, signed_in) -> None:
        ask(cast, ibrahim)
        close(cast.ines_parcours, by=cast.amina)
        reopen_parcours(parcours=cast.ines_parcours, reason="Par erreur", by=cast.amina)
        assert "sans objet" in signed_in(ibrahim).get(url("my_accesses")).content.decode()

    @pytest.mark.parametrize("cursor", ["", "x", "WyIyMDI2LTAxLTAxIiwgIjEiXQ==", str(uuid4())])
    def test_shows_each_list_from_its_beginning_whatever_the_address(
        self, cast: Cast, ibrahim: User, signed_in, cursor: str
    ) -> None:
        self.everything(cast, ibrahim)
        client = signed_in(cast.benoit)
        response = client.get(url("my_accesses"), {"suite": cursor})
        assert [len(response.context[name]) for name in ("hand_overs", "requests", "received", "given")] == [1] * 4

    def test_gives_the_reader_s_exceptional_access_back(self, cast: Cast, signed_in) -> None:
        lise = make_user("Lise", Role.COORDINATOR, cast.team_b)
        access = make_exceptional_access(cast.ines_parcours, lise)
        page = signed_in(lise).get(url("my_accesses")).content.decode()
        assert url("exceptional_end", access.pk) in page

    def test_costs_the_same_with_one_row_or_twenty_five(self, cast: Cast, ibrahim: User, signed_in) -> None:
        client = signed_in(cast.benoit)
        self.everything(cast, ibrahim)
        one = queries_of(client, url("my_accesses"))
        for number in range(12):
            parcours = make_parcours(cast.team_a, referent=ibrahim, child=make_child(f"Enfant{number}"))
            make_hand_over(parcours, ibrahim, cast.benoit)
            mine = make_parcours(cast.team_a, referent=cast.benoit, child=make_child(f"Autre{number}"))
            make_share(parcours, cast.benoit)
            ask(cast, ibrahim, parcours=mine, data_key_id=mine.data_key_id)
            make_hand_over(mine, cast.benoit, ibrahim)
        assert len(queries_of(client, url("my_accesses"))) == len(one)
