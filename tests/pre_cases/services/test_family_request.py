"""A family's request: recorded, its asker checked, prolonged within the month, answered with what it changes."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from dateutil.relativedelta import relativedelta
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from pre_cases.corrections import changes_since
from pre_cases.models import (
    Agreement,
    Child,
    Enrolment,
    Erasure,
    FamilyRequest,
    Parcours,
    ParcoursShare,
    RequestState,
)
from pre_cases.services.erasure import ErasureRefused
from pre_cases.services.erasure_request import refuse_erasure
from pre_cases.services.family_request import (
    RequestRefused,
    answer_request,
    check_identity,
    extend_request,
)
from pre_cases.services.preconditions import ErasureUnderWay
from tests.cast import Cast, make_child, make_enrolment, make_parcours
from tests.family_requests import ask, mother_of, ready
from tests.pre_cases.facts import close

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

DAY = timedelta(days=1)


def answer(request: FamilyRequest, by: Any, outcome: str = "granted", **values: Any) -> FamilyRequest:
    values = {"answer": "C’est fait.", "answered_on": timezone.localdate()} | values
    return answer_request(request=request, outcome=outcome, by=by, **values)


def refusal(action: Callable[[], object]) -> RequestRefused:
    before = list(FamilyRequest.objects.values())
    with pytest.raises(RequestRefused) as caught:
        action()
    assert list(FamilyRequest.objects.values()) == before
    return caught.value


class TestRecordRequest:
    def test_keeps_who_asks_how_they_were_recognised_and_the_team(self, cast: Cast) -> None:
        request = ask(cast.ines, cast.benoit)
        assert (request.team, request.recorded_by, request.identity_by) == (cast.team_a, cast.benoit, cast.benoit)
        assert (request.adult, request.state) == (mother_of(cast.ines), RequestState.WAITING)
        assert request.data_key_id == cast.ines.data_key_id
        event = Event.objects.get(kind="pre_cases.familyrequest")
        assert (event.action, event.purpose, event.subject_id) == ("create", "access", cast.ines.pk)

    def test_may_come_from_the_young_person_and_wait_for_the_identity(self, cast: Cast) -> None:
        request = ask(cast.ines, cast.benoit, adult=None, identity_means="")
        assert (request.adult, request.identity_on, request.identity_by) == (None, None, None)

    def test_reads_the_deadline_a_month_later(self, cast: Cast) -> None:
        with time_machine.travel(date(2026, 2, 10)):
            assert ask(cast.ines, cast.benoit, received_on=date(2026, 1, 31)).due_on == date(2026, 2, 28)

    def test_refuses_a_day_of_the_future(self, cast: Cast) -> None:
        tomorrow = timezone.localdate() + DAY
        assert refusal(lambda: ask(cast.ines, cast.benoit, received_on=tomorrow)).field == "received_on"

    def test_refuses_an_empty_text(self, cast: Cast) -> None:
        assert refusal(lambda: ask(cast.ines, cast.benoit, text=" ")).field == "text"

    def test_refuses_an_adult_of_another_child(self, cast: Cast) -> None:
        assert refusal(lambda: ask(cast.ines, cast.benoit, adult=mother_of(cast.tom))).field == "adult"

    def test_refuses_a_child_whose_erasure_is_approved(self, cast: Cast) -> None:
        freeze(cast)
        with pytest.raises(ErasureUnderWay):
            ask(cast.ines, cast.benoit)


def freeze(cast: Cast) -> None:
    Erasure.objects.create(
        subject_id=cast.ines.pk,
        team=cast.team_a,
        motive="family",
        state="approved",
        requested_by=cast.amina,
        decided_by=cast.gaelle,
        decided_at=timezone.now(),
    )


class TestCheckIdentity:
    def test_says_how_when_and_by_whom(self, cast: Cast) -> None:
        request = check_identity(
            request=ask(cast.ines, cast.benoit, identity_means=""), means="document", by=cast.amina
        )
        assert (request.identity_means, request.identity_by) == ("document", cast.amina)

    def test_is_done_once(self, cast: Cast) -> None:
        request = ask(cast.ines, cast.benoit)
        refusal(lambda: check_identity(request=request, means="document", by=cast.amina))


class TestExtendRequest:
    def test_gives_two_more_months(self, cast: Cast) -> None:
        received_on = timezone.localdate() - 10 * DAY
        request = ask(cast.ines, cast.amina, received_on=received_on)
        extended = extend_request(request=request, told_on=timezone.localdate(), reason="Volumineux", by=cast.amina)
        assert extended.due_on == received_on + relativedelta(months=3)
        assert extended.state == RequestState.EXTENDED

    def test_is_told_on_the_last_day_of_the_month_at_the_latest(self, cast: Cast) -> None:
        received_on = timezone.localdate() - 40 * DAY
        request = ask(cast.ines, cast.amina, received_on=received_on)
        late = request.first_due_on + DAY
        refused = refusal(lambda: extend_request(request=request, told_on=late, reason="x", by=cast.amina))
        assert refused.field == "told_on"
        assert "ne peut plus être prolongé" in str(refused)
        extend_request(request=request, told_on=request.first_due_on, reason="x", by=cast.amina)

    def test_refuses_a_second_time_the_future_before_the_receipt_and_no_reason(self, cast: Cast) -> None:
        request, today = ask(cast.ines, cast.amina), timezone.localdate()
        for told_on, reason in ((today + DAY, "x"), (today - DAY, "x"), (today, " ")):
            refusal(lambda: extend_request(request=request, told_on=told_on, reason=reason, by=cast.amina))  # noqa: B023
        extend_request(request=request, told_on=today, reason="x", by=cast.amina)
        refusal(lambda: extend_request(request=request, told_on=today, reason="x", by=cast.amina))


class TestAnswerRequest:
    def test_refuses_with_a_reason_the_family_s_statement_beside(self, cast: Cast) -> None:
        request = ask(cast.ines, cast.amina, kind="correction")
        refused = answer(request, cast.amina, "refused", answer="C’est exact.", statement="Nous contestons.")
        assert (refused.state, refused.answered_by, refused.statement) == ("refused", cast.amina, "Nous contestons.")
        assert "reason" not in Event.objects.get(action="answer").detail

    @pytest.mark.parametrize("outcome", ["granted", "refused"])
    def test_says_something_to_the_family(self, cast: Cast, outcome: str) -> None:
        request = ask(cast.ines, cast.amina, kind="opposition")
        assert refusal(lambda: answer(request, cast.amina, outcome, answer="  ")).field == "answer"

    def test_is_dated_after_the_receipt_and_not_in_the_future(self, cast: Cast) -> None:
        request, today = ask(cast.ines, cast.amina), timezone.localdate()
        for day in (today - DAY, today + DAY):
            assert refusal(lambda: answer(request, cast.amina, "refused", answered_on=day)).field == "answered_on"  # noqa: B023

    def test_is_given_once(self, cast: Cast) -> None:
        request = ask(cast.ines, cast.amina)
        answer(request, cast.amina, "refused")
        assert "déjà sa réponse" in str(refusal(lambda: answer(request, cast.amina, "refused")))

    def test_grants_nothing_to_who_was_not_recognised(self, cast: Cast) -> None:
        request = ask(cast.ines, cast.amina, kind="opposition", identity_means="")
        assert "identité" in str(refusal(lambda: answer(request, cast.amina, shares=[cast.share])))


class TestAnswerToAccess:
    def test_waits_for_the_file_to_be_taken(self, cast: Cast) -> None:
        from pre_cases.services.subject_file import take_file

        request = ask(cast.ines, cast.amina)
        file = ready(request, cast.amina, cast.gaelle)
        assert "téléchargé" in str(refusal(lambda: answer(request, cast.amina)))
        take_file(file=file, by=cast.amina)
        assert answer(request, cast.amina).state == RequestState.GRANTED


class TestAnswerToCorrection:
    def test_cites_the_changes_made_since(self, cast: Cast) -> None:
        request = ask(cast.ines, cast.amina, kind="correction")
        with acting_as(cast.benoit):
            child = Child.objects.get(pk=cast.ines.pk)
            child.first_name = "Inés"
            child.save()
        (change,) = [c for c in changes_since(child, request.received_on) if c.record_kind == "pre_cases.child"]
        answer(request, cast.amina, corrections=[change.correction])
        effect = request.effects.get()
        assert (effect.kind, effect.record_kind, effect.record_id) == ("corrected", "pre_cases.child", child.pk)
        assert effect.changed_at == Child.history.filter(id=child.pk).latest("history_date").history_date
        assert "Enfant, modification du" in change.label

    def test_is_not_granted_before_the_correction(self, cast: Cast) -> None:
        request = ask(cast.ines, cast.amina, kind="correction")
        assert refusal(lambda: answer(request, cast.amina)).field == "corrections"


class TestAnswerToOpposition:
    def test_stops_a_share_and_an_enrolment(self, cast: Cast) -> None:
        enrolment = make_enrolment(cast.ines_parcours, cast.project)
        request = ask(cast.ines, cast.amina, kind="opposition")
        answer(request, cast.amina, shares=[cast.share], enrolments=[enrolment])
        assert ParcoursShare.objects.get(pk=cast.share.pk).revoked_at is not None
        assert Enrolment.objects.get(pk=enrolment.pk).ends_on == timezone.localdate()
        assert sorted(request.effects.values_list("kind", "record_id")) == [
            ("enrolment", enrolment.pk),
            ("share", cast.share.pk),
        ]

    def test_ends_the_parcours_with_the_agreement(self, cast: Cast) -> None:
        request = ask(cast.ines, cast.amina, kind="opposition")
        answer(request, cast.amina, withdraw=cast.ines_parcours)
        assert Parcours.objects.get(pk=cast.ines_parcours.pk).is_closed
        assert Agreement.objects.get(child=cast.ines).withdrawn_on == timezone.localdate()
        assert request.effects.get().record_id == cast.ines_parcours.agreement_id

    def test_stops_something(self, cast: Cast) -> None:
        request = ask(cast.ines, cast.amina, kind="opposition")
        assert refusal(lambda: answer(request, cast.amina)).field == "stopped"

    def test_stops_all_or_nothing(self, cast: Cast) -> None:
        """A share that somebody has just ended refuses the answer: the enrolment goes on."""
        enrolment = make_enrolment(cast.ines_parcours, cast.project)
        with acting_as(system_account()):
            cast.share.revoked_at = timezone.now()
            cast.share.save()
        request = ask(cast.ines, cast.amina, kind="opposition")
        with pytest.raises(Exception, match="déjà retiré"):
            answer(request, cast.amina, enrolments=[enrolment], shares=[cast.share])
        assert Enrolment.objects.get(pk=enrolment.pk).ends_on is None
        assert (FamilyRequest.objects.get(pk=request.pk).outcome, request.effects.count()) == ("", 0)


class TestAnswerToErasure:
    def test_prepares_the_erasure_for_somebody_else_to_approve(self, cast: Cast) -> None:
        zoe = make_child("Zoé")
        close(make_parcours(cast.team_a, child=zoe, referent=cast.benoit), by=cast.amina)
        request = answer(ask(zoe, cast.amina, kind="erasure"), cast.amina)
        erasure = Erasure.objects.get(subject_id=zoe.pk)
        assert (request.erasure, erasure.motive, erasure.state) == (erasure, "family", "requested")

    def test_is_asked_again_when_the_erasure_is_refused(self, cast: Cast) -> None:
        zoe = make_child("Zoé")
        close(make_parcours(cast.team_a, child=zoe, referent=cast.benoit), by=cast.amina)
        request = answer(ask(zoe, cast.amina, kind="erasure"), cast.amina)
        assert request.erasure is not None
        refuse_erasure(erasure=request.erasure, reason="Un recours est en cours.", by=cast.gaelle)
        waiting = FamilyRequest.objects.waiting().get()
        assert (waiting.outcome, waiting.answered_on, waiting.answered_by) == ("", None, None)
        assert Event.objects.filter(action="reopen", record_ids=[str(request.pk)]).exists()
        refused = answer(waiting, cast.amina, "refused", answer="Un recours est en cours.")
        assert (refused.outcome, refused.erasure) == ("refused", None)

    def test_prepares_another_one_after_a_refusal(self, cast: Cast) -> None:
        zoe = make_child("Zoé")
        close(make_parcours(cast.team_a, child=zoe, referent=cast.benoit), by=cast.amina)
        first = answer(ask(zoe, cast.amina, kind="erasure"), cast.amina).erasure
        assert first is not None
        refuse_erasure(erasure=first, reason="Un recours est en cours.", by=cast.gaelle)
        again = answer(FamilyRequest.objects.get(), cast.amina).erasure
        assert again not in (None, first)

    def test_is_never_accepted_without_an_erasure(self, cast: Cast) -> None:
        zoe = make_child("Zoé")
        close(make_parcours(cast.team_a, child=zoe, referent=cast.benoit), by=cast.amina)
        answer(ask(zoe, cast.amina, kind="erasure"), cast.amina)
        with pytest.raises(IntegrityError), transaction.atomic():
            FamilyRequest.objects.update(erasure=None)

    def test_waits_for_the_end_of_the_parcours(self, cast: Cast) -> None:
        request = ask(cast.ines, cast.amina, kind="erasure")
        with pytest.raises(ErasureRefused, match="clôturez-le d’abord"):
            answer(request, cast.amina)
        assert not Erasure.objects.exists()
        assert FamilyRequest.objects.get(pk=request.pk).outcome == ""


class TestDatabase:
    """What the services refuse, the tables refuse too."""

    @pytest.mark.parametrize(
        "values",
        [
            {"received_on": date(2999, 1, 1)},
            {"identity_means": ""},
            {"extended_on": timezone.localdate() + 40 * DAY},
            {"extended_on": timezone.localdate()},
            {"outcome": "refused"},
            {"answered_on": timezone.localdate()},
        ],
    )
    def test_refuses_half_facts_and_days_out_of_order(self, cast: Cast, values: dict[str, Any]) -> None:
        request = ask(cast.ines, cast.amina)
        with pytest.raises(IntegrityError), transaction.atomic():
            FamilyRequest.objects.filter(pk=request.pk).update(**values)


class TestQuerySet:
    def test_is_late_the_day_after_the_deadline(self, cast: Cast) -> None:
        with time_machine.travel(date(2026, 2, 1)):
            first = ask(cast.ines, cast.amina, received_on=date(2026, 1, 31))
            extended = ask(cast.ines, cast.amina, received_on=date(2026, 1, 31))
            extend_request(request=extended, told_on=date(2026, 2, 1), reason="x", by=cast.amina)
        late = FamilyRequest.objects.late
        assert not late(date(2026, 2, 28)).exists()
        assert list(late(date(2026, 3, 1))) == [first]
        assert list(late(date(2026, 4, 30))) == [first]
        assert set(late(date(2026, 5, 1))) == {first, extended}

    def test_agrees_with_the_days_late_of_each(self, cast: Cast) -> None:
        request = ask(cast.ines, cast.amina, received_on=timezone.localdate() - 32 * DAY)
        assert list(FamilyRequest.objects.late()) == [request]
        assert request.days_late in (1, 2, 3, 4)
        answer(request, cast.amina, "refused")
        assert not FamilyRequest.objects.late().exists()
        assert FamilyRequest.objects.get(pk=request.pk).days_late == 0
