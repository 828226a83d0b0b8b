"""The pages of retention and erasure: lists with and without names, request, decision, progress, certificate."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from audit.history import acting_as, system_account
from pre_cases.models import Child, Entry, Erasure, RetentionHold
from referents.models import Membership
from tests.cast import Cast, make_child
from tests.erasures import announce, approved, ask, carried_out, make_former
from tests.pre_cases.views.reach import assert_hidden, url
from tests.queries import queries_of

TODAY = timezone.localdate


@pytest.fixture
def child(cast: Cast) -> Child:
    """Zoé, three years after the end; the team was told a month ago."""
    child = make_former(cast.team_a).child
    announce(child)
    return child


def text_of(client: Any, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


class TestRetentionList:
    def test_names_the_children_to_their_coordination(self, cast: Cast, child: Child, signed_in: Callable) -> None:
        text = text_of(signed_in(cast.amina), url("retention_list"))
        assert "Zoé Morel" in text
        assert "À effacer" in text
        assert url("erasure_request", child.pk) in text

    def test_names_nobody_to_the_dpo(self, cast: Cast, child: Child, signed_in: Callable) -> None:
        text = text_of(signed_in(cast.gaelle), url("retention_list"))
        assert child.parcours_list.get().number in text
        assert not [name for name in ("Zoé", "Morel", "Nadia") if name in text]
        assert url("erasure_request", child.pk) not in text

    def test_holds_the_own_teams_only(self, cast: Cast, child: Child, signed_in: Callable) -> None:
        make_former(cast.team_b, first_name="Lou")
        assert "Lou" not in text_of(signed_in(cast.amina), url("retention_list"))

    def test_filters_by_state_and_counts(self, cast: Cast, child: Child, signed_in: Callable) -> None:
        announce(make_former(cast.team_a, first_name="Lou").child, days_ago=3)
        text = text_of(signed_in(cast.amina), f"{url('retention_list')}?filtre=announced")
        assert "Lou" in text
        assert "Zoé" not in text
        assert "Zoé" in text_of(signed_in(cast.amina), f"{url('retention_list')}?filtre=inconnu")

    def test_says_that_a_hold_past_its_end_holds_nothing(self, cast: Cast, child: Child, signed_in: Callable) -> None:
        with acting_as(system_account()):
            RetentionHold.objects.create(
                child=child, author=cast.amina, motive="dispute", reason="x", starts_on=TODAY() - timedelta(days=90),
                ends_on=TODAY() - timedelta(days=2), data_key_id=child.data_key_id,
            )  # fmt: skip
        assert "elle ne retient plus rien" in text_of(signed_in(cast.amina), url("retention_list"))

    def test_asks_the_same_number_of_queries_for_1_and_for_25(
        self, cast: Cast, child: Child, signed_in: Callable
    ) -> None:
        client = signed_in(cast.amina)
        one = len(queries_of(client, url("retention_list")))
        for number in range(24):
            announce(make_former(cast.team_a, first_name=f"Enfant{number}").child, days_ago=number)
        assert len(queries_of(client, url("retention_list"))) == one


class TestRetentionRules:
    def test_says_each_period_with_its_source(self, cast: Cast, signed_in: Callable, settings: Any) -> None:
        settings.RETENTION_MONTHS = 23
        for person in (cast.amina, cast.gaelle):
            text = text_of(signed_in(person), url("retention_rules"))
            assert "23 mois après le dernier contact" in text
            assert "article 5(1)(e)" in text
            assert "MARELLE_RETENTION_MONTHS" in text
            assert "à confirmer" in text


class TestHolds:
    def test_are_placed_shown_and_ended(self, cast: Cast, child: Child, signed_in: Callable) -> None:
        client = signed_in(cast.amina)
        typed = {"motive": "dispute", "reason": "Un recours.", "until": (TODAY() + timedelta(days=30)).isoformat()}
        assert client.post(url("hold_create", child.pk), typed)["Location"] == url("retention_list")
        hold = RetentionHold.objects.get()
        with acting_as(system_account()):
            hold.starts_on = TODAY() - timedelta(days=3)
            hold.save()
        assert "Un recours." in text_of(client, url("hold_create", child.pk))
        assert client.post(url("hold_end", hold.pk))["Location"] == url("hold_create", child.pk)
        assert "finie, elle ne retient plus rien" in text_of(client, url("hold_create", child.pk))

    @pytest.mark.parametrize("days", [-1, 0, 366, 99_999])
    def test_refuse_a_day_past_or_too_far(self, cast: Cast, child: Child, signed_in: Callable, days: int) -> None:
        typed = {"motive": "dispute", "reason": "x", "until": (TODAY() + timedelta(days=days)).isoformat()}
        assert signed_in(cast.amina).post(url("hold_create", child.pk), typed).status_code == 422
        assert not RetentionHold.objects.exists()


class TestErasureRequest:
    def test_lists_what_would_leave_then_asks(self, cast: Cast, child: Child, signed_in: Callable) -> None:
        client = signed_in(cast.amina)
        text = text_of(client, url("erasure_request", child.pk))
        assert "Ce qui partirait" in text
        assert "2 clés" in text
        assert Child.objects.filter(pk=child.pk).exists()
        response = client.post(url("erasure_request", child.pk), {"motive": "term", "reason": "Terme passé."})
        assert response["Location"] == url("erasure_detail", Erasure.objects.get().pk)
        assert "Une autre personne que vous doit décider." in text_of(client, response["Location"])

    def test_says_why_it_cannot_be_asked_for(self, cast: Cast, signed_in: Callable) -> None:
        text = text_of(signed_in(cast.amina), url("erasure_request", cast.ines.pk))
        assert "Un parcours est ouvert pour cet enfant" in text
        assert "Demander l’effacement" not in text

    def test_points_to_texts_of_a_sister_that_name_the_child(
        self, cast: Cast, child: Child, signed_in: Callable
    ) -> None:
        lou = make_former(cast.team_a, child=make_child("Lou", family=child.family))
        with acting_as(system_account()):
            Entry.objects.create(
                parcours=lou, author=cast.benoit, kind="phone", on=lou.closed_on, data_key_id=lou.data_key_id,
                text="La mère dit que zoe va mieux.",
            )  # fmt: skip
        text = text_of(signed_in(cast.amina), url("erasure_request", child.pk))
        assert "Lou : échanges, 1" in text

    def test_does_not_name_a_sister_of_another_team(self, cast: Cast, child: Child, signed_in: Callable) -> None:
        lou = make_former(cast.team_b, child=make_child("Lou", family=child.family))
        with acting_as(system_account()):
            Entry.objects.create(
                parcours=lou, author=cast.chloe, kind="phone", on=lou.closed_on, data_key_id=lou.data_key_id,
                text="Zoé est sa sœur.",
            )  # fmt: skip
        text = text_of(signed_in(cast.amina), url("erasure_request", child.pk))
        assert "Lou" not in text
        assert "Un frère ou une sœur suivi par une autre équipe : échanges, 1" in text

    def test_asks_for_the_second_factor_again(self, cast: Cast, child: Child, signed_in: Callable) -> None:
        client = signed_in(cast.amina, second_factor=True)
        session = client.session
        session["account_authentication_methods"] = [{"method": "mfa", "at": 0, "type": "totp"}]
        session.save()
        response = client.get(url("erasure_request", child.pk))
        assert response.status_code == 302
        assert url("erasure_request", child.pk) not in response["Location"].split("?")[0]
        assert not Erasure.objects.exists()


class TestErasureDecide:
    def test_by_the_dpo_begins_the_job(
        self, cast: Cast, child: Child, signed_in: Callable, django_capture_on_commit_callbacks: Callable
    ) -> None:
        erasure = ask(child, cast.amina)
        client = signed_in(cast.gaelle)
        text = text_of(client, url("erasure_decide", erasure.pk))
        assert not [name for name in ("Zoé", "Morel", "Nadia", "Le terme est passé") if name in text]
        with django_capture_on_commit_callbacks(execute=True):
            client.post(url("erasure_decide", erasure.pk), {"decision": "approve"})
        assert Erasure.objects.get().state == "done"

    def test_is_hidden_from_who_asked(self, cast: Cast, child: Child, signed_in: Callable) -> None:
        """Somebody who coordinates and is the data protection officer too."""
        with acting_as(system_account()):
            Membership.objects.create(user=cast.amina, role="dpo", starts_on=TODAY() - timedelta(days=9))
        erasure = ask(child, cast.amina)
        assert_hidden(signed_in(cast.amina), "erasure_decide", erasure.pk)

    def test_refuses_with_a_reason_only(self, cast: Cast, child: Child, signed_in: Callable) -> None:
        erasure = ask(child, cast.amina)
        client, address = signed_in(cast.gaelle), url("erasure_decide", erasure.pk)
        assert client.post(address, {"decision": "refuse"}).status_code == 422
        assert client.post(address, {"decision": "refuse", "reason": "Recours."}).status_code == 302
        assert Erasure.objects.get().state == "refused"
        assert client.post(address, {"decision": "approve"}).status_code == 404

    def test_asks_for_a_decision(self, cast: Cast, child: Child, signed_in: Callable) -> None:
        response = signed_in(cast.gaelle).post(url("erasure_decide", ask(child, cast.amina).pk), {})
        assert response.status_code == 422
        assert "Choisissez une décision." in response.content.decode()


class TestErasureDetail:
    @pytest.fixture
    def done(
        self, cast: Cast, child: Child, settings: Any, tmp_path: Path, django_capture_on_commit_callbacks: Callable
    ) -> Erasure:
        settings.SEALED_FILES_DIR = tmp_path / "files"
        return carried_out(approved(child, cast.amina, cast.gaelle), django_capture_on_commit_callbacks)

    def test_follows_the_steps_to_the_certificate(self, cast: Cast, child: Child, signed_in: Callable) -> None:
        erasure = approved(child, cast.amina, cast.gaelle)
        text = text_of(signed_in(cast.amina), url("erasure_detail", erasure.pk))
        assert 'hx-trigger="every 2s"' in text
        assert "à faire" in text
        part = signed_in(cast.amina).get(url("erasure_detail", erasure.pk), headers={"HX-Request": "true"})
        assert "<html" not in part.content.decode()

    def test_gives_both_forms_of_the_certificate(self, cast: Cast, done: Erasure, signed_in: Callable) -> None:
        for person in (cast.amina, cast.gaelle):
            client = signed_in(person)
            assert url("erasure_certificate", done.pk) in text_of(client, url("erasure_detail", done.pk))
            pdf = client.get(url("erasure_certificate", done.pk))
            assert (pdf["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
            assert "attachment" in pdf["Content-Disposition"]
            assert client.get(url("erasure_certificate_json", done.pk)).json()["certificate"]["type"]

    def test_gives_none_before_the_end(self, cast: Cast, child: Child, signed_in: Callable) -> None:
        erasure = approved(child, cast.amina, cast.gaelle)
        assert_hidden(signed_in(cast.amina), "erasure_certificate", erasure.pk, methods=("get",))

    def test_says_what_stopped_it(self, cast: Cast, child: Child, signed_in: Callable) -> None:
        erasure = approved(child, cast.amina, cast.gaelle)
        Erasure.objects.filter(pk=erasure.pk).update(state="blocked", obstacle="obstacle")
        text = text_of(signed_in(cast.gaelle), url("erasure_detail", erasure.pk))
        assert "rien n’a été effacé" in text
        assert url("erasure_decide", erasure.pk) in text


class TestErasureList:
    def test_asks_the_same_number_of_queries_for_1_and_for_25(
        self, cast: Cast, child: Child, signed_in: Callable
    ) -> None:
        ask(child, cast.amina)
        client = signed_in(cast.gaelle)
        one = len(queries_of(client, url("erasure_list")))
        for number in range(24):
            other = make_former(cast.team_a, first_name=f"Enfant{number}").child
            ask(other, cast.amina, motive="mistake")
        assert len(queries_of(client, url("erasure_list"))) == one

    def test_names_nobody_but_professionals(self, cast: Cast, child: Child, signed_in: Callable) -> None:
        ask(child, cast.amina)
        for person in (cast.amina, cast.gaelle):
            text = text_of(signed_in(person), url("erasure_list"))
            assert "Amina" in text
            assert "Zoé" not in text
