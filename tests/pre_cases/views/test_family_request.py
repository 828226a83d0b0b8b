"""Families' requests on their pages: who sees them, what a refusal says, and where they appear."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.history import acting_as
from pre_cases.models import Child, FamilyRequest, ParcoursShare
from pre_cases.services.family_request import answer_request
from tests.cast import Cast, make_child, make_enrolment, make_parcours
from tests.family_requests import ask, mother_of, submitted
from tests.pre_cases.views.reach import assert_hidden, url
from tests.queries import queries_of

DAY = timedelta(days=1)


def typed(cast: Cast, **values: Any) -> dict[str, Any]:
    return {
        "kind": "access",
        "asker": str(mother_of(cast.ines).pk),
        "received_on": timezone.localdate().isoformat(),
        "text": "Voir ce qui est écrit.",
        "identity_means": "known",
    } | values


class TestRequestCreate:
    def test_records_what_the_family_asks(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.benoit).post(url("request_create", cast.ines.pk), typed(cast))
        request = FamilyRequest.objects.get()
        assert (response.status_code, response["Location"]) == (302, url("request_detail", request.pk))
        assert request.adult == mother_of(cast.ines)

    def test_may_come_from_the_young_person(self, cast: Cast, signed_in) -> None:
        signed_in(cast.benoit).post(url("request_create", cast.ines.pk), typed(cast, asker="jeune"))
        assert FamilyRequest.objects.get().adult is None

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"received_on": (timezone.localdate() + DAY).isoformat()}, "Cette date est dans le futur."),
            ({"received_on": "31/31/2026"}, "date"),
            ({"text": "  "}, "obligatoire"),
            ({"kind": ""}, "Dites ce que la famille demande."),
            ({"asker": "0198aaaa-0000-7000-8000-000000000000"}, "choix"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(self, cast: Cast, signed_in, values: Any, sentence: str) -> None:
        response = signed_in(cast.benoit).post(url("request_create", cast.ines.pk), typed(cast, **values))
        assert response.status_code == 422
        (field,) = values
        assert sentence in str(response.context["form"].errors[field])
        assert not FamilyRequest.objects.exists()


class TestRequestDetail:
    def test_is_read_by_who_follows_and_decided_by_the_coordination(self, cast: Cast, signed_in) -> None:
        page = url("request_detail", ask(cast.ines, cast.benoit).pk)
        assert "Préparer le fichier" not in signed_in(cast.benoit).get(page).content.decode()
        assert "Préparer le fichier" in signed_in(cast.amina).get(page).content.decode()

    def test_does_not_exist_for_another_team(self, cast: Cast, signed_in) -> None:
        for person in (cast.chloe, cast.david, cast.gaelle, cast.hugo):
            assert_hidden(signed_in(person), "request_detail", ask(cast.ines, cast.benoit).pk, ("get",))


class TestRequestIdentity:
    def test_says_how(self, cast: Cast, signed_in) -> None:
        request = ask(cast.ines, cast.benoit, identity_means="")
        client, page = signed_in(cast.amina), url("request_identity", request.pk)
        assert client.post(page, {"means": ""}).status_code == 422
        assert client.post(page, {"means": "document"}).status_code == 302
        assert client.post(page, {"means": "document"}).status_code == 422
        assert FamilyRequest.objects.get().identity_by == cast.amina


class TestRequestExtend:
    def test_is_refused_after_the_first_month_beside_the_day(self, cast: Cast, signed_in) -> None:
        request = ask(cast.ines, cast.amina, received_on=timezone.localdate() - 40 * DAY)
        typed_ = {"told_on": timezone.localdate().isoformat(), "reason": "Volumineux"}
        response = signed_in(cast.amina).post(url("request_extend", request.pk), typed_)
        assert response.status_code == 422
        assert "ne peut plus être prolongé" in str(response.context["form"].errors["told_on"])

    def test_is_told_within_the_month(self, cast: Cast, signed_in) -> None:
        request = ask(cast.ines, cast.amina)
        typed_ = {"told_on": timezone.localdate().isoformat(), "reason": "Volumineux"}
        assert signed_in(cast.amina).post(url("request_extend", request.pk), typed_).status_code == 302
        assert "Délai prolongé" in signed_in(cast.benoit).get(url("request_detail", request.pk)).content.decode()


def answered(**values: Any) -> dict[str, Any]:
    return {"outcome": "granted", "answer": "C’est fait.", "answered_on": timezone.localdate().isoformat()} | values


class TestRequestAnswer:
    def test_stops_what_is_ticked(self, cast: Cast, signed_in) -> None:
        make_enrolment(cast.ines_parcours, cast.project)
        request = ask(cast.ines, cast.amina, kind="opposition")
        client, page = signed_in(cast.amina), url("request_answer", request.pk)
        assert "Partage avec David Test" in client.get(page).content.decode()
        response = client.post(page, answered())
        assert (response.status_code, "stopped" in response.context["form"].errors) == (422, True)
        assert client.post(page, answered(stopped=[str(cast.share.pk)])).status_code == 302
        assert ParcoursShare.objects.get(pk=cast.share.pk).revoked_at is not None

    def test_ends_the_parcours_with_the_agreement(self, cast: Cast, signed_in) -> None:
        request = ask(cast.ines, cast.amina, kind="opposition")
        signed_in(cast.amina).post(url("request_answer", request.pk), answered(stopped=["accord"]))
        cast.ines_parcours.refresh_from_db()
        assert cast.ines_parcours.is_closed

    def test_takes_only_what_the_page_offers(self, cast: Cast, signed_in) -> None:
        request = ask(cast.ines, cast.amina, kind="opposition")
        response = signed_in(cast.amina).post(url("request_answer", request.pk), answered(stopped=[str(cast.tom.pk)]))
        assert "vient de se terminer" in str(response.context["form"].errors["stopped"])

    def test_cites_a_correction(self, cast: Cast, signed_in) -> None:
        request = ask(cast.ines, cast.amina, kind="correction")
        child = Child.objects.get(pk=cast.ines.pk)
        with acting_as(cast.benoit):
            child.first_name = "Inés"
            child.save()
        client, page = signed_in(cast.amina), url("request_answer", request.pk)
        choices = client.get(page).context["form"].fields["corrections"].choices
        assert client.post(page, answered(corrections=[choices[0][0]])).status_code == 302
        assert "Donnée corrigée" in client.get(url("request_detail", request.pk)).content.decode()

    def test_refuses_with_the_family_s_statement_shown_on_the_parcours(self, cast: Cast, signed_in) -> None:
        request = ask(cast.ines, cast.amina, kind="correction")
        client = signed_in(cast.amina)
        client.post(
            url("request_answer", request.pk), answered(outcome="refused", answer="Exact.", statement="Faux, dit-elle.")
        )
        page = signed_in(cast.benoit).get(url("parcours_detail", cast.ines_parcours.pk)).content.decode()
        assert "La famille déclare : Faux, dit-elle." in page

    def test_says_that_a_parcours_is_still_open_before_an_erasure(self, cast: Cast, signed_in) -> None:
        request = ask(cast.ines, cast.amina, kind="erasure")
        response = signed_in(cast.amina).post(url("request_answer", request.pk), answered())
        assert response.status_code == 422
        assert "clôturez-le d’abord" in response.content.decode()

    def test_says_that_it_is_answered_already(self, cast: Cast, signed_in) -> None:
        request = ask(cast.ines, cast.amina)
        client, page = signed_in(cast.amina), url("request_answer", request.pk)
        client.post(page, answered(outcome="refused"))
        response = client.post(page, answered(outcome="refused"))
        assert (response.status_code, "déjà sa réponse" in response.content.decode()) == (422, True)


class TestTeamRequests:
    def test_lists_what_waits_the_oldest_first(self, cast: Cast, signed_in) -> None:
        recent, late = (ask(cast.ines, cast.amina, received_on=timezone.localdate() - n * DAY) for n in (1, 60))
        done = ask(cast.ines, cast.amina)
        answer_request(request=done, outcome="refused", answer="x", answered_on=timezone.localdate(), by=cast.amina)
        ask(cast.tom, cast.chloe)
        response = signed_in(cast.amina).get(url("team_requests", "a"))
        assert response.context["page"].records == [late, recent]
        assert "1 demande est en retard" in response.content.decode()

    def test_is_opened_by_a_tile_that_says_how_many_are_late(self, cast: Cast, signed_in) -> None:
        ask(cast.ines, cast.amina, received_on=timezone.localdate() - 60 * DAY)
        ask(cast.ines, cast.amina)
        page = signed_in(cast.amina).get(url("team_board", "a"))
        tile = page.context["to_decide"][-1]
        assert (tile["label"], tile["count"]) == ("Demandes des familles, dont 1 en retard", 2)

    def test_costs_the_same_with_one_row_or_twenty_five(self, cast: Cast, signed_in) -> None:
        ask(cast.ines, cast.amina)
        client = signed_in(cast.amina)
        one = queries_of(client, url("team_requests", "a"))
        for number in range(24):
            child = make_child(f"Enfant{number}")
            make_parcours(cast.team_a, child=child)
            ask(child, cast.amina)
        assert len(queries_of(client, url("team_requests", "a"))) == len(one)


class TestProtection:
    def test_shows_requests_to_the_dpo_without_a_name(self, cast: Cast, signed_in) -> None:
        request = ask(cast.ines, cast.amina)
        submitted(request, cast.amina)
        page = signed_in(cast.gaelle).get(url("protection")).content.decode()
        assert request.reference in page
        assert "Approuver" in page
        for name in ("Inès", "Morel", "Nadia", "Voir ce qui est écrit"):
            assert name not in page

    def test_costs_the_same_with_one_request_or_twenty_five(self, cast: Cast, signed_in) -> None:
        ask(cast.ines, cast.amina)
        client = signed_in(cast.gaelle)
        one = queries_of(client, url("protection"))
        for _ in range(24):
            ask(cast.ines, cast.amina)
        assert len(queries_of(client, url("protection"))) == len(one)
