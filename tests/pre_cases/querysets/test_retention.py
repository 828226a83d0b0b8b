"""Where a file stands in its retention: every state, at the very day it changes."""

from datetime import date, timedelta
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.utils import timezone

from audit.history import acting_as, system_account
from pre_cases.models import Child, Entry, Erasure, RetentionHold, Review
from pre_cases.retention import RetentionNotRead, RetentionState, saisine_due_on, saisine_threshold
from tests.cast import Cast, make_agreement, make_child, make_saisine, make_user
from tests.erasures import announce, ask, make_former

S = RetentionState
TODAY = timezone.localdate


def state(child: Child, on: date | None = None) -> RetentionState:
    return Child.objects.with_retention(on).get(pk=child.pk).retention_state


def read(child: Child) -> Child:
    return Child.objects.with_retention().get(pk=child.pk)


@pytest.fixture
def child(cast: Cast) -> Child:
    """Closed three years ago, without a word since the agreement."""
    return make_former(cast.team_a).child


class TestStates:
    def test_is_active_while_a_parcours_is_open(self, cast: Cast) -> None:
        assert state(cast.ines) is S.ACTIVE
        assert state(cast.ines, TODAY() + timedelta(days=3_000)) is S.ACTIVE

    def test_is_closed_then_due_on_the_very_day(self, child: Child) -> None:
        term = read(child).due_on
        assert state(child, term - timedelta(days=1)) is S.CLOSED
        assert state(child, term) is S.DUE

    def test_is_counted_from_the_last_contact_not_from_the_closing(self, cast: Cast, child: Child) -> None:
        found = read(child)
        parcours = child.parcours_list.get()
        assert found.last_contact_on == parcours.agreement.signed_on
        assert found.due_on == parcours.agreement.signed_on + relativedelta(months=24)
        assert found.last_contact_on < parcours.closed_on

    def test_is_announced_then_ready_after_thirty_days(self, child: Child) -> None:
        announce(child, days_ago=0)
        assert state(child) is S.ANNOUNCED
        assert state(child, TODAY() + timedelta(days=29)) is S.ANNOUNCED
        assert state(child, TODAY() + timedelta(days=30)) is S.READY

    def test_takes_the_delay_from_the_settings(self, child: Child, settings: Any) -> None:
        announce(child, days_ago=10)
        settings.ERASURE_NOTICE_DAYS = 10
        assert state(child) is S.READY
        settings.RETENTION_MONTHS = 600
        assert state(child) is S.CLOSED

    def test_is_erasing_once_it_is_asked_for(self, cast: Cast, child: Child) -> None:
        announce(child)
        ask(child, cast.amina)
        assert state(child) is S.ERASING

    def test_is_ready_again_once_it_was_refused(self, cast: Cast, child: Child) -> None:
        announce(child)
        erasure = ask(child, cast.amina)
        Erasure.objects.filter(pk=erasure.pk).update(state="refused", decided_by=cast.gaelle, decided_at=timezone.now())
        assert state(child) is S.READY

    def test_must_be_read_with_it(self, child: Child) -> None:
        with pytest.raises(RetentionNotRead):
            _ = Child.objects.get(pk=child.pk).retention_state


class TestHolds:
    def hold(self, child: Child, author: Any, *, starts: int = 0, days: int = 30) -> RetentionHold:
        starts_on = TODAY() + timedelta(days=starts)
        with acting_as(system_account()):
            return RetentionHold.objects.create(
                child=child, author=author, motive="dispute", reason="x", starts_on=starts_on,
                ends_on=starts_on + timedelta(days=days), data_key_id=child.data_key_id,
            )  # fmt: skip

    def test_keep_what_is_due_until_their_last_day(self, cast: Cast, child: Child) -> None:
        announce(child)
        hold = self.hold(child, cast.amina)
        assert state(child) is S.ON_HOLD
        assert state(child, hold.last_day) is S.ON_HOLD
        assert state(child, hold.ends_on) is S.READY

    def test_past_their_end_hold_nothing(self, cast: Cast, child: Child) -> None:
        announce(child)
        self.hold(child, cast.amina, starts=-400, days=300)
        assert state(child) is S.READY
        assert RetentionHold.objects.past().count() == 1

    def test_say_nothing_of_a_file_that_is_not_due(self, cast: Cast) -> None:
        self.hold(cast.ines, cast.amina)
        assert state(cast.ines) is S.ACTIVE


class TestLastContact:
    """Each fact that is one, and those that are not."""

    @pytest.fixture
    def recent(self) -> date:
        return TODAY() - timedelta(days=40)

    def test_is_an_exchange_that_reached_somebody(self, cast: Cast, child: Child, recent: date) -> None:
        parcours = child.parcours_list.get()
        own: dict[str, Any] = {"parcours": parcours, "author": cast.benoit, "data_key_id": child.data_key_id}
        with acting_as(system_account()):
            Entry.objects.create(**own, kind="attempt", on=recent)
            assert state(child) is S.DUE
            Entry.objects.create(**own, kind="phone", on=recent, text="x")
        assert (state(child), read(child).last_contact_on) == (S.CLOSED, recent)

    def test_is_a_review_held_with_the_family_or_the_child(self, cast: Cast, child: Child, recent: date) -> None:
        own: dict[str, Any] = {
            "parcours": child.parcours_list.get(), "author": cast.benoit, "text": "x", "data_key_id": child.data_key_id
        }  # fmt: skip
        with acting_as(system_account()):
            Review.objects.create(**own, on=recent, family_present=False, child_present=False)
            assert state(child) is S.DUE
            Review.objects.create(**own, on=recent + timedelta(days=1), family_present=True, child_present=False)
        assert state(child) is S.CLOSED

    def test_is_an_agreement_given_by_word_or_signed(self, cast: Cast, child: Child, recent: date) -> None:
        saisine = make_saisine(child, cast.team_a, received_on=TODAY() - timedelta(days=1_200), outcome="redirected",
                               outcome_on=TODAY() - timedelta(days=1_190))  # fmt: skip
        agreement = make_agreement(saisine)
        assert state(child) is S.DUE
        with acting_as(system_account()):
            agreement.oral_on, agreement.oral_given_by = recent, child.family.adults.first()
            agreement.oral_received_by = cast.benoit
            agreement.save()
        assert read(child).last_contact_on == recent

    def test_makes_an_older_announcement_void(self, cast: Cast, child: Child) -> None:
        notice = announce(child, days_ago=200)
        with acting_as(system_account()):
            notice.last_contact_on = read(child).last_contact_on - timedelta(days=1)
            notice.save()
        assert state(child) is S.DUE


class TestSaisines:
    @pytest.mark.parametrize(
        ("received_on", "due_on"),
        [
            (date(2025, 1, 15), date(2025, 8, 31)),
            (date(2025, 6, 2), date(2025, 8, 31)),
            (date(2025, 6, 3), date(2025, 9, 1)),
            (date(2025, 8, 31), date(2025, 11, 29)),
            (date(2025, 9, 1), date(2026, 8, 31)),
            (date(2024, 2, 29), date(2024, 8, 31)),
        ],
        ids=str,
    )
    def test_are_kept_to_the_later_of_the_summer_and_ninety_days(self, received_on: date, due_on: date) -> None:
        assert saisine_due_on(received_on) == due_on

    def test_are_due_in_the_database_when_they_are_on_paper(self) -> None:
        """Every day of receipt of three years, against every hundredth day."""
        for received in range(1_100):
            received_on = date(2023, 1, 1) + timedelta(days=received)
            for later in range(0, 700, 23):
                day = received_on + timedelta(days=later)
                assert (received_on <= saisine_threshold(day)) == (saisine_due_on(received_on) <= day)

    @pytest.mark.parametrize("outcome", ["", "redirected", "no_follow_up"])
    def test_without_a_parcours_are_due_then(self, cast: Cast, outcome: str) -> None:
        received_on = TODAY() - timedelta(days=200)
        child = make_child("Lou")
        given = {"outcome": outcome, "outcome_on": received_on} if outcome else {}
        make_saisine(child, cast.team_a, received_on=received_on, **given)
        term = saisine_due_on(received_on)
        assert read(child).due_on == term
        assert state(child, term - timedelta(days=1)) is (S.CLOSED if outcome else S.ACTIVE)
        assert state(child, term) is S.DUE

    def test_received_lately_keep_an_older_parcours(self, cast: Cast, child: Child) -> None:
        make_saisine(child, cast.team_a, received_on=TODAY(), outcome="no_follow_up", outcome_on=TODAY())
        assert state(child) is S.CLOSED


class TestRetainedBy:
    def test_is_the_coordination_of_the_last_team(self, cast: Cast, child: Child) -> None:
        assert set(Child.objects.retained_by(cast.amina)) == {cast.ines, child}
        for person in (cast.benoit, cast.chloe, cast.gaelle, cast.hugo):
            assert not Child.objects.retained_by(person).exists()

    def test_follows_a_later_parcours_to_its_team(self, cast: Cast, child: Child) -> None:
        mona = make_user("Mona", "coordinator", cast.team_b)
        make_former(cast.team_b, child=child, ended_on=TODAY() - timedelta(days=600))
        assert child not in Child.objects.retained_by(cast.amina)
        assert child in Child.objects.retained_by(mona)
