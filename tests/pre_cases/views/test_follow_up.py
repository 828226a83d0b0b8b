"""Corrections, and the questions of the coordination from the asking to the answer."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.history import acting_as
from pre_cases.models import Entry, FollowUp
from pre_cases.services.entries import add_entries
from pre_cases.services.follow_up import answer_follow_up, ask_follow_up
from pre_cases.services.timeline import add_entry
from tests.cast import Cast, make_child, make_parcours
from tests.pre_cases.views.reach import assert_hidden, url
from tests.queries import queries_of

DAY = timedelta(days=1)


@pytest.fixture
def entry(cast: Cast) -> Entry:
    return note(cast, cast.ines_parcours)


def note(cast: Cast, parcours, text: str = "La mère hésite.") -> Entry:
    on = timezone.localdate()
    return add_entry(parcours=parcours, kind="phone", on=on, with_whom="family", text=text, by=cast.benoit)


def typed(**values) -> dict:
    today = timezone.localdate().isoformat()
    return {"kind": "phone", "with_whom": "family", "on": today, "text": "La mère accepte."} | values


class TestEntryCorrect:
    def test_is_offered_to_who_wrote_it_only(self, cast: Cast, signed_in, entry: Entry) -> None:
        address = url("entry_correct", entry.pk)
        pages = {
            person: signed_in(getattr(cast, person)).get(url("parcours_detail", cast.ines_parcours.pk)).content.decode()
            for person in ("amina", "benoit", "david")
        }
        assert {person for person, page in pages.items() if address in page} == {"benoit"}
        for person in (cast.amina, cast.chloe, cast.david):
            assert_hidden(signed_in(person), "entry_correct", entry.pk)

    def test_writes_it_again(self, cast: Cast, signed_in, entry: Entry) -> None:
        client = signed_in(cast.benoit)
        assert "La mère hésite." in client.get(url("entry_correct", entry.pk)).content.decode()
        assert client.post(url("entry_correct", entry.pk), typed()).status_code == 302
        assert Entry.objects.get().text == "La mère accepte."
        history = client.get(url("parcours_history", cast.ines_parcours.pk)).content.decode()
        assert "hésite" in history

    def test_offers_the_others_of_its_group_and_no_foreign_one(self, cast: Cast, signed_in) -> None:
        lina = make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Lina"))
        first, second = add_entries(
            parcours_list=[cast.ines_parcours, lina],
            kind="school",
            on=timezone.localdate(),
            with_whom="school",
            text="Réunion.",
            by=cast.benoit,
        )
        alone = note(cast, lina)
        client = signed_in(cast.benoit)
        form = client.get(url("entry_correct", first.pk)).context["form"]
        assert list(form.fields["others"].queryset) == [second]
        refused = client.post(url("entry_correct", first.pk), typed(others=[str(alone.pk)]))
        assert refused.status_code == 422
        client.post(url("entry_correct", first.pk), typed(others=[str(second.pk)], text="Reportée."))
        assert {each.text for each in Entry.objects.filter(group_id=first.group_id)} == {"Reportée."}
        assert Entry.objects.get(pk=alone.pk).text == "La mère hésite."

    @pytest.mark.parametrize(("field", "value"), [("text", "é" * 5000), ("on", "hier"), ("text", "")])
    def test_says_beside_the_field_what_is_wrong(self, cast: Cast, signed_in, entry: Entry, field, value) -> None:
        response = signed_in(cast.benoit).post(url("entry_correct", entry.pk), typed(**{field: value}))
        assert response.status_code == 422
        assert field in response.context["form"].errors
        assert Entry.objects.get().text == "La mère hésite."


class TestFollowUp:
    def test_goes_from_the_coordination_to_the_referent_and_back(self, cast: Cast, signed_in, entry: Entry) -> None:
        amina, benoit = signed_in(cast.amina), signed_in(cast.benoit)
        parcours = url("parcours_detail", cast.ines_parcours.pk)
        assert url("follow_up_ask", entry.pk) in amina.get(parcours).content.decode()
        assert url("follow_up_ask", entry.pk) not in benoit.get(parcours).content.decode()
        assert amina.post(url("follow_up_ask", entry.pk), {"question": "Qui rappelle ?"}).status_code == 302
        asked = FollowUp.objects.get()

        assert "Qui rappelle ?" in benoit.get(url("my_questions")).content.decode()
        assert url("follow_up_answer", asked.pk) in benoit.get(parcours).content.decode()
        assert url("follow_up_answer", asked.pk) not in amina.get(parcours).content.decode()
        assert "attendue" in amina.get(url("team_questions", "a")).content.decode()
        answered = benoit.post(url("follow_up_answer", asked.pk), {"answer": "Moi, jeudi."})
        assert answered["Location"] == url("my_questions")

        assert not benoit.get(url("my_questions")).context["page"].records
        assert "Moi, jeudi." in amina.get(url("team_questions", "a")).content.decode()
        assert not amina.get(f"{url('team_questions', 'a')}?filtre=sans-reponse").context["page"].records
        assert "Moi, jeudi." in amina.get(parcours).content.decode()

    def test_is_between_the_referent_and_the_coordination(self, cast: Cast, signed_in, entry: Entry) -> None:
        ask_follow_up(entry=entry, question="Qui rappelle ?", by=cast.amina)
        page = signed_in(cast.david).get(url("parcours_detail", cast.ines_parcours.pk)).content.decode()
        assert "La mère hésite." in page
        assert "Qui rappelle ?" not in page

    def test_says_beside_the_field_what_is_wrong(self, cast: Cast, signed_in, entry: Entry) -> None:
        client = signed_in(cast.amina)
        for question in ("", "é" * 501):
            response = client.post(url("follow_up_ask", entry.pk), {"question": question})
            assert response.status_code == 422
            assert "question" in response.context["form"].errors
        client.post(url("follow_up_ask", entry.pk), {"question": "Une ?"})
        again = client.post(url("follow_up_ask", entry.pk), {"question": "Deux ?"})
        assert "attend déjà" in again.content.decode()
        assert FollowUp.objects.count() == 1

    def test_answered_long_ago_leaves_the_list(self, cast: Cast, signed_in, entry: Entry) -> None:
        asked = ask_follow_up(entry=entry, question="Qui ?", by=cast.amina)
        answered = answer_follow_up(follow_up=asked, answer="Moi.", by=cast.benoit)
        assert len(signed_in(cast.amina).get(url("team_questions", "a")).context["page"].records) == 1
        answered.answered_at = timezone.now() - 31 * DAY
        with acting_as(cast.benoit):
            answered.save()
        assert not signed_in(cast.amina).get(url("team_questions", "a")).context["page"].records


class TestLists:
    def test_cost_the_same_with_one_question_or_twenty_five(self, cast: Cast, signed_in) -> None:
        pages = [(signed_in(cast.benoit), url("my_questions")), (signed_in(cast.amina), url("team_questions", "a"))]
        ask_follow_up(entry=note(cast, cast.ines_parcours), question="?", by=cast.amina)
        few = [len(queries_of(client, address)) for client, address in pages]
        for index in range(24):
            parcours = make_parcours(cast.team_a, referent=cast.benoit, child=make_child(f"Enfant{index}"))
            ask_follow_up(entry=note(cast, parcours), question="?", by=cast.amina)
        assert [len(queries_of(client, address)) for client, address in pages] == few
