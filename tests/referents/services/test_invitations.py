"""The link of invitation: one for each person, three days, once, and nothing of it stored or queued."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from audit.history import SYSTEM_EMAIL, system_account
from audit.journal.models import Event
from referents import tasks
from referents.models import Invitation, Role, User
from referents.services.accounts import EmailAlreadyUsed, SuspensionReason, suspend_account
from referents.services.invitations import (
    AccountSuspended,
    AlreadyEntered,
    InvitationClosed,
    NotAnAddress,
    NotYoursToInvite,
    accept_invitation,
    invite,
    mail_invitation,
    opened,
    send_invitation,
)
from referents.services.memberships import NotYoursToGive, RoleAlreadyHeld
from tests.at_once import at_once
from tests.cast import PASSWORD, Cast, make_user

EMAIL = "nora@marelle.example"
NEWCOMER = {"email": EMAIL, "first_name": "Nora", "last_name": "Lévêque", "role": Role.REFERENT}


def with_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    return user


@pytest.fixture(autouse=True)
def _quick(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """What is done inside is committed: the letters leave."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


class TestInvite:
    def test_opens_an_account_with_its_role_and_sends_the_link(self, cast: Cast, committed) -> None:
        with committed():
            invite(**NEWCOMER, team=cast.team_a, by=cast.amina)
        nora = User.objects.get(email=EMAIL)
        assert nora.memberships.get().team == cast.team_a
        assert not nora.has_usable_password()
        assert [letter.to for letter in mail.outbox] == [[EMAIL]]

    def test_writes_no_name_in_the_letter(self, cast: Cast, committed) -> None:
        with committed():
            invite(**NEWCOMER, team=cast.team_a, by=cast.amina)
        letter = mail.outbox[0]
        assert letter.body.startswith("Bonjour,\n")
        assert not [name for name in ("Nora", "Lévêque", "Amina", "Inès") if name in letter.subject + letter.body]
        assert f"https://testserver/invitation/{Invitation.objects.get().token}/" in letter.body

    def test_tells_the_administration_that_the_account_exists(self, cast: Cast) -> None:
        with pytest.raises(EmailAlreadyUsed, match="ajoutez-lui ce rôle") as refusal:
            invite(**NEWCOMER | {"email": cast.chloe.email.upper()}, team=cast.team_a, by=cast.hugo)
        assert refusal.value.field == "email"

    def test_gives_the_role_to_somebody_of_another_team_who_is_told(self, cast: Cast, committed) -> None:
        with_password(cast.chloe)
        with committed():
            invite(**NEWCOMER | {"email": cast.chloe.email}, team=cast.team_a, by=cast.amina)
        assert cast.chloe.memberships.filter(team=cast.team_a).exists()
        assert (mail.outbox[0].to, mail.outbox[0].subject) == ([cast.chloe.email], "Un rôle de plus dans Marelle")
        assert User.objects.get(pk=cast.chloe.pk).first_name == "Chloé"

    def test_says_nothing_to_a_coordination_of_who_administers_marelle(self, cast: Cast, committed) -> None:
        with committed():
            invite(**NEWCOMER | {"email": cast.hugo.email}, team=cast.team_a, by=cast.amina)
        assert not cast.hugo.memberships.filter(team=cast.team_a).exists()
        assert mail.outbox[0].to == [cast.hugo.email]
        assert Event.objects.get(action="refusal").detail["why"] == "separate_duties"

    def test_refuses_beside_the_address_who_holds_the_role_in_the_team(self, cast: Cast) -> None:
        with pytest.raises(RoleAlreadyHeld) as refusal:
            invite(**NEWCOMER | {"email": cast.benoit.email}, team=cast.team_a, by=cast.amina)
        assert refusal.value.field == "email"

    def test_leaves_no_account_without_its_role(self, cast: Cast) -> None:
        with pytest.raises(NotYoursToGive):
            invite(**NEWCOMER, team=cast.team_b, by=cast.amina)
        assert not User.objects.filter(email=EMAIL).exists()
        assert Event.objects.filter(action="refusal").count() == 1

    def test_refuses_the_address_of_the_installation(self, cast: Cast) -> None:
        system_account()
        with pytest.raises(NotAnAddress):
            invite(**NEWCOMER | {"email": SYSTEM_EMAIL}, team=cast.team_a, by=cast.amina)


class TestSendInvitation:
    def test_revokes_the_former_link(self, cast: Cast) -> None:
        first = send_invitation(user=cast.benoit, by=cast.amina)
        second = send_invitation(user=cast.benoit, by=cast.hugo)
        with pytest.raises(InvitationClosed, match="plus récent"):
            opened(first.token)
        assert opened(second.token) == second

    def test_lasts_three_days(self, cast: Cast) -> None:
        sent = send_invitation(user=cast.benoit, by=cast.amina)
        assert sent.expires_at - sent.sent_at == timedelta(hours=72)

    def test_is_refused_for_who_has_a_password_or_is_suspended(self, cast: Cast) -> None:
        with_password(cast.benoit)
        with pytest.raises(AlreadyEntered, match="Mot de passe oublié"):
            send_invitation(user=cast.benoit, by=cast.hugo)
        suspend_account(user=cast.david, reason=SuspensionReason.ABSENCE, by=cast.hugo)
        with pytest.raises(AccountSuspended, match="réactivez"):
            send_invitation(user=cast.david, by=cast.hugo)

    def test_is_refused_for_who_entered_by_another_door(self, cast: Cast) -> None:
        """A link would add a password to an account that signs in without any."""
        cast.benoit.last_login = timezone.now()
        cast.benoit.save(update_fields=["last_login"])
        with pytest.raises(AlreadyEntered):
            send_invitation(user=cast.benoit, by=cast.hugo)

    @pytest.mark.parametrize("name", ["chloe", "yann", "esther"])
    def test_is_for_a_coordination_that_of_its_own_people(self, cast: Cast, name: str) -> None:
        with pytest.raises(NotYoursToInvite):
            send_invitation(user=getattr(cast, name), by=cast.amina)
        assert Event.objects.get(action="refusal").kind == "referents.invitation"

    def test_queues_a_number_once_committed_and_no_link(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch, committed
    ) -> None:
        queued: list[tuple] = []
        monkeypatch.setattr(tasks.mail_invitation, "delay", lambda *arguments: queued.append(arguments))
        with committed():
            invitation = send_invitation(user=cast.benoit, by=cast.amina)
            assert queued == []
        assert queued == [(invitation.pk,)]


class TestMailInvitation:
    def test_sends_one_letter_however_often_the_task_runs(self, cast: Cast) -> None:
        invitation = send_invitation(user=cast.benoit, by=cast.amina)
        assert mail_invitation(invitation_id=invitation.pk)
        assert not mail_invitation(invitation_id=invitation.pk)
        assert len(mail.outbox) == 1

    def test_sends_nothing_that_has_been_revoked_meanwhile(self, cast: Cast) -> None:
        invitation = send_invitation(user=cast.benoit, by=cast.amina)
        suspend_account(user=cast.benoit, reason=SuspensionReason.LOST, by=cast.hugo)
        assert not mail_invitation(invitation_id=invitation.pk)

    def test_is_still_to_do_when_the_server_of_e_mails_is_away(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        invitation = send_invitation(user=cast.benoit, by=cast.amina)

        def refuse(*arguments: object) -> None:
            raise ConnectionRefusedError

        with monkeypatch.context() as patch:
            patch.setattr("referents.services.invitations.send_letter", refuse)
            with pytest.raises(OSError):
                mail_invitation(invitation_id=invitation.pk)
        assert mail_invitation(invitation_id=invitation.pk)


class TestOpened:
    def test_consumes_nothing(self, cast: Cast) -> None:
        invitation = send_invitation(user=cast.benoit, by=cast.amina)
        assert opened(invitation.token) == opened(invitation.token) == invitation

    def test_ends_after_three_days(self, cast: Cast) -> None:
        invitation = send_invitation(user=cast.benoit, by=cast.amina)
        for seconds, is_open in ((-1, True), (0, False)):
            with time_machine.travel(invitation.expires_at + timedelta(seconds=seconds), tick=False):
                if is_open:
                    assert opened(invitation.token)
                else:
                    with pytest.raises(InvitationClosed, match="que trois jours"):
                        opened(invitation.token)

    def test_says_the_same_of_a_forged_link_and_of_an_unknown_one(self, cast: Cast) -> None:
        real = send_invitation(user=cast.benoit, by=cast.amina)
        unknown = Invitation(pk=987654).token
        forged = f"{real.pk + 1}.{real.token.split('.')[1]}"
        sentences = set()
        for token in (unknown, forged, "1", "", f"{real.token}x"):
            with pytest.raises(InvitationClosed) as refusal:
                opened(token)
            sentences.add(str(refusal.value))
        assert len(sentences) == 1

    def test_is_refused_once_the_account_is_suspended(self, cast: Cast) -> None:
        invitation = send_invitation(user=cast.benoit, by=cast.amina)
        suspend_account(user=cast.benoit, reason=SuspensionReason.LOST, by=cast.hugo)
        with pytest.raises(InvitationClosed, match="suspendu"):
            opened(invitation.token)


class TestAcceptInvitation:
    def test_sets_the_password_once(self, cast: Cast) -> None:
        invitation = send_invitation(user=cast.benoit, by=cast.amina)
        accept_invitation(invitation=invitation, password=PASSWORD, by=cast.benoit)
        with pytest.raises(InvitationClosed, match="déjà servi"):
            accept_invitation(invitation=invitation, password="une-autre-longue-phrase", by=cast.benoit)
        assert User.objects.get(pk=cast.benoit.pk).check_password(PASSWORD)

    def test_is_journalled_without_the_link(self, cast: Cast) -> None:
        invitation = send_invitation(user=cast.benoit, by=cast.amina)
        accept_invitation(invitation=invitation, password=PASSWORD, by=cast.benoit)
        event = Event.objects.get(action="accept")
        assert (event.actor_id, event.record_ids, event.detail) == (cast.benoit.pk, [str(invitation.pk)], {})

    def test_opens_nothing_by_itself(self, cast: Cast) -> None:
        nobody = make_user("Nora")
        accept_invitation(invitation=send_invitation(user=nobody, by=cast.hugo), password=PASSWORD, by=nobody)
        assert not nobody.standing.is_active


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
class TestTwoClicks:
    def test_set_one_password(self, tmp_path: Path) -> None:
        cast = Cast()
        invitation = send_invitation(user=cast.benoit, by=cast.amina)

        def accept(password: str):
            return lambda: accept_invitation(invitation=invitation, password=password, by=cast.benoit)

        passwords = ["une-premiere-longue-phrase", "une-seconde-longue-phrase"]
        outcomes, used = at_once(
            tmp_path,
            [accept(password) for password in passwords],
            lambda: Event.objects.filter(action="accept").count(),
        )
        assert used == 1
        assert outcomes == ["Ce lien a déjà servi : connectez-vous.", "User"]
