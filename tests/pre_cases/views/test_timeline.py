"""Quick entry, drafts, comments and tasks, as people write them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.history import acting_as
from audit.journal.models import Event
from partners.models import Term
from pre_cases.models import Comment, Draft, Entry, Parcours, Task
from pre_cases.services.assignment import assign_referent
from pre_cases.services.parcours import close_parcours
from pre_cases.services.timeline import add_task, complete_task
from referents.models import Role, User
from tests.cast import Cast, make_child, make_saisine, make_user
from tests.pre_cases.views.reach import assert_hidden, url

DAY = timedelta(days=1)


@pytest.fixture
def today():
    return timezone.localdate()


def ask(parcours: Parcours | None, assignee: User, by: User, **values) -> Task:
    values = {"label": "Appeler l’école", "due_on": timezone.localdate() + 2 * DAY} | values
    return add_task(parcours=parcours, assignee=assignee, by=by, **values)


class TestEntryCreate:
    def typed(self, **values: str) -> dict[str, str]:
        return {
            "kind": "phone",
            "with_whom": "family",
            "on": timezone.localdate().isoformat(),
            "text": "La mère viendra jeudi.",
        } | values

    def test_says_beside_the_field_which_choice_does_not_exist(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.benoit).post(
            url("entry_create", cast.ines_parcours.pk), self.typed(kind="pigeon", with_whom="voisin")
        )
        assert response.status_code == 422
        assert set(response.context["form"].errors) == {"kind", "with_whom"}
        assert "La mère viendra jeudi." in response.content.decode()
        assert not Entry.objects.exists()

    def test_keeps_the_draft_when_asked_even_half_written(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        response = client.post(
            url("entry_create", cast.ines_parcours.pk), self.typed(on="", text="À moitié", draft="1")
        )
        assert response["Location"] == url("parcours_detail", cast.ines_parcours.pk)
        assert Draft.objects.get().content["text"] == "À moitié"
        assert not Entry.objects.exists()
        assert "À moitié" in client.get(url("entry_create", cast.ines_parcours.pk)).content.decode()

    def test_throws_the_draft_away_when_asked(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        client.post(url("entry_create", cast.ines_parcours.pk), self.typed(draft="1"))
        client.post(url("entry_create", cast.ines_parcours.pk), self.typed(discard="1"))
        assert not Draft.objects.exists()
        assert not Entry.objects.exists()

    def test_is_hidden_from_who_does_not_write_there(self, cast: Cast, signed_in) -> None:
        for person in (cast.chloe, cast.david, cast.esther):
            assert_hidden(signed_in(person), "entry_create", cast.ines_parcours.pk)
        assert not Entry.objects.exists()


class TestDraftSave:
    def test_answers_with_the_hour(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.benoit).post(url("draft_save", cast.ines_parcours.pk), {"text": "…"})
        at = timezone.localtime(Draft.objects.get().updated_at)
        assert response.content.decode().strip() == f"Brouillon gardé à {at.hour}\u00a0h\u00a0{at:%M}"

    def test_keeps_the_fields_of_the_form_and_nothing_else(self, cast: Cast, signed_in) -> None:
        typed = {"text": "é" * 2000, "kind": "pigeon", "note": "x" * 5000}
        signed_in(cast.benoit).post(url("draft_save", cast.ines_parcours.pk), typed)
        assert Draft.objects.get().content == {"kind": "pigeon", "with_whom": "", "on": "", "text": "é" * 1000}

    def test_is_hidden_from_who_does_not_write_there(self, cast: Cast, signed_in) -> None:
        for person in (cast.chloe, cast.david):
            assert_hidden(signed_in(person), "draft_save", cast.ines_parcours.pk, methods=("post",))
        assert signed_in(cast.benoit).get(url("draft_save", cast.ines_parcours.pk)).status_code == 405


class TestCommentCreate:
    def test_keeps_the_comment_and_comes_back(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.amina).post(url("comment_create", cast.ines_parcours.pk), {"text": "Bravo."})
        assert response["Location"] == url("parcours_detail", cast.ines_parcours.pk)
        comment = Comment.objects.get()
        assert (comment.text, comment.author_id) == ("Bravo.", cast.amina.pk)

    @pytest.mark.parametrize(("text", "sentence"), [("", "obligatoire"), ("é" * 1001, "1000 signes au plus")])
    def test_says_beside_the_field_what_is_wrong(self, cast: Cast, signed_in, text: str, sentence: str) -> None:
        response = signed_in(cast.amina).post(url("comment_create", cast.ines_parcours.pk), {"text": text})
        assert response.status_code == 422
        assert sentence in " ".join(response.context["form"].errors["text"])
        assert text in response.content.decode()
        assert not Comment.objects.exists()

    def test_is_hidden_from_who_does_not_write_there(self, cast: Cast, signed_in) -> None:
        for person in (cast.chloe, cast.david):
            assert_hidden(signed_in(person), "comment_create", cast.ines_parcours.pk)


class TestTaskCreate:
    def typed(self, assignee: User, **values: str) -> dict[str, str]:
        return {
            "label": "Appeler l’école",
            "due_on": (timezone.localdate() + DAY).isoformat(),
            "assignee": str(assignee.pk),
        } | values

    def test_asks_a_colleague_of_the_team(self, cast: Cast, signed_in, today) -> None:
        response = signed_in(cast.benoit).post(url("task_create", cast.ines_parcours.pk), self.typed(cast.amina))
        assert response["Location"] == url("parcours_detail", cast.ines_parcours.pk)
        task = Task.objects.get()
        assert (task.label, task.assignee_id, task.due_on) == ("Appeler l’école", cast.amina.pk, today + DAY)

    def test_offers_the_people_of_the_team_and_nobody_else(self, cast: Cast, signed_in) -> None:
        form = signed_in(cast.benoit).get(url("task_create", cast.ines_parcours.pk)).context["form"]
        assert set(form.fields["assignee"].queryset) == {cast.amina, cast.benoit}

    def test_refuses_somebody_of_another_team(self, cast: Cast, signed_in) -> None:
        for stranger in (cast.chloe, cast.david, cast.yann):
            response = signed_in(cast.benoit).post(url("task_create", cast.ines_parcours.pk), self.typed(stranger))
            assert response.status_code == 422
            assert "assignee" in response.context["form"].errors
        assert not Task.objects.exists()

    @pytest.mark.parametrize(
        ("values", "field", "sentence"),
        [
            ({"label": ""}, "label", "obligatoire"),
            ({"due_on": "2020-01-01"}, "due_on", "passée"),
            ({"due_on": "vite"}, "due_on", "date valide"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(self, cast: Cast, signed_in, values, field, sentence) -> None:
        typed = self.typed(cast.amina, **values)
        response = signed_in(cast.benoit).post(url("task_create", cast.ines_parcours.pk), typed)
        assert response.status_code == 422
        assert sentence in " ".join(response.context["form"].errors[field])
        page = response.content.decode()
        assert f'<option value="{cast.amina.pk}" selected>' in page
        assert all(typed[name] in page for name in ("label", "due_on"))

    def test_is_hidden_from_who_does_not_write_there(self, cast: Cast, signed_in) -> None:
        for person in (cast.chloe, cast.david):
            assert_hidden(signed_in(person), "task_create", cast.ines_parcours.pk)


class TestMyTasks:
    def labels(self, client) -> list[str]:
        return [task.label for task in client.get(url("my_tasks")).context["page"].records]

    def test_shows_own_tasks_still_to_do_the_most_pressing_first(self, cast: Cast, signed_in, today) -> None:
        ask(cast.ines_parcours, cast.benoit, cast.amina, label="demain", due_on=today + DAY)
        ask(cast.ines_parcours, cast.benoit, cast.amina, label="aujourd’hui", due_on=today)
        ask(cast.ines_parcours, cast.amina, cast.benoit, label="pour Amina")
        ask(cast.tom_parcours, cast.chloe, cast.chloe, label="pour Chloé")
        complete_task(task=ask(cast.ines_parcours, cast.benoit, cast.amina, label="faite"), by=cast.benoit)
        assert self.labels(signed_in(cast.benoit)) == ["aujourd’hui", "demain"]

    def test_leads_to_the_saisine_before_the_parcours(self, cast: Cast, signed_in) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a, assignee=cast.benoit)
        ask(None, cast.benoit, cast.amina, saisine=saisine)
        page = signed_in(cast.benoit).get(url("my_tasks")).content.decode()
        assert url("saisine_detail", saisine.pk) in page
        assert "Zoé" in page

    def test_forgets_tasks_of_a_parcours_that_somebody_else_follows_now(self, cast: Cast, signed_in) -> None:
        ask(cast.ines_parcours, cast.benoit, cast.amina)
        client = signed_in(cast.benoit)
        assert self.labels(client) == ["Appeler l’école"]
        other = make_user("Denis", Role.REFERENT, cast.team_a)
        assign_referent(parcours=cast.ines_parcours, referent=other, by=cast.amina)
        assert self.labels(client) == []
        assert "Inès" not in client.get(url("my_tasks")).content.decode()

    def test_writes_one_event_with_the_ids_shown(self, cast: Cast, signed_in) -> None:
        task = ask(cast.ines_parcours, cast.benoit, cast.amina)
        signed_in(cast.benoit).get(url("my_tasks"))
        event = Event.objects.get(action="list", kind="pre_cases.task")
        assert (event.actor_id, event.record_ids) == (cast.benoit.pk, [str(task.pk)])

    def test_says_that_nothing_waits(self, cast: Cast, signed_in) -> None:
        assert "Rien ne vous attend" in signed_in(cast.benoit).get(url("my_tasks")).content.decode()


class TestTaskComplete:
    def test_takes_one_click_and_comes_back_where_it_was_clicked(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        one, other = (ask(cast.ines_parcours, cast.benoit, cast.amina) for _ in range(2))
        from_list = client.post(url("task_complete", one.pk), {"next": "tasks"})
        from_parcours = client.post(url("task_complete", other.pk))
        assert from_list["Location"] == url("my_tasks")
        assert from_parcours["Location"] == url("parcours_detail", cast.ines_parcours.pk)
        assert not Task.objects.open().exists()

    def test_says_that_it_was_done_already(self, cast: Cast, signed_in) -> None:
        task = ask(cast.ines_parcours, cast.benoit, cast.amina)
        complete_task(task=task, by=cast.amina)
        response = signed_in(cast.benoit).post(url("task_complete", task.pk), follow=True)
        assert "déjà faite" in response.content.decode()
        task.refresh_from_db()
        assert task.done_by_id == cast.amina.pk

    def test_is_hidden_for_a_task_of_another_team(self, cast: Cast, signed_in) -> None:
        foreign = ask(cast.tom_parcours, cast.chloe, cast.chloe)
        for person in (cast.benoit, cast.amina, cast.david):
            assert_hidden(signed_in(person), "task_complete", foreign.pk, methods=("post",))
        foreign.refresh_from_db()
        assert foreign.done_at is None

    def test_is_hidden_once_the_parcours_is_closed(self, cast: Cast, signed_in, today) -> None:
        task = ask(cast.ines_parcours, cast.benoit, cast.amina)
        lost = Term.objects.get(pk="exit_reason:contact-perdu")
        close_parcours(parcours=cast.ines_parcours, on=today, reason=lost, by=cast.amina)
        assert_hidden(signed_in(cast.benoit), "task_complete", task.pk, methods=("post",))

    def test_leaves_out_of_reach_a_task_of_a_colleague_s_saisine(self, cast: Cast, signed_in) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        task = ask(None, cast.benoit, cast.amina, saisine=saisine)
        with acting_as(cast.amina):
            saisine.assignee = cast.amina
            saisine.save()
        assert_hidden(signed_in(cast.benoit), "task_complete", task.pk, methods=("post",))
