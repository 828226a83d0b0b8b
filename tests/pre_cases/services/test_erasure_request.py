"""An erasure is asked for by one person and decided by another: in the services, and in the database."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.encryption.keys import load_keys_of
from audit.journal.models import Event
from pre_cases.models import Child, Erasure, ErasureReason
from pre_cases.services.erasure import ErasureRefused, erase_child
from pre_cases.services.erasure_request import DecisionRefused, OwnErasure, approve_erasure, refuse_erasure
from pre_cases.services.retention import place_hold
from tests.cast import Cast, make_saisine, make_user
from tests.erasures import announce, approved, ask, make_former

State = Erasure.State


@pytest.fixture
def child(cast: Cast) -> Child:
    child = make_former(cast.team_a).child
    announce(child)
    return child


class TestRequestErasure:
    def test_counts_what_would_leave_and_changes_nothing(self, cast: Cast, child: Child) -> None:
        erasure = ask(child, cast.amina, archive_visa=" 2026-114 ")
        assert (erasure.state, erasure.team, erasure.requested_by) == (State.REQUESTED, cast.team_a, cast.amina)
        assert erasure.archive_visa == "2026-114"
        assert erasure.counts["parcours"] == erasure.counts["enfants"] == 1
        assert erasure.counts["clés"] == 2
        assert Child.objects.filter(pk=child.pk).exists()

    def test_seals_what_was_typed_under_the_child_s_key(self, cast: Cast, child: Child) -> None:
        ask(child, cast.amina)
        note = ErasureReason.objects.get()
        load_keys_of(note)
        assert (note.text, note.data_key_id) == ("Le terme est passé.", child.data_key_id)

    @pytest.mark.parametrize(
        ("days_ago", "sentence"), [(29, "le délai n’est pas encore passé"), (None, "pas encore été prévenue")]
    )
    def test_of_a_term_waits_for_the_team_to_be_told(self, cast: Cast, days_ago: int | None, sentence: str) -> None:
        child = make_former(cast.team_a).child
        if days_ago is not None:
            announce(child, days_ago=days_ago)
        with pytest.raises(ErasureRefused, match=sentence):
            ask(child, cast.amina)

    def test_asked_by_a_family_does_not_wait_for_the_term(self, cast: Cast) -> None:
        child = make_former(cast.team_a, ended_on=timezone.localdate() - timedelta(days=3)).child
        with pytest.raises(ErasureRefused, match="n’est pas atteint"):
            ask(child, cast.amina)
        assert ask(child, cast.amina, motive="family").state == State.REQUESTED

    @pytest.mark.parametrize("motive", ["term", "family", "mistake"])
    def test_is_refused_while_a_parcours_is_open_or_a_hold_runs(self, cast: Cast, child: Child, motive: str) -> None:
        with pytest.raises(ErasureRefused, match="Un parcours est ouvert"):
            ask(cast.ines, cast.amina, motive=motive)
        place_hold(child=child, motive="dispute", reason="x", until=timezone.localdate() + timedelta(9), by=cast.amina)
        with pytest.raises(ErasureRefused, match="Une conservation prolongée court jusqu’au"):
            ask(child, cast.amina, motive=motive)

    def test_is_refused_without_a_word(self, cast: Cast, child: Child) -> None:
        with pytest.raises(ErasureRefused) as refusal:
            ask(child, cast.amina, reason=" ")
        assert refusal.value.field == "reason"

    def test_is_made_once(self, cast: Cast, child: Child) -> None:
        ask(child, cast.amina)
        with pytest.raises((IntegrityError, ErasureRefused)), transaction.atomic():
            ask(child, cast.amina, motive="family")

    def test_refuses_a_visa_that_could_be_a_name(self, cast: Cast, child: Child) -> None:
        with pytest.raises(ErasureRefused, match="numéro de visa"):
            ask(child, cast.amina, archive_visa="Dossier Martin Léo")


class TestApproveErasure:
    def test_by_another_person_gives_it_to_the_worker(
        self, cast: Cast, child: Child, django_capture_on_commit_callbacks: Callable
    ) -> None:
        with django_capture_on_commit_callbacks() as waiting:
            erasure = approve_erasure(erasure=ask(child, cast.amina), by=cast.gaelle)
        assert (erasure.state, erasure.decided_by) == (State.APPROVED, cast.gaelle)
        assert len(waiting) == 1

    def test_by_the_same_person_is_refused_and_kept_in_the_journal(self, cast: Cast, child: Child) -> None:
        erasure = ask(child, cast.amina)
        with pytest.raises(OwnErasure):
            approve_erasure(erasure=erasure, by=cast.amina)
        refusal = Event.objects.get(action="refusal")
        assert (refusal.actor_id, refusal.detail) == (cast.amina.pk, {"asked": "approve_erasure"})
        assert Erasure.objects.get().state == State.REQUESTED

    def test_by_the_same_person_cannot_be_written_whatever_writes_it(self, cast: Cast, child: Child) -> None:
        ask(child, cast.amina)
        with pytest.raises(IntegrityError), transaction.atomic():
            Erasure.objects.update(state="approved", decided_by=cast.amina, decided_at=timezone.now())

    def test_cannot_be_skipped_whatever_writes_it(self, cast: Cast, child: Child) -> None:
        ask(child, cast.amina)
        for values in ({"state": "approved"}, {"state": "running"}, {"step": "check"}):
            with pytest.raises(IntegrityError), transaction.atomic():
                Erasure.objects.update(**values)

    def test_is_refused_when_something_appeared_since(self, cast: Cast, child: Child) -> None:
        erasure = ask(child, cast.amina)
        make_saisine(child, cast.team_a, received_on=timezone.localdate())
        with pytest.raises(DecisionRefused, match="une saisine attend"):
            approve_erasure(erasure=erasure, by=cast.gaelle)

    def test_is_refused_twice(self, cast: Cast, child: Child) -> None:
        erasure = approved(child, cast.amina, cast.gaelle)
        with pytest.raises(DecisionRefused, match="déjà décidé"):
            approve_erasure(erasure=erasure, by=make_user("Nora", "dpo"))

    def test_is_refused_for_a_child_who_left_meanwhile(self, cast: Cast, child: Child) -> None:
        erasure = ask(child, cast.amina)
        erase_child(child=child, by=cast.gaelle)
        with pytest.raises(DecisionRefused, match="n’est plus dans Marelle"):
            approve_erasure(erasure=erasure, by=cast.gaelle)
        assert refuse_erasure(erasure=erasure, reason="Déjà parti.", by=cast.gaelle).state == State.REFUSED


class TestRefuseErasure:
    def test_keeps_everything_and_says_why(self, cast: Cast, child: Child) -> None:
        erasure = refuse_erasure(erasure=ask(child, cast.amina), reason="Un recours est annoncé.", by=cast.gaelle)
        assert (erasure.state, erasure.decided_by) == (State.REFUSED, cast.gaelle)
        note = ErasureReason.objects.get()
        load_keys_of(note)
        assert note.refusal == "Un recours est annoncé."
        assert ask(child, cast.amina).state == State.REQUESTED  # and may be asked again

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_needs_a_reason(self, cast: Cast, child: Child, reason: str) -> None:
        erasure = ask(child, cast.amina)
        with pytest.raises(DecisionRefused) as refusal:
            refuse_erasure(erasure=erasure, reason=reason, by=cast.gaelle)
        assert refusal.value.field == "reason"

    def test_is_not_for_who_asked(self, cast: Cast, child: Child) -> None:
        erasure: Any = ask(child, cast.amina)
        with pytest.raises(OwnErasure):
            refuse_erasure(erasure=erasure, reason="x", by=cast.amina)
