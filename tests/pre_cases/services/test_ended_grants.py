"""The morning job that says, once, that an access has ended; whatever ended it, and never before."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from audit.journal.models import Event
from pre_cases.models import ExceptionalAccess, ParcoursShare
from pre_cases.services.access import revoke_share, share_parcours
from pre_cases.services.exceptional import end_exceptional_access
from pre_cases.services.letters import tell_ended_grants
from pre_cases.tasks import tell_ended_grants as job
from referents.models import Role, StandIn
from referents.services.stand_in import end_stand_in
from tests.cast import Cast, make_exceptional_access, make_share, make_stand_in, make_user
from tests.pre_cases.facts import close, join, leave, suspend, withdraw

DAY = timedelta(days=1)


@pytest.fixture
def grants(cast: Cast) -> dict[str, Any]:
    """David reads Inès's parcours by a share of Benoît, Lise by an exceptional access; Ibrahim replaces Benoît."""
    ParcoursShare.objects.filter(pk=cast.share.pk).update(granted_by=cast.benoit)
    cast.share.refresh_from_db()
    return {
        "share": cast.share,
        "stand_in": make_stand_in(cast.benoit, make_user("Ibrahim", Role.REFERENT, cast.team_a)),
        "exceptional": make_exceptional_access(cast.ines_parcours, make_user("Lise", Role.COORDINATOR, cast.team_b)),
    }


def told() -> list[str]:
    return sorted(address for letter in mail.outbox for address in letter.to)


def untold() -> int:
    return sum(
        model.objects.filter(end_told_at__isnull=True).count() for model in (ParcoursShare, StandIn, ExceptionalAccess)
    )


class TestTellEndedGrants:
    def test_says_nothing_of_those_that_run_or_are_to_come(self, cast: Cast, grants: dict[str, Any]) -> None:
        denis, today = make_user("Denis", Role.REFERENT, cast.team_a), timezone.localdate()
        make_stand_in(denis, cast.amina, starts_on=today + 3 * DAY, ends_on=today + 9 * DAY)
        assert tell_ended_grants() == 0
        assert mail.outbox == []
        assert untold() == 4

    @pytest.mark.parametrize(
        ("kind", "days"), [("share", 30), ("stand_in", 14), ("exceptional", 1)], ids=lambda value: str(value)
    )
    def test_says_once_that_a_date_has_come(self, cast: Cast, grants: dict[str, Any], kind: str, days: int) -> None:
        others = [grant for name, grant in grants.items() if name != kind]
        for grant in others:
            type(grant).objects.filter(pk=grant.pk).update(end_told_at=timezone.now())
        granted_at = timezone.now()
        if kind != "exceptional":  # which ends at its hour; the others at a midnight, whatever the hour of this test
            granted_at = timezone.localtime().replace(hour=12)
        with time_machine.travel(granted_at + days * DAY - timedelta(hours=23), tick=False):
            assert tell_ended_grants() == 0
        with time_machine.travel(granted_at + days * DAY + timedelta(minutes=1), tick=False):
            assert tell_ended_grants() == 1
            assert tell_ended_grants() == 0
        with time_machine.travel(granted_at + (days + 9) * DAY, tick=False):
            assert tell_ended_grants() == 0
        grant = grants[kind]
        people = {grant.user.email, grant.granted_by.email} if kind != "stand_in" else {grant.user.email}
        assert told() == sorted(people), "the system account, who gave the replacement here, reads no letter"

    def test_says_once_that_each_kind_is_withdrawn(self, cast: Cast, grants: dict[str, Any]) -> None:
        revoke_share(share=grants["share"], by=cast.benoit)
        end_stand_in(stand_in=grants["stand_in"], by=cast.benoit)
        end_exceptional_access(access=grants["exceptional"], by=cast.amina)
        assert [tell_ended_grants(), tell_ended_grants()] == [3, 0]
        assert untold() == 0

    def test_says_that_a_replacement_to_come_will_not_take_place(self, cast: Cast) -> None:
        today = timezone.localdate()
        made = make_stand_in(cast.benoit, cast.amina, starts_on=today + 3 * DAY, ends_on=today + 9 * DAY)
        end_stand_in(stand_in=made, by=cast.benoit)
        assert tell_ended_grants() == 1
        assert told() == [cast.amina.email]

    @pytest.mark.parametrize("kind", ["share", "stand_in", "exceptional"])
    def test_says_once_that_it_ended_with_its_membership(self, grants: dict[str, Any], kind: str) -> None:
        leave(grants[kind].user)
        assert [tell_ended_grants(), tell_ended_grants()] == [1, 0]
        assert grants[kind].user.email in told()

    def test_says_that_a_replacement_ended_with_the_membership_of_the_person_replaced(
        self, cast: Cast, grants: dict[str, Any]
    ) -> None:
        leave(cast.benoit)
        assert [tell_ended_grants(), tell_ended_grants()] == [1, 0]
        assert told() == [grants["stand_in"].user.email]

    @pytest.mark.parametrize("end", [close, withdraw])
    def test_says_once_that_the_parcours_has_ended(self, cast: Cast, grants: dict[str, Any], end) -> None:
        """The replacement goes on: it is about the whole caseload."""
        end(cast.ines_parcours, by=cast.amina)
        assert [tell_ended_grants(), tell_ended_grants()] == [2, 0]
        people = {grants["share"].user, cast.benoit, grants["exceptional"].user}
        assert told() == sorted(person.email for person in people)

    def test_says_nothing_to_a_suspended_account(self, cast: Cast, grants: dict[str, Any]) -> None:
        revoke_share(share=grants["share"], by=cast.benoit)
        suspend(cast.david)
        assert tell_ended_grants() == 1
        assert told() == [cast.benoit.email]

    def test_says_nothing_of_a_share_that_is_renewed(self, cast: Cast) -> None:
        lea = make_user("Léa", Role.EPRE_MEMBER, cast.team_a)
        today = timezone.localdate()
        make_share(cast.ines_parcours, lea, starts_on=today - 9 * DAY, ends_on=today)
        share_parcours(parcours=cast.ines_parcours, user=lea, reason="EPRE", ends_on=today + 9 * DAY, by=cast.benoit)
        assert tell_ended_grants() == 0
        assert mail.outbox == []

    def test_is_not_undone_by_a_new_membership(self, cast: Cast, grants: dict[str, Any]) -> None:
        leave(cast.david)
        tell_ended_grants()
        join(cast.david, Role.EPRE_MEMBER, cast.team_a)
        assert tell_ended_grants() == 0

    def test_names_nobody_and_changes_neither_history_nor_rights(self, cast: Cast, grants: dict[str, Any]) -> None:
        revoke_share(share=grants["share"], by=cast.benoit)
        rows, events = ParcoursShare.history.count(), Event.objects.count()
        job()
        assert (ParcoursShare.history.count(), Event.objects.count()) == (rows, events)
        for letter in mail.outbox:
            for hidden in ("Inès", "Morel", "David", "Benoît", "Test", "EPRE"):
                assert hidden not in letter.subject + letter.body
            assert "partage" in letter.body

    def test_goes_on_after_an_address_that_no_server_takes(
        self, cast: Cast, grants: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The others are told the same morning; the one whose address is closed reads it on the page of accesses."""
        revoke_share(share=grants["share"], by=cast.benoit)
        end_stand_in(stand_in=grants["stand_in"], by=cast.benoit)
        send = mail.EmailMessage.send

        def refuse(letter: mail.EmailMessage, *args: Any) -> int:
            if cast.david.email in letter.to:
                raise OSError("550")
            return send(letter, *args)

        with monkeypatch.context() as patch:
            patch.setattr(mail.EmailMessage, "send", refuse)
            assert tell_ended_grants() == 2
        assert {grants["stand_in"].user.email, grants["share"].granted_by.email} <= set(told())
        assert tell_ended_grants() == 0
