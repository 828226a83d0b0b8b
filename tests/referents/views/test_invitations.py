"""The page that a link of invitation opens, and the button that sends another."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.urls import reverse

from audit.journal.models import Event
from referents.models import Invitation, User
from referents.services.accounts import SuspensionReason, suspend_account
from referents.services.invitations import send_invitation
from tests.cast import PASSWORD, Cast
from tests.conftest import SecureClient


@pytest.fixture(autouse=True)
def _quick(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def invitation(cast: Cast) -> Invitation:
    return send_invitation(user=cast.benoit, by=cast.amina)


def url(invitation: Invitation) -> str:
    return reverse("invitation_accept", args=[invitation.token])


def twice(password: str) -> dict[str, str]:
    return {"password": password, "password_again": password}


class TestInvitationAccept:
    def test_opens_without_an_account_and_consumes_nothing(self, cast: Cast, invitation: Invitation) -> None:
        for _ in range(3):  # a scanner of e-mails, then the person
            page = SecureClient().get(url(invitation))
            assert page.status_code == 200
            assert cast.benoit.email in page.content.decode()
        assert not User.objects.get(pk=cast.benoit.pk).has_usable_password()

    def test_names_no_child_and_no_colleague(self, cast: Cast, invitation: Invitation) -> None:
        page = SecureClient().get(url(invitation)).content.decode()
        assert not [name for name in ("Inès", "Morel", "Amina") if name in page]

    def test_sets_the_password_then_asks_to_sign_in(self, cast: Cast, invitation: Invitation) -> None:
        client = SecureClient()
        assert client.post(url(invitation), twice(PASSWORD))["Location"] == reverse("account_login")
        assert User.objects.get(pk=cast.benoit.pk).check_password(PASSWORD)
        signed_in = client.post(reverse("account_login"), {"login": cast.benoit.email, "password": PASSWORD})
        assert signed_in["Location"] == reverse("home")

    def test_signs_out_whoever_is_on_this_browser(self, cast: Cast, signed_in, invitation: Invitation) -> None:
        client = signed_in(cast.hugo)
        client.post(url(invitation), twice(PASSWORD))
        assert client.get(reverse("account_list"))["Location"].startswith(reverse("account_login"))

    @pytest.mark.parametrize(
        ("typed", "field"),
        [
            (twice("court"), "password"),
            (twice("password1234"), "password"),
            ({"password": PASSWORD, "password_again": "autre-longue-phrase"}, "password_again"),
            ({"password": PASSWORD}, "password_again"),
            ({}, "password"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(
        self, cast: Cast, invitation: Invitation, typed: dict, field: str
    ) -> None:
        response = SecureClient().post(url(invitation), typed | {"sent": "yes"})
        assert response.status_code == 422
        assert field in response.context["form"].errors
        assert not User.objects.get(pk=cast.benoit.pk).has_usable_password()

    def test_refuses_the_person_s_own_name(self, cast: Cast, invitation: Invitation) -> None:
        assert SecureClient().post(url(invitation), twice(cast.benoit.email)).status_code == 422

    def test_stays_out_of_caches_and_of_other_sites(self, invitation: Invitation) -> None:
        page = SecureClient().get(url(invitation))
        assert page["Cache-Control"] == "no-store, private"
        assert page["Referrer-Policy"] == "same-origin"

    def test_closes_once_used(self, invitation: Invitation) -> None:
        SecureClient().post(url(invitation), twice(PASSWORD))
        for method in ("get", "post"):
            closed = getattr(SecureClient(), method)(url(invitation))
            assert closed.status_code == 410
            assert "a déjà servi" in closed.content.decode()

    def test_closes_when_too_old_replaced_or_suspended(self, cast: Cast, invitation: Invitation) -> None:
        with time_machine.travel(invitation.expires_at + timedelta(minutes=1), tick=False):
            assert "que trois jours" in SecureClient().get(url(invitation)).content.decode()
        newer = send_invitation(user=cast.benoit, by=cast.amina)
        assert "plus récent" in SecureClient().get(url(invitation)).content.decode()
        suspend_account(user=cast.benoit, reason=SuspensionReason.LOST, by=cast.hugo)
        assert "suspendu" in SecureClient().post(url(newer), twice(PASSWORD)).content.decode()
        assert not User.objects.get(pk=cast.benoit.pk).has_usable_password()

    def test_says_the_same_of_a_forged_link_and_of_an_unknown_one(self, invitation: Invitation) -> None:
        unknown = SecureClient().get(reverse("invitation_accept", args=[Invitation(pk=987654).token]))
        forged = SecureClient().get(reverse("invitation_accept", args=[f"{invitation.token}x"]))
        assert unknown.status_code == forged.status_code == 404
        assert unknown.content == forged.content

    def test_journals_each_refusal_without_the_link(self, invitation: Invitation) -> None:
        SecureClient().get(reverse("invitation_accept", args=["1.forged"]))
        SecureClient().post(url(invitation), twice(PASSWORD))
        SecureClient().get(url(invitation))
        unknown, used = Event.objects.filter(action="refusal").order_by("at")
        assert (unknown.record_ids, unknown.detail) == ([], {"asked": "accept", "why": "unknown"})
        assert (used.record_ids, used.detail) == ([str(invitation.pk)], {"asked": "accept", "why": "used"})
        assert invitation.token not in str(list(Event.objects.values()))


class TestInvitationSend:
    def test_sends_another_link(self, cast: Cast, signed_in, django_capture_on_commit_callbacks) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            response = signed_in(cast.amina).post(reverse("invitation_send", args=[cast.benoit.pk]))
        assert response["Location"] == reverse("account_detail", args=[cast.benoit.pk])
        assert [letter.to for letter in mail.outbox] == [[cast.benoit.email]]

    def test_says_why_it_sends_none(self, cast: Cast, signed_in) -> None:
        cast.benoit.set_password(PASSWORD)
        cast.benoit.save(update_fields=["password"])
        client = signed_in(cast.amina)
        page = client.post(reverse("invitation_send", args=[cast.benoit.pk]), follow=True)
        assert "est déjà entrée" in page.content.decode()
        assert not cast.benoit.invitations.exists()
