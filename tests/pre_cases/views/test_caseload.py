"""A whole caseload: passing it on, answering, taking back."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.utils import timezone

from pre_cases.models import Assignment, HandOver, HandOverOutcome
from pre_cases.services.timeline import add_task
from referents.models import User
from tests.cast import (
    Cast,
    make_child,
    make_hand_over,
    make_parcours,
    make_saisine,
    make_schooling,
    make_stand_in,
)
from tests.pre_cases.facts import changes, leave
from tests.pre_cases.views.reach import OTHERS, caseload, hidden, url
from tests.queries import queries_of

DAY = timedelta(days=1)


class TestCaseloadHandOver:
    def typed(self, cast: Cast, receiver: User, **values: object) -> dict[str, object]:
        return {
            "parcours_list": [cast.ines_parcours.pk],
            "to_referent": receiver.pk,
            "message": "Je change d’école",
            **values,
        }

    def test_lists_the_open_parcours_of_the_team_all_ticked(self, cast: Cast, signed_in) -> None:
        zoe = make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Zoé"))
        page = signed_in(cast.benoit).get(url("caseload_hand_over", caseload(cast.benoit)))
        assert {parcours.pk for parcours in page.context["page"]} == {cast.ines_parcours.pk, zoe.pk}
        assert page.content.decode().count(" checked") == 2

    def test_shows_what_will_change_before_asking_anything(self, cast: Cast, ibrahim: User, signed_in) -> None:
        make_parcours(cast.team_a, referent=ibrahim, child=make_child("Zoé"))
        due_on = timezone.localdate()
        add_task(parcours=cast.ines_parcours, label="x", due_on=due_on, assignee=cast.benoit, by=cast.benoit)
        add_task(parcours=cast.ines_parcours, label="y", due_on=due_on, assignee=cast.amina, by=cast.amina)
        address = url("caseload_hand_over", caseload(cast.benoit))
        response = signed_in(cast.benoit).post(address, self.typed(cast, ibrahim))
        assert response.status_code == 200
        found = response.context
        assert (found["count"], found["tasks"], found["load"], found["load_after"]) == (1, 1, 1, 2)
        page = response.content.decode()
        assert "Je change d’école" in page
        assert str(cast.ines_parcours.pk) in page
        assert not HandOver.objects.exists()

    def test_counts_in_the_preview_what_acceptance_does(self, cast: Cast, ibrahim: User, signed_in) -> None:
        due_on = timezone.localdate()
        add_task(parcours=cast.ines_parcours, label="x", due_on=due_on, assignee=cast.benoit, by=cast.benoit)
        address, client = url("caseload_hand_over", caseload(cast.benoit)), signed_in(cast.benoit)
        promised = client.post(address, self.typed(cast, ibrahim)).context
        client.post(address, self.typed(cast, ibrahim, confirm="oui"))
        signed_in(ibrahim).post(url("hand_over_accept"), {"hand_over_list": [HandOver.objects.get().pk]})
        assert cast.ines_parcours.tasks.filter(assignee=ibrahim).count() == promised["tasks"]
        assert Assignment.objects.current().filter(referent=ibrahim).count() == promised["load_after"]

    def test_asks_once_confirmed(self, cast: Cast, ibrahim: User, signed_in) -> None:
        address = url("caseload_hand_over", caseload(cast.benoit))
        response = signed_in(cast.amina).post(address, self.typed(cast, ibrahim, confirm="oui"))
        assert response["Location"] == url("my_accesses")
        asked = HandOver.objects.get()
        assert (asked.from_referent, asked.to_referent, asked.asked_by) == (cast.benoit, ibrahim, cast.amina)
        assert asked.message == "Je change d’école"

    @pytest.mark.parametrize("confirm", [{}, {"confirm": "oui"}])
    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"parcours_list": []}, "Cochez au moins un parcours."),
            ({"parcours_list": ["foreign"]}, "n’est plus dans cette file active"),
            ({"parcours_list": [str(uuid4())]}, "n’est plus dans cette file active"),
            ({"parcours_list": ["n’importe quoi"]}, "parcours"),
            ({"to_referent": ""}, "Choisissez un référent de l’équipe."),
            ({"to_referent": "foreign"}, "n’est pas référente dans l’équipe"),
            ({"message": "x" * 501}, "500"),
        ],
    )
    def test_keeps_what_was_typed_and_says_what_is_wrong(
        self, cast: Cast, ibrahim: User, signed_in, values: dict[str, object], sentence: str, confirm: dict[str, str]
    ) -> None:
        sent = self.typed(cast, ibrahim, **values, **confirm)
        if sent["parcours_list"] == ["foreign"]:
            sent["parcours_list"] = [cast.tom_parcours.pk]
        if sent["to_referent"] == "foreign":
            sent["to_referent"] = cast.chloe.pk
        response = signed_in(cast.benoit).post(url("caseload_hand_over", caseload(cast.benoit)), sent)
        assert response.status_code == 422
        page = response.content.decode()
        assert sentence in page
        assert str(sent["message"]) in page
        assert ("Tom" in page, HandOver.objects.exists()) == (False, False)

    def test_says_that_one_of_them_is_proposed_already(self, cast: Cast, ibrahim: User, signed_in) -> None:
        make_hand_over(cast.ines_parcours, cast.benoit, ibrahim)
        response = signed_in(cast.benoit).post(
            url("caseload_hand_over", caseload(cast.benoit)), self.typed(cast, ibrahim, confirm="oui")
        )
        assert response.status_code == 422
        assert "déjà demandé" in response.content.decode()

    def test_says_which_saisines_do_not_follow(self, cast: Cast, signed_in) -> None:
        make_saisine(make_child("Zoé"), cast.team_a, assignee=cast.benoit)
        page = signed_in(cast.benoit).get(url("caseload_hand_over", caseload(cast.benoit))).content.decode()
        assert "1 saisine en attente ne change pas de main" in page

    def test_lets_the_coordination_pass_on_what_somebody_has_left(self, cast: Cast, ibrahim: User, signed_in) -> None:
        leave(cast.benoit)
        address = url("caseload_hand_over", caseload(cast.benoit))
        response = signed_in(cast.amina).post(address, self.typed(cast, ibrahim, confirm="oui"))
        assert response["Location"] == url("my_accesses")

    def test_answers_out_of_reach_like_nothing(self, cast: Cast, ibrahim: User, signed_in) -> None:
        """A colleague, even the one who replaces, passes on nothing in somebody's place."""
        make_stand_in(cast.benoit, ibrahim)
        for person in (ibrahim, *(getattr(cast, name) for name in OTHERS)):
            assert hidden(signed_in(person), "caseload_hand_over", caseload(cast.benoit), 987654), person.first_name

    def test_answers_another_role_s_membership_like_nothing(self, cast: Cast, signed_in) -> None:
        for person in (cast.amina, cast.david):
            pk = person.memberships.get().pk
            assert hidden(signed_in(cast.amina), "caseload_hand_over", pk, 987654)

    def test_costs_the_same_with_one_row_or_twenty_five(self, cast: Cast, ibrahim: User, signed_in) -> None:
        client, address = signed_in(cast.benoit), url("caseload_hand_over", caseload(cast.benoit))
        one = queries_of(client, address)
        for number in range(24):
            child = make_child(f"Enfant{number}")
            make_schooling(child)
            make_parcours(cast.team_a, referent=cast.benoit, child=child)
        assert len(queries_of(client, address)) == len(one)


class TestHandOverAccept:
    def test_takes_the_ticked_ones_and_leaves_the_others(self, cast: Cast, ibrahim: User, signed_in) -> None:
        zoe = make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Zoé"))
        taken = make_hand_over(cast.ines_parcours, cast.benoit, ibrahim, message="Je change d’école")
        left = make_hand_over(zoe, cast.benoit, ibrahim)
        response = signed_in(ibrahim).post(url("hand_over_accept"), {"hand_over_list": [taken.pk]}, follow=True)
        assert "1 parcours de plus" in response.content.decode()
        assert changes(ibrahim, cast.ines_parcours)
        assert HandOver.objects.pending().get() == left
        assert HandOver.objects.get(pk=taken.pk).message == "Je change d’école"

    @pytest.mark.parametrize("asked", [[], ["x"], [str(uuid4())], ["{" + str(uuid4()) + "}"], ["\x00"]])
    def test_takes_nothing_of_what_is_no_proposal(self, cast: Cast, ibrahim: User, signed_in, asked: list[str]) -> None:
        make_hand_over(cast.ines_parcours, cast.benoit, ibrahim)
        response = signed_in(ibrahim).post(url("hand_over_accept"), {"hand_over_list": asked}, follow=True)
        sentence = "Une de ces propositions a changé entre-temps" if asked else "Cochez au moins un parcours."
        assert sentence in response.content.decode()
        assert HandOver.objects.pending().exists()

    def test_writes_one_letter_to_who_passes_several_on(
        self, cast: Cast, ibrahim: User, signed_in, django_capture_on_commit_callbacks
    ) -> None:
        zoe = make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Zoé"))
        waiting = [make_hand_over(parcours, cast.benoit, ibrahim).pk for parcours in (cast.ines_parcours, zoe)]
        with django_capture_on_commit_callbacks(execute=True):
            signed_in(ibrahim).post(url("hand_over_accept"), {"hand_over_list": waiting})
        assert [letter.to for letter in mail.outbox] == [[cast.benoit.email]]

    def test_takes_nothing_of_what_is_proposed_to_another(self, cast: Cast, ibrahim: User, signed_in) -> None:
        waiting = make_hand_over(cast.ines_parcours, cast.benoit, ibrahim)
        for person in (cast.amina, cast.benoit, *(getattr(cast, name) for name in OTHERS)):
            signed_in(person).post(url("hand_over_accept"), {"hand_over_list": [waiting.pk]})
        assert HandOver.objects.pending().get() == waiting

    def test_says_what_a_rule_refuses_and_does_the_rest(
        self, cast: Cast, ibrahim: User, signed_in, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The référent of one of them has changed since, behind the service's back."""
        zoe = make_parcours(cast.team_a, referent=ibrahim, child=make_child("Zoé"))
        asked = [make_hand_over(parcours, cast.benoit, ibrahim).pk for parcours in (cast.ines_parcours, zoe)]
        page = signed_in(ibrahim).post(url("hand_over_accept"), {"hand_over_list": asked}, follow=True)
        assert "1 parcours de plus" in page.content.decode()
        assert "a changé de référent entre-temps" in page.content.decode()


class TestHandOverRefuse:
    def test_says_why_to_who_asked(self, cast: Cast, ibrahim: User, signed_in) -> None:
        waiting = make_hand_over(cast.ines_parcours, cast.benoit, ibrahim)
        address = url("hand_over_refuse", waiting.pk)
        client = signed_in(ibrahim)
        assert client.get(address).status_code == 200
        assert client.post(address, {"reason": "Ma file est pleine"}).status_code == 302
        assert "Ma file est pleine" in signed_in(cast.benoit).get(url("my_accesses")).content.decode()
        assert changes(cast.benoit, cast.ines_parcours)
        assert hidden(client, "hand_over_refuse", waiting.pk, uuid4())

    @pytest.mark.parametrize(("reason", "sentence"), [("", "obligatoire"), ("x" * 301, "300")])
    def test_says_what_is_wrong(self, cast: Cast, ibrahim: User, signed_in, reason: str, sentence: str) -> None:
        waiting = make_hand_over(cast.ines_parcours, cast.benoit, ibrahim)
        response = signed_in(ibrahim).post(url("hand_over_refuse", waiting.pk), {"reason": reason})
        assert response.status_code == 422
        assert sentence in response.content.decode()
        assert reason in response.content.decode()
        assert HandOver.objects.pending().exists()

    def test_answers_out_of_reach_like_nothing(self, cast: Cast, ibrahim: User, signed_in) -> None:
        waiting = make_hand_over(cast.ines_parcours, cast.benoit, ibrahim)
        for person in (cast.amina, cast.benoit, *(getattr(cast, name) for name in OTHERS)):
            assert hidden(signed_in(person), "hand_over_refuse", waiting.pk, uuid4()), person.first_name


class TestHandOverCancel:
    def test_takes_it_back_and_says_so_when_it_is_too_late(self, cast: Cast, ibrahim: User, signed_in) -> None:
        waiting = make_hand_over(cast.ines_parcours, cast.benoit, ibrahim)
        client, address = signed_in(cast.benoit), url("hand_over_cancel", waiting.pk)
        assert "est retirée" in client.post(address, follow=True).content.decode()
        assert HandOver.objects.get().outcome == HandOverOutcome.CANCELLED
        assert "déjà close" in client.post(address, follow=True).content.decode()

    def test_answers_out_of_reach_like_nothing(self, cast: Cast, ibrahim: User, signed_in) -> None:
        """Who is to answer refuses, and takes nothing back."""
        waiting = make_hand_over(cast.ines_parcours, cast.benoit, ibrahim)
        for person in (ibrahim, *(getattr(cast, name) for name in OTHERS)):
            assert hidden(signed_in(person), "hand_over_cancel", waiting.pk, uuid4(), methods=("post",))
        assert HandOver.objects.pending().exists()
