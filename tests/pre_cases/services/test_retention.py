from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from pre_cases.models import Child, RetentionHold, RetentionNotice
from pre_cases.retention import RetentionState
from pre_cases.services.retention import HoldRefused, announce_team, end_hold, place_hold
from pre_cases.tasks import announce_due
from tests.cast import Cast
from tests.erasures import announce, approved, make_former

TODAY = timezone.localdate


@pytest.fixture
def child(cast: Cast) -> Child:
    return make_former(cast.team_a).child


def state(child: Child) -> RetentionState:
    return Child.objects.with_retention().get(pk=child.pk).retention_state


class TestPlaceHold:
    def place(self, cast: Cast, child: Child, **values: Any) -> RetentionHold:
        given = {"motive": "dispute", "reason": " Un recours est en cours. ", "until": TODAY() + timedelta(days=100)}
        return place_hold(child=child, by=cast.amina, **given | values)

    def test_keeps_the_file_with_a_reason_an_author_and_an_end(self, cast: Cast, child: Child) -> None:
        hold = self.place(cast, child)
        assert (hold.author, hold.reason, hold.last_day) == (
            cast.amina, "Un recours est en cours.", TODAY() + timedelta(days=100)
        )  # fmt: skip
        assert state(child) is RetentionState.ON_HOLD
        assert Event.objects.get(action="hold").actor_id == cast.amina.pk

    @pytest.mark.parametrize(("days", "field"), [(0, "until"), (-3, "until"), (366, "until"), (4_000, "until")])
    def test_refuses_a_day_past_or_too_far(self, cast: Cast, child: Child, days: int, field: str) -> None:
        with pytest.raises(HoldRefused) as refusal:
            self.place(cast, child, until=TODAY() + timedelta(days=days))
        assert refusal.value.field == field
        assert not RetentionHold.objects.exists()

    def test_refuses_to_say_nothing(self, cast: Cast, child: Child) -> None:
        with pytest.raises(HoldRefused) as refusal:
            self.place(cast, child, reason="  ")
        assert refusal.value.field == "reason"

    def test_comes_too_late_once_the_erasure_is_approved(self, cast: Cast, child: Child) -> None:
        announce(child)
        approved(child, cast.amina, cast.gaelle)
        with pytest.raises(HoldRefused, match="trop tard"):
            self.place(cast, child)

    @pytest.mark.parametrize("days", [0, 367])
    def test_cannot_be_written_longer_than_a_year_whatever_writes_it(self, cast: Cast, child: Child, days: int) -> None:
        values = {"author": cast.amina, "motive": "dispute", "reason": "x", "data_key_id": child.data_key_id}
        with acting_as(system_account()), pytest.raises(IntegrityError), transaction.atomic():
            RetentionHold.objects.create(
                child=child, starts_on=TODAY(), ends_on=TODAY() + timedelta(days=days), **values
            )


class TestEndHold:
    def test_lets_the_file_go_on(self, cast: Cast, child: Child) -> None:
        hold = place_hold(child=child, motive="request", reason="x", until=TODAY() + timedelta(9), by=cast.amina)
        with acting_as(system_account()):
            hold.starts_on = TODAY() - timedelta(days=5)
            hold.save()
        end_hold(hold=hold, by=cast.amina)
        assert state(child) is RetentionState.DUE

    def test_of_today_lasts_until_tonight(self, cast: Cast, child: Child) -> None:
        hold = place_hold(child=child, motive="request", reason="x", until=TODAY() + timedelta(9), by=cast.amina)
        assert end_hold(hold=hold, by=cast.amina).last_day == TODAY()

    def test_is_refused_twice(self, cast: Cast, child: Child) -> None:
        hold = place_hold(child=child, motive="request", reason="x", until=TODAY() + timedelta(9), by=cast.amina)
        with acting_as(system_account()):
            hold.starts_on, hold.ends_on = TODAY() - timedelta(days=5), TODAY()
            hold.save()
        with pytest.raises(HoldRefused, match="déjà finie"):
            end_hold(hold=hold, by=cast.amina)


class TestAnnounceTeam:
    def test_notes_it_and_writes_once_without_a_name(
        self, cast: Cast, child: Child, django_capture_on_commit_callbacks: Callable
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            assert announce_team(team=cast.team_a, by=system_account()) == 1
        (letter,) = mail.outbox
        assert letter.to == [cast.amina.email]
        assert not [word for word in ("Zoé", "Morel", "Nadia", str(child.pk)) if word in letter.subject + letter.body]
        assert state(child) is RetentionState.ANNOUNCED
        with django_capture_on_commit_callbacks(execute=True):
            assert announce_team(team=cast.team_a, by=system_account()) == 0
        assert len(mail.outbox) == 1

    def test_tells_each_team_its_own(
        self, cast: Cast, child: Child, django_capture_on_commit_callbacks: Callable
    ) -> None:
        make_former(cast.team_b)
        with django_capture_on_commit_callbacks(execute=True):
            announce_due()
        teams = RetentionNotice.objects.values_list("team", flat=True)
        assert sorted(teams) == sorted([cast.team_a.pk, cast.team_b.pk])
        assert [letter.to for letter in mail.outbox] == [[cast.amina.email]]  # team b has no coordination

    def test_announces_again_after_a_new_contact(self, cast: Cast, child: Child) -> None:
        notice = announce(child, days_ago=500)
        with acting_as(system_account()):
            notice.last_contact_on -= timedelta(days=3_000)
            notice.save()
        assert announce_team(team=cast.team_a, by=system_account()) == 1
        assert RetentionNotice.objects.get().announced_on == TODAY()

    def test_leaves_a_file_whose_erasure_is_approved(self, cast: Cast, child: Child) -> None:
        approved(child, cast.amina, cast.gaelle, motive="family", reason="La famille le demande.")
        assert announce_team(team=cast.team_a, by=system_account()) == 0
        assert not RetentionNotice.objects.exists()

    def test_leaves_what_is_held_or_not_due(self, cast: Cast, child: Child) -> None:
        place_hold(child=child, motive="figures", reason="x", until=TODAY() + timedelta(9), by=cast.amina)
        assert announce_team(team=cast.team_a, by=system_account()) == 0
        assert not RetentionNotice.objects.exists()
