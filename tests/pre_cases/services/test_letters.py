"""What is told by e-mail: to whom, once, without a name; and nothing about what has changed meanwhile."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from pre_cases.models import ExceptionalReason
from pre_cases.services.access_request import accept_access, ask_access, refuse_access
from pre_cases.services.exceptional import end_exceptional_access, open_exceptional_access
from pre_cases.services.hand_over import accept_hand_over, ask_hand_over, cancel_hand_over, refuse_hand_over
from pre_cases.services.letters import alert_again, send_access_request, send_exceptional_alert, send_hand_over
from pre_cases.tasks import alert_exceptional_access, tell_access_request, tell_hand_over
from referents.models import Role, User
from tests.cast import (
    Cast,
    make_child,
    make_exceptional_access,
    make_hand_over,
    make_parcours,
    make_stand_in,
    make_user,
)
from tests.pre_cases.facts import close, leave, suspend

DAY = timedelta(days=1)
UNKNOWN = "01900000-0000-7000-8000-000000000000"
NAMES = ("Inès", "Morel", "Nadia", "Amina", "Benoît", "Ibrahim", "Lise", "Gaëlle", "Test", "Fratrie", "pleine")


@pytest.fixture
def lise(cast: Cast) -> User:
    return make_user("Lise", Role.COORDINATOR, cast.team_b)


@pytest.fixture(autouse=True)
def _no_letter_names_anybody():
    yield
    for letter in mail.outbox:
        assert len(letter.to) == 1, "nobody learns to whom else it went"
        for hidden in NAMES:
            assert hidden not in letter.subject + letter.body, hidden


def told() -> set[str]:
    """The addresses written to, each of them once."""
    addresses = [address for letter in mail.outbox for address in letter.to]
    assert len(addresses) == len(set(addresses))
    return set(addresses)


def addresses(*people: User) -> set[str]:
    return {person.email for person in people}


class TestSendExceptionalAlert:
    def test_reaches_the_referent_the_coordination_and_the_dpo_at_once(
        self, cast: Cast, lise: User, django_capture_on_commit_callbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            open_exceptional_access(
                number=cast.ines_parcours.number, motive=ExceptionalReason.DANGER, reason="Fratrie", by=lise
            )
        assert told() == addresses(cast.amina, cast.benoit, cast.gaelle)

    def test_is_sent_even_when_the_access_is_ended_before_the_task(self, cast: Cast, lise: User) -> None:
        """Somebody has read the parcours: the team knows, however short it was."""
        access = make_exceptional_access(cast.ines_parcours, lise)
        end_exceptional_access(access=access, by=lise)
        alert_exceptional_access(str(access.pk))
        assert told() == addresses(cast.amina, cast.benoit, cast.gaelle)

    def test_reaches_who_replaces_the_referent(self, cast: Cast, lise: User, ibrahim: User) -> None:
        make_stand_in(cast.benoit, ibrahim)
        send_exceptional_alert(access_id=make_exceptional_access(cast.ines_parcours, lise).pk)
        assert told() == addresses(cast.amina, cast.benoit, cast.gaelle, ibrahim)

    def test_leaves_suspended_accounts_and_former_members_out(self, cast: Cast, lise: User) -> None:
        access = make_exceptional_access(cast.ines_parcours, lise)
        suspend(cast.benoit)
        suspend(cast.gaelle)
        leave(cast.amina)
        assert send_exceptional_alert(access_id=access.pk) == 0

    def test_is_nothing_for_what_does_not_exist(self, db) -> None:
        alert_exceptional_access(UNKNOWN)
        for task in (tell_access_request, tell_hand_over):
            task(UNKNOWN, answered=False)
            task(UNKNOWN, answered=True)
        assert mail.outbox == []


class TestAClosedMailbox:
    def test_stops_no_other_letter_and_the_alert_is_told_once(
        self, cast: Cast, lise: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        access = make_exceptional_access(cast.ines_parcours, lise)
        with monkeypatch.context() as patch:
            refuse_letters(patch, cast.amina.email)
            assert send_exceptional_alert(access_id=access.pk) == 2
        assert told() == addresses(cast.benoit, cast.gaelle)
        assert send_exceptional_alert(access_id=access.pk) == 0

    def test_of_everybody_leaves_the_alert_to_be_sent_again(
        self, cast: Cast, lise: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        access = make_exceptional_access(cast.ines_parcours, lise, granted_at=timezone.now() - timedelta(minutes=6))
        with monkeypatch.context() as patch:
            refuse_letters(patch, "")
            with pytest.raises(OSError, match="No letter"):
                send_exceptional_alert(access_id=access.pk)
            assert alert_again() == 0
        assert alert_again() == 1
        assert alert_again() == 0
        assert told() == addresses(cast.amina, cast.benoit, cast.gaelle)


def refuse_letters(patch: pytest.MonkeyPatch, refused: str) -> None:
    """The mail server takes nothing for an address, or for anybody when it is empty."""
    send = mail.EmailMessage.send

    def taken(letter: mail.EmailMessage, *args: object) -> int:
        if not refused or refused in letter.to:
            raise OSError("550")
        return send(letter, *args)

    patch.setattr(mail.EmailMessage, "send", taken)


class TestSendAccessRequest:
    def test_asks_the_referent_and_the_coordination(
        self, cast: Cast, ibrahim: User, django_capture_on_commit_callbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            ask_access(parcours=cast.ines_parcours, reason="Fratrie", by=ibrahim)
        assert told() == addresses(cast.amina, cast.benoit)

    def test_asks_who_replaces_the_referent_too(self, cast: Cast, ibrahim: User) -> None:
        denis = make_user("Denis", Role.REFERENT, cast.team_a)
        make_stand_in(cast.benoit, denis)
        asked = ask_access(parcours=cast.ines_parcours, reason="Fratrie", by=ibrahim)
        send_access_request(request_id=asked.pk, answered=False)
        assert told() == addresses(cast.amina, cast.benoit, denis)

    def test_asks_the_coordination_when_the_referent_is_suspended(self, cast: Cast, ibrahim: User) -> None:
        asked = ask_access(parcours=cast.ines_parcours, reason="Fratrie", by=ibrahim)
        suspend(cast.benoit)
        send_access_request(request_id=asked.pk, answered=False)
        assert told() == addresses(cast.amina)

    @pytest.mark.parametrize("answer", ["accept", "refuse"])
    def test_tells_the_answer_to_who_asked(
        self, cast: Cast, ibrahim: User, answer: str, django_capture_on_commit_callbacks
    ) -> None:
        asked = ask_access(parcours=cast.ines_parcours, reason="Fratrie", by=ibrahim)
        with django_capture_on_commit_callbacks(execute=True):
            if answer == "accept":
                accept_access(request=asked, ends_on=timezone.localdate() + 9 * DAY, by=cast.benoit)
            else:
                refuse_access(request=asked, reason="File pleine", by=cast.benoit)
        assert told() == addresses(ibrahim)
        assert "réponse" in mail.outbox[0].subject

    def test_is_silent_once_the_closing_has_made_it_pointless(self, cast: Cast, ibrahim: User) -> None:
        asked = ask_access(parcours=cast.ines_parcours, reason="Fratrie", by=ibrahim)
        close(cast.ines_parcours, by=cast.amina)
        assert send_access_request(request_id=asked.pk, answered=False) == 0

    def test_is_silent_when_the_answer_came_before_the_task(self, cast: Cast, ibrahim: User) -> None:
        """The answer has its own letter: who asked is not told twice."""
        asked = ask_access(parcours=cast.ines_parcours, reason="Fratrie", by=ibrahim)
        refuse_access(request=asked, reason="File pleine", by=cast.benoit)
        tell_access_request(str(asked.pk), answered=False)
        assert mail.outbox == []

    def test_tells_no_suspended_account(self, cast: Cast, ibrahim: User) -> None:
        asked = ask_access(parcours=cast.ines_parcours, reason="Fratrie", by=ibrahim)
        refuse_access(request=asked, reason="File pleine", by=cast.benoit)
        suspend(ibrahim)
        assert send_access_request(request_id=asked.pk, answered=True) == 0


class TestSendHandOver:
    def test_asks_the_one_who_is_to_answer_once_however_many_parcours(
        self, cast: Cast, ibrahim: User, django_capture_on_commit_callbacks
    ) -> None:
        zoe = make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Zoé"))
        with django_capture_on_commit_callbacks(execute=True):
            ask_hand_over(
                parcours_list=[cast.ines_parcours, zoe],
                from_referent=cast.benoit,
                to_referent=ibrahim,
                by=cast.amina,
                message="Fratrie",
            )
        assert told() == addresses(ibrahim)

    @pytest.mark.parametrize("answer", ["accept", "refuse"])
    def test_tells_the_answer_to_who_asked_and_to_who_leaves(
        self, cast: Cast, ibrahim: User, answer: str, django_capture_on_commit_callbacks
    ) -> None:
        waiting = make_hand_over(cast.ines_parcours, cast.benoit, ibrahim, asked_by=cast.amina)
        with django_capture_on_commit_callbacks(execute=True):
            if answer == "accept":
                accept_hand_over(hand_over=waiting, by=ibrahim)
            else:
                refuse_hand_over(hand_over=waiting, reason="File pleine", by=ibrahim)
        assert told() == addresses(cast.amina, cast.benoit)

    def test_is_silent_once_taken_back(self, cast: Cast, ibrahim: User, django_capture_on_commit_callbacks) -> None:
        waiting = make_hand_over(cast.ines_parcours, cast.benoit, ibrahim)
        with django_capture_on_commit_callbacks(execute=True):
            cancel_hand_over(hand_over=waiting, by=cast.benoit)
        assert send_hand_over(hand_over_id=waiting.pk, answered=False) == 0
        assert mail.outbox == []

    def test_is_silent_once_the_closing_has_made_it_pointless(self, cast: Cast, ibrahim: User) -> None:
        waiting = make_hand_over(cast.ines_parcours, cast.benoit, ibrahim)
        close(cast.ines_parcours, by=cast.amina)
        assert send_hand_over(hand_over_id=waiting.pk, answered=False) == 0

    def test_is_silent_when_the_answer_came_before_the_task(self, cast: Cast, ibrahim: User) -> None:
        waiting = make_hand_over(cast.ines_parcours, cast.benoit, ibrahim)
        refuse_hand_over(hand_over=waiting, reason="File pleine", by=ibrahim)
        tell_hand_over(str(waiting.pk), answered=False)
        assert mail.outbox == []

    def test_asks_no_suspended_account(self, cast: Cast, ibrahim: User) -> None:
        waiting = make_hand_over(cast.ines_parcours, cast.benoit, ibrahim)
        suspend(ibrahim)
        assert send_hand_over(hand_over_id=waiting.pk, answered=False) == 0
