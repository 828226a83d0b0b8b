"""Exchanges, comments, tasks and drafts: on a parcours, or on a saisine until it opens or ends."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.journal.models import Event
from partners.models import Term
from pre_cases.models import Comment, Draft, Entry, EntryKind, Parcours, Task
from pre_cases.services.draft import save_draft
from pre_cases.services.parcours import close_parcours
from pre_cases.services.preconditions import ParcoursIsClosed
from pre_cases.services.saisine import decide_outcome
from pre_cases.services.timeline import (
    EntryRefused,
    SaisineIsOver,
    TaskRefused,
    add_comment,
    add_entry,
    add_task,
    complete_task,
)
from tests.cast import Cast, make_agreement, make_child, make_saisine

DAY = timedelta(days=1)


@pytest.fixture
def today():
    return timezone.localdate()


def note(cast: Cast, **values) -> Entry:
    if "saisine" not in values:
        values.setdefault("parcours", cast.ines_parcours)
    values = {"kind": EntryKind.PHONE, "on": timezone.localdate(), "with_whom": "family", "text": "Appel"} | values
    return add_entry(**{"by": cast.benoit} | values)


def ask(cast: Cast, **values) -> Task:
    if "saisine" not in values:
        values.setdefault("parcours", cast.ines_parcours)
    values = {"assignee": cast.benoit, "label": "Appeler l’école", "due_on": timezone.localdate() + 3 * DAY} | values
    return add_task(**{"by": cast.amina} | values)


def close(cast: Cast) -> None:
    lost = Term.objects.get(pk="exit_reason:contact-perdu")
    close_parcours(parcours=cast.ines_parcours, on=timezone.localdate(), reason=lost, by=cast.amina)


def last_contact(cast: Cast):
    return Parcours.objects.get(pk=cast.ines_parcours.pk).last_contact_on


class TestAddEntry:
    def test_moves_the_last_contact_forward_only(self, cast: Cast, today) -> None:
        note(cast, on=today - DAY)
        note(cast, on=today - 9 * DAY)
        assert last_contact(cast) == today - DAY

    def test_counts_an_attempt_as_no_contact_and_asks_no_words_of_it(self, cast: Cast) -> None:
        entry = note(cast, kind=EntryKind.ATTEMPT, text="")
        assert Entry.objects.get(pk=entry.pk).text is None
        assert last_contact(cast) is None

    @pytest.mark.parametrize("text", ["", "   "])
    def test_asks_for_a_sentence_when_somebody_answered(self, cast: Cast, text: str) -> None:
        with pytest.raises(EntryRefused, match="en une phrase") as refusal:
            note(cast, text=text)
        assert refusal.value.field == "text"

    def test_is_possible_from_the_day_of_the_saisine_to_today(self, cast: Cast, today) -> None:
        received = cast.ines_parcours.saisine.received_on
        for day, sentence in ((received - DAY, "précède la saisine"), (today + DAY, "futur")):
            with pytest.raises(EntryRefused, match=sentence) as refusal:
                note(cast, on=day)
            assert refusal.value.field == "on"
        assert note(cast, on=received).on == received

    def test_is_signed_and_journalled_under_the_key_of_the_child(self, cast: Cast) -> None:
        entry = note(cast)
        assert (entry.author_id, entry.data_key_id) == (cast.benoit.pk, cast.ines.data_key_id)
        event = Event.objects.get(kind="pre_cases.entry")
        assert (event.action, event.actor_id, event.subject_id) == ("create", cast.benoit.pk, cast.ines_parcours.pk)

    def test_throws_away_the_draft_of_its_author_only(self, cast: Cast) -> None:
        for person in (cast.benoit, cast.amina):
            save_draft(parcours=cast.ines_parcours, form="entry", content={"text": "…"}, by=person)
        note(cast)
        assert Draft.objects.get().user_id == cast.amina.pk

    def test_refuses_a_closed_parcours(self, cast: Cast) -> None:
        close(cast)
        with pytest.raises(ParcoursIsClosed):
            note(cast)
        assert not Entry.objects.exists()

    def test_hangs_on_a_saisine_that_waits_even_when_the_family_refuses(self, cast: Cast, today) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        assert note(cast, saisine=saisine).saisine_id == saisine.pk
        make_agreement(saisine, refused_on=today)
        assert note(cast, saisine=saisine).parcours_id is None
        with pytest.raises(EntryRefused, match="précède la saisine"):
            note(cast, saisine=saisine, on=saisine.received_on - DAY)

    def test_refuses_a_saisine_whose_parcours_is_open(self, cast: Cast) -> None:
        with pytest.raises(SaisineIsOver, match="c’est là que l’on écrit"):
            note(cast, saisine=cast.ines_parcours.saisine)

    def test_refuses_a_saisine_that_has_ended(self, cast: Cast, today) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        decide_outcome(saisine=saisine, outcome="no_follow_up", on=today, reason="Déjà aidée", by=cast.amina)
        with pytest.raises(SaisineIsOver, match="terminée"):
            note(cast, saisine=saisine)


class TestAddComment:
    def test_is_signed_and_is_no_contact(self, cast: Cast) -> None:
        add_comment(parcours=cast.ines_parcours, text="Penser au bilan.", by=cast.amina)
        comment = Comment.objects.get()
        assert (comment.text, comment.author_id, comment.parcours_id) == (
            "Penser au bilan.",
            cast.amina.pk,
            cast.ines_parcours.pk,
        )
        assert last_contact(cast) is None
        assert Event.objects.get(kind="pre_cases.comment").actor_id == cast.amina.pk

    def test_refuses_a_closed_parcours(self, cast: Cast) -> None:
        close(cast)
        with pytest.raises(ParcoursIsClosed):
            add_comment(parcours=cast.ines_parcours, text="Trop tard", by=cast.amina)


class TestAddTask:
    def test_brings_the_due_date_of_the_parcours_nearer(self, cast: Cast, today) -> None:
        ask(cast)
        assert Parcours.objects.get(pk=cast.ines_parcours.pk).due_on == today + 3 * DAY

    def test_may_be_for_today_and_not_for_yesterday(self, cast: Cast, today) -> None:
        assert ask(cast, due_on=today).due_on == today
        with pytest.raises(TaskRefused, match="passée") as refusal:
            ask(cast, due_on=today - DAY)
        assert refusal.value.field == "due_on"

    def test_hangs_on_a_saisine_that_waits(self, cast: Cast) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        task = ask(cast, saisine=saisine)
        assert (task.saisine_id, task.parcours_id, task.data_key_id) == (saisine.pk, None, saisine.data_key_id)

    def test_refuses_a_closed_parcours_and_a_saisine_already_opened(self, cast: Cast) -> None:
        with pytest.raises(SaisineIsOver):
            ask(cast, saisine=cast.ines_parcours.saisine)
        close(cast)
        with pytest.raises(ParcoursIsClosed):
            ask(cast)
        assert not Task.objects.exists()


class TestCompleteTask:
    def test_says_who_did_it_and_gives_the_parcours_its_due_date_back(self, cast: Cast) -> None:
        before = cast.ines_parcours.due_on
        task = ask(cast)
        complete_task(task=task, by=cast.benoit)
        done = Task.objects.get()
        assert (done.done_by_id, done.days_late) == (cast.benoit.pk, 0)
        assert done.done_at is not None
        assert Parcours.objects.get(pk=cast.ines_parcours.pk).due_on == before

    def test_happens_once(self, cast: Cast) -> None:
        task = ask(cast)
        complete_task(task=task, by=cast.benoit)
        with pytest.raises(TaskRefused, match="déjà faite"):
            complete_task(task=task, by=cast.amina)
        assert Task.objects.get().done_by_id == cast.benoit.pk

    def test_refuses_a_closed_parcours(self, cast: Cast) -> None:
        task = ask(cast)
        close(cast)
        with pytest.raises(ParcoursIsClosed):
            complete_task(task=task, by=cast.benoit)

    def test_works_on_a_saisine_too(self, cast: Cast) -> None:
        task = ask(cast, saisine=make_saisine(make_child("Zoé"), cast.team_a))
        assert complete_task(task=task, by=cast.benoit).done_by == cast.benoit
