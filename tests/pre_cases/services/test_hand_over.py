"""Passing parcours on: nothing changes before the answer, then everything does at once."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from audit.encryption.keys import load_keys_of
from audit.history import acting_as, system_account
from audit.journal.models import Event
from pre_cases.models import Assignment, Draft, HandOver, HandOverOutcome, Task
from pre_cases.services.assignment import AssignmentRefused, assign_referent
from pre_cases.services.draft import save_draft
from pre_cases.services.hand_over import (
    HandOverRefused,
    accept_hand_over,
    ask_hand_over,
    cancel_hand_over,
    refuse_hand_over,
)
from pre_cases.services.preconditions import ParcoursIsClosed
from pre_cases.services.timeline import add_task
from referents.models import Role, User
from tests.at_once import at_once
from tests.cast import Cast, make_child, make_hand_over, make_parcours, make_user
from tests.pre_cases.facts import again, changes, close, leave, sees, suspend

DAY = timedelta(days=1)
KIND = "pre_cases.handover"


@pytest.fixture
def ask(cast: Cast, ibrahim: User):
    """Benoît proposes Inès's parcours to Ibrahim, unless told otherwise."""

    def run(**values: object) -> list[HandOver]:
        defaults = {
            "parcours_list": [cast.ines_parcours],
            "from_referent": cast.benoit,
            "to_referent": ibrahim,
            "by": cast.benoit,
            "message": "Je change d’école",
        }
        return ask_hand_over(**defaults | values)

    return run


class TestAskHandOver:
    def test_changes_nothing_before_the_answer(self, cast: Cast, ibrahim: User, ask) -> None:
        ask()
        assert changes(cast.benoit, cast.ines_parcours)
        assert not sees(ibrahim, cast.ines_parcours)
        assert Assignment.objects.filter(parcours=cast.ines_parcours).count() == 1

    def test_is_journalled_on_each_parcours(self, cast: Cast, ibrahim: User, ask) -> None:
        zoe = make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Zoé"))
        made = ask(parcours_list=[cast.ines_parcours, zoe], by=cast.amina)
        events = Event.objects.filter(kind=KIND, action="create")
        assert {event.subject_id for event in events} == {cast.ines_parcours.pk, zoe.pk}
        assert {(event.actor_id, event.detail["user"]) for event in events} == {(cast.amina.pk, ibrahim.pk)}
        assert all(hand_over.history.get().history_user_id == cast.amina.pk for hand_over in made)

    def test_keeps_the_message_and_the_refusal_encrypted(self, ibrahim: User, ask) -> None:
        refuse_hand_over(hand_over=ask()[0], reason="Ma file est pleine", by=ibrahim)
        for model in (HandOver, HandOver.history.model):
            columns = [model._meta.get_field(name).column for name in ("message", "refusal")]
            with connections["default"].cursor() as cursor:
                cursor.execute(f"SELECT {', '.join(columns)} FROM {model._meta.db_table}")
                stored = b"".join(bytes(value) for row in cursor.fetchall() for value in row if value is not None)
            assert stored
            assert b"change" not in stored
            assert b"pleine" not in stored

    def test_refuses_an_empty_choice(self, ask) -> None:
        with pytest.raises(HandOverRefused, match="au moins un parcours"):
            ask(parcours_list=[])

    def test_refuses_the_same_person(self, cast: Cast, ask) -> None:
        with pytest.raises(HandOverRefused, match="déjà son parcours") as refusal:
            ask(to_referent=cast.benoit)
        assert refusal.value.field == "to_referent"

    @pytest.mark.parametrize("name", ["amina", "chloe", "david", "esther", "yann"])
    def test_refuses_who_is_no_referent_of_the_team(self, cast: Cast, ask, name: str) -> None:
        with pytest.raises(HandOverRefused, match="n’est pas référente dans l’équipe") as refusal:
            ask(to_referent=getattr(cast, name))
        assert refusal.value.field == "to_referent"

    def test_refuses_a_suspended_account(self, ibrahim: User, ask) -> None:
        suspend(ibrahim)
        with pytest.raises(HandOverRefused, match="n’est pas référente"):
            ask(to_referent=again(ibrahim))

    def test_refuses_a_parcours_that_somebody_else_follows(self, cast: Cast, ask) -> None:
        with pytest.raises(HandOverRefused, match="vient de changer de référent"):
            ask(parcours_list=[cast.tom_parcours])

    def test_refuses_a_second_one_before_the_answer(self, cast: Cast, ask) -> None:
        ask()
        with pytest.raises(HandOverRefused, match="déjà demandé"):
            ask(to_referent=make_user("Denis", Role.REFERENT, cast.team_a))
        with pytest.raises(IntegrityError), transaction.atomic():
            make_hand_over(cast.ines_parcours, cast.benoit, cast.amina)

    def test_refuses_a_closed_parcours(self, cast: Cast, ask) -> None:
        close(cast.ines_parcours, by=cast.amina)
        with pytest.raises(ParcoursIsClosed):
            ask()

    def test_asks_for_all_of_them_or_for_none(self, cast: Cast, ask) -> None:
        events = Event.objects.count()
        with pytest.raises(HandOverRefused):
            ask(parcours_list=[cast.ines_parcours, cast.tom_parcours])
        assert not HandOver.objects.exists()
        assert Event.objects.count() == events

    def test_may_be_asked_again_once_answered(self, cast: Cast, ibrahim: User, ask) -> None:
        refuse_hand_over(hand_over=ask()[0], reason="Ma file est pleine", by=ibrahim)
        assert ask()


class TestAcceptHandOver:
    def test_changes_the_referent_today(self, cast: Cast, ibrahim: User, ask) -> None:
        accept_hand_over(hand_over=ask()[0], by=ibrahim)
        former, new = Assignment.objects.filter(parcours=cast.ines_parcours).order_by("pk")
        assert (former.referent, former.ends_on) == (cast.benoit, timezone.localdate())
        assert (new.referent, new.starts_on, new.ends_on) == (ibrahim, timezone.localdate(), None)
        assert changes(ibrahim, cast.ines_parcours)
        assert not sees(cast.benoit, cast.ines_parcours)
        answered = HandOver.objects.get()
        assert (answered.outcome, answered.message) == (HandOverOutcome.ACCEPTED, "Je change d’école")
        assert answered.answered_at is not None

    def test_is_journalled_with_both_assignments(self, cast: Cast, ibrahim: User, ask) -> None:
        accept_hand_over(hand_over=ask()[0], by=ibrahim)
        assert Event.objects.get(kind=KIND, action="accept").actor_id == ibrahim.pk
        written = Event.objects.filter(kind="pre_cases.assignment").values_list("action", "actor_id", "subject_id")
        pk = cast.ines_parcours.pk
        assert sorted(written) == [("change", ibrahim.pk, pk), ("create", ibrahim.pk, pk)]

    def test_keeps_what_the_preview_promises(self, cast: Cast, ibrahim: User, ask) -> None:
        """Tasks of the former référent pass on, those of others stay; the drafts of the former one are deleted."""
        parcours, due_on = cast.ines_parcours, timezone.localdate() + DAY
        his = add_task(parcours=parcours, label="Appeler l’école", due_on=due_on, assignee=cast.benoit, by=cast.benoit)
        hers = add_task(parcours=parcours, label="Relire", due_on=due_on, assignee=cast.amina, by=cast.amina)
        save_draft(parcours=parcours, form="entry", content={"text": "à moi"}, by=cast.benoit)
        save_draft(parcours=parcours, form="entry", content={"text": "à elle"}, by=cast.amina)
        accept_hand_over(hand_over=ask()[0], by=ibrahim)
        assert (Task.objects.get(pk=his.pk).assignee, Task.objects.get(pk=hers.pk).assignee) == (ibrahim, cast.amina)
        assert [draft.user for draft in Draft.objects.all()] == [cast.amina]

    def test_refuses_once_the_referent_has_changed(self, cast: Cast, ibrahim: User, ask) -> None:
        waiting = ask()[0]
        assign_referent(
            parcours=cast.ines_parcours, referent=make_user("Denis", Role.REFERENT, cast.team_a), by=cast.amina
        )
        assert HandOver.objects.get().outcome == HandOverOutcome.CANCELLED
        with pytest.raises(HandOverRefused, match="déjà close : annulé"):
            accept_hand_over(hand_over=waiting, by=ibrahim)

    def test_refuses_once_the_parcours_is_closed(self, cast: Cast, ibrahim: User, ask) -> None:
        waiting = ask()[0]
        close(cast.ines_parcours, by=cast.amina)
        with pytest.raises(HandOverRefused, match="clos entre-temps"):
            accept_hand_over(hand_over=waiting, by=ibrahim)

    def test_refuses_who_has_left_the_team(self, cast: Cast, ibrahim: User, ask) -> None:
        waiting = ask()[0]
        leave(ibrahim)
        with pytest.raises(AssignmentRefused, match="n’est pas référente"):
            accept_hand_over(hand_over=waiting, by=ibrahim)
        assert HandOver.objects.pending().exists()
        assert not HandOver.objects.answerable_by(again(ibrahim)).exists()

    @pytest.mark.parametrize("answer", ["accept", "refuse", "cancel"])
    def test_refuses_a_second_answer(self, cast: Cast, ibrahim: User, ask, answer: str) -> None:
        waiting = ask()[0]
        refuse_hand_over(hand_over=waiting, reason="Ma file est pleine", by=ibrahim)
        answers = {
            "accept": lambda: accept_hand_over(hand_over=waiting, by=ibrahim),
            "refuse": lambda: refuse_hand_over(hand_over=waiting, reason="Non", by=ibrahim),
            "cancel": lambda: cancel_hand_over(hand_over=waiting, by=cast.benoit),
        }
        with pytest.raises(HandOverRefused, match="déjà close : refusé"):
            answers[answer]()


class TestRefuseHandOver:
    def test_says_why_and_changes_nothing(self, cast: Cast, ibrahim: User, ask) -> None:
        refuse_hand_over(hand_over=ask()[0], reason=" Ma file est pleine ", by=ibrahim)
        answered = HandOver.objects.get()
        assert (answered.outcome, answered.refusal) == (HandOverOutcome.REFUSED, "Ma file est pleine")
        assert changes(cast.benoit, cast.ines_parcours)
        assert not sees(ibrahim, cast.ines_parcours)
        event = Event.objects.get(kind=KIND, action="refuse")
        assert (event.actor_id, event.subject_id) == (ibrahim.pk, cast.ines_parcours.pk)

    def test_refuses_without_a_reason(self, ibrahim: User, ask) -> None:
        with pytest.raises(HandOverRefused, match="lira cette raison") as refusal:
            refuse_hand_over(hand_over=ask()[0], reason=" ", by=ibrahim)
        assert refusal.value.field == "reason"


class TestCancelHandOver:
    def test_takes_it_back(self, cast: Cast, ibrahim: User, ask) -> None:
        cancel_hand_over(hand_over=ask()[0], by=cast.benoit)
        assert HandOver.objects.get().outcome == HandOverOutcome.CANCELLED
        assert not HandOver.objects.answerable_by(again(ibrahim)).exists()
        event = Event.objects.get(kind=KIND, action="cancel")
        assert (event.actor_id, event.subject_id) == (cast.benoit.pk, cast.ines_parcours.pk)


class TestHandOver:
    def test_is_dated_and_to_another_for_the_database_too(self, cast: Cast, ask) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            make_hand_over(cast.ines_parcours, cast.benoit, cast.benoit)
        waiting = ask()[0]
        waiting.outcome = HandOverOutcome.ACCEPTED
        with pytest.raises(IntegrityError), transaction.atomic(), acting_as(system_account()):
            waiting.save()


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
class TestTwoPeople:
    def test_answer_once(self, tmp_path: Path) -> None:
        """One accepts while the other takes it back: one of both holds, and the référent fits."""
        cast = Cast()
        ibrahim = make_user("Ibrahim", Role.REFERENT, cast.team_a)
        waiting = make_hand_over(cast.ines_parcours, cast.benoit, ibrahim)

        def accept() -> HandOver:
            load_keys_of(waiting)
            return accept_hand_over(hand_over=waiting, by=ibrahim)

        def cancel() -> HandOver:
            load_keys_of(waiting)
            return cancel_hand_over(hand_over=waiting, by=cast.benoit)

        def consistent() -> int:
            taken = Assignment.objects.filter(ends_on__isnull=True, referent=ibrahim).exists()
            return taken is (HandOver.objects.get().outcome == HandOverOutcome.ACCEPTED)

        outcomes, holds = at_once(tmp_path, [accept, cancel], consistent)
        assert outcomes[0].startswith("Cette demande est déjà close")
        assert outcomes[1] == "HandOver"
        assert holds

    def test_propose_one_parcours_once(self, tmp_path: Path) -> None:
        cast = Cast()
        rivals = [make_user(name, Role.REFERENT, cast.team_a) for name in ("Ibrahim", "Denis")]

        def propose(to: User, by: User):
            def run() -> object:
                load_keys_of(cast.ines_parcours)
                return ask_hand_over(
                    parcours_list=[cast.ines_parcours], from_referent=cast.benoit, to_referent=to, by=by
                )

            return run

        outcomes, waiting = at_once(
            tmp_path, [propose(rivals[0], cast.benoit), propose(rivals[1], cast.amina)], HandOver.objects.count
        )
        assert waiting == 1
        assert outcomes == [
            "Un passage de relais est déjà demandé pour un de ces parcours : décochez-le.",
            "list",
        ]
