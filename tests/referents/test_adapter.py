"""Signing in: attempts counted by account and address without telling who has an account, and a lost password."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from axes.models import AccessAttempt
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from referents.adapter import login_fingerprint
from referents.models import User
from tests.cast import PASSWORD, Cast
from tests.conftest import SecureClient
from tests.second_factor import code, enrol

LOGIN = "account_login"
UNKNOWN = "personne@marelle.example"
NEW_PASSWORD = "une-autre-longue-phrase"


@pytest.fixture(autouse=True)
def _alone(settings):
    """What the sign-in pages count in the cache stays in this test; a password is digested quickly."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def benoit(cast: Cast) -> User:
    """Benoît, with a password."""
    cast.benoit.set_password(PASSWORD)
    cast.benoit.save(update_fields=["password"])
    return cast.benoit


def sign_in(client: Client, email: str, password: str, address: str = "192.0.2.7"):
    typed = {"login": email, "password": password}
    return client.post(reverse(LOGIN), typed, REMOTE_ADDR=address)


def fail(email: str, times: int, address: str = "192.0.2.7"):
    """The last answer after so many wrong passwords."""
    client = SecureClient()
    answers = [sign_in(client, email, "mauvais-mot-de-passe", address) for _ in range(times)]
    return answers[-1]


def anonymised(response, email: str) -> str:
    """What the page says, without what was typed and the token of the form."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", response.content.decode()).replace(email, "…")


class TestSignIn:
    def test_opens_the_first_page_of_the_menu(self, benoit: User) -> None:
        client = SecureClient()
        enrol(benoit)
        assert sign_in(client, benoit.email, PASSWORD)["Location"] == reverse("mfa_authenticate")
        assert client.post(reverse("mfa_authenticate"), {"code": code()})["Location"] == reverse("home")
        assert client.get(reverse("home"))["Location"] == reverse("pre_cases:my_day")

    def test_does_not_look_at_the_case_of_the_address(self, benoit: User) -> None:
        assert sign_in(SecureClient(), benoit.email.upper(), PASSWORD).status_code == 302

    def test_goes_on_to_the_page_asked_for_and_nowhere_else(self, benoit: User) -> None:
        page = reverse("pre_cases:my_tasks")
        typed = {"login": benoit.email, "password": PASSWORD}
        assert SecureClient().post(reverse(LOGIN), typed | {"next": page})["Location"] == page
        elsewhere = SecureClient().post(reverse(LOGIN), typed | {"next": "https://ailleurs.example/"})
        assert elsewhere["Location"] == reverse("home")

    def test_says_the_same_of_a_wrong_password_and_of_no_account(self, benoit: User) -> None:
        known, unknown = fail(benoit.email, 1), fail(UNKNOWN, 1)
        assert known.status_code == unknown.status_code
        assert anonymised(known, benoit.email) == anonymised(unknown, UNKNOWN)
        assert known.context["form"].non_field_errors()

    def test_keeps_an_inactive_account_out(self, benoit: User) -> None:
        with acting_as(system_account()):
            benoit.is_active = False
            benoit.save()
        client = SecureClient()
        sign_in(client, benoit.email, PASSWORD)
        assert client.get(reverse("pre_cases:my_parcours"))["Location"].startswith(reverse(LOGIN))

    def test_offers_no_account_to_anybody(self, db) -> None:
        response = SecureClient().post(reverse("account_signup"), {"email": UNKNOWN, "password1": NEW_PASSWORD})
        assert not User.objects.filter(email=UNKNOWN).exists()
        assert 'name="password1"' not in response.content.decode()


class TestLockOut:
    LIMIT = settings.AXES_FAILURE_LIMIT

    def test_comes_after_five_failures(self, benoit: User) -> None:
        assert "Trop d’essais" not in fail(benoit.email, self.LIMIT - 1).content.decode()
        assert "Trop d’essais" in fail(benoit.email, 1).content.decode()
        cache.clear()
        assert "Trop d’essais" in sign_in(SecureClient(), benoit.email, PASSWORD).content.decode()

    def test_says_the_same_whether_or_not_there_is_an_account(self, benoit: User) -> None:
        known, unknown = fail(benoit.email, self.LIMIT), fail(UNKNOWN, self.LIMIT)
        assert known.status_code == unknown.status_code == 429
        assert anonymised(known, benoit.email) == anonymised(unknown, UNKNOWN)

    def test_locks_one_account_from_one_address(self, benoit: User, cast: Cast) -> None:
        cast.amina.set_password(PASSWORD)
        cast.amina.save(update_fields=["password"])
        fail(benoit.email, self.LIMIT)
        cache.clear()
        assert sign_in(SecureClient(), benoit.email, PASSWORD).status_code == 429
        assert sign_in(SecureClient(), benoit.email, PASSWORD, address="198.51.100.9").status_code == 302
        assert sign_in(SecureClient(), cast.amina.email, PASSWORD).status_code == 302

    def test_locks_the_person_and_not_the_proxy_before_everybody(self, benoit: User, settings) -> None:
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

        def attempt(password: str, forwarded: str):
            typed = {"login": benoit.email, "password": password}
            seen = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_FOR": forwarded, "REMOTE_ADDR": "10.0.0.1"}
            return SecureClient().post(reverse(LOGIN), typed, **seen)

        for _ in range(self.LIMIT):
            attempt("mauvais-mot-de-passe", "203.0.113.1, 192.0.2.7")
        assert attempt(PASSWORD, "203.0.113.99, 192.0.2.7").status_code == 429  # what it claims is not believed
        assert attempt(PASSWORD, "203.0.113.1, 198.51.100.9").status_code == 302

    def test_is_not_escaped_by_writing_the_address_otherwise(self, benoit: User) -> None:
        fail(benoit.email, self.LIMIT)
        cache.clear()
        assert sign_in(SecureClient(), f" {benoit.email.upper()} ", PASSWORD).status_code == 429

    def test_ends_after_a_quarter_of_an_hour(self, benoit: User) -> None:
        start = timezone.now()
        with time_machine.travel(start, tick=False) as clock:
            fail(benoit.email, self.LIMIT)
            cache.clear()
            clock.move_to(start + timedelta(minutes=14))
            assert sign_in(SecureClient(), benoit.email, PASSWORD).status_code == 429
            clock.move_to(start + timedelta(minutes=14 + 16))
            assert sign_in(SecureClient(), benoit.email, PASSWORD).status_code == 302

    def test_forgets_the_failures_after_a_success(self, benoit: User) -> None:
        for _ in range(2):
            fail(benoit.email, self.LIMIT - 1)
            cache.clear()
            assert sign_in(SecureClient(), benoit.email, PASSWORD).status_code == 302

    def test_stores_no_address_of_an_account(self, benoit: User) -> None:
        fail(benoit.email, 2)
        stored = AccessAttempt.objects.values()
        assert len(stored) == 1
        assert stored[0]["failures_since_start"] == 2
        name = benoit.email.partition("@")[0]
        for value in stored[0].values():
            assert name not in str(value).lower()
            assert "mauvais-mot-de-passe" not in str(value)

    def test_is_in_the_journal_without_a_name(self, benoit: User) -> None:
        fail(benoit.email, 1)
        event = Event.objects.get(action="sign_in_failed")
        assert (event.actor_id, event.record_ids) == (None, [])


class TestLoginFingerprint:
    def test_is_a_digest_of_the_address_typed(self) -> None:
        request = RequestFactory().post("/", {"login": " Benoit@Marelle.example "})
        fingerprint = login_fingerprint(request)
        assert re.fullmatch(r"[0-9a-f]{40,64}", fingerprint)
        assert fingerprint == login_fingerprint(request, {"email": "benoit@marelle.example"})
        assert fingerprint != login_fingerprint(request, {"email": "amina@marelle.example"})

    def test_cannot_be_made_without_the_key_of_the_installation(self, settings) -> None:
        request = RequestFactory().post("/", {"login": UNKNOWN})
        before = login_fingerprint(request)
        settings.SECRET_KEY = "another-installation-" + "y" * 40
        assert login_fingerprint(request) != before


class TestPasswordReset:
    def ask(self, email: str, client: Client | None = None):
        return (client or SecureClient()).post(reverse("account_reset_password"), {"email": email})

    def link(self) -> str:
        (message,) = mail.outbox
        (url,) = re.findall(r"https?://\S+", str(message.body))
        return urlsplit(url).path

    def test_goes_from_the_message_to_a_new_password(self, benoit: User) -> None:
        client = SecureClient()
        assert self.ask(benoit.email, client)["Location"] == reverse("account_reset_password_done")
        assert client.get(reverse("account_reset_password_done")).status_code == 200
        page = client.get(self.link(), follow=True)
        assert page.status_code == 200
        changed = client.post(page.redirect_chain[-1][0], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
        assert changed["Location"] == reverse("account_reset_password_from_key_done")
        assert client.get(changed["Location"]).status_code == 200
        assert sign_in(SecureClient(), benoit.email, PASSWORD).status_code == 200
        assert sign_in(SecureClient(), benoit.email, NEW_PASSWORD)["Location"] == reverse("home")

    def test_writes_to_the_account_without_naming_anybody(self, benoit: User) -> None:
        self.ask(benoit.email)
        (message,) = mail.outbox
        assert message.to == [benoit.email]
        assert "Benoît" not in str(message.body)
        assert "Ce lien ne sert qu’une fois" in str(message.body)

    def test_opens_nothing_without_the_second_factor(self, benoit: User) -> None:
        enrol(benoit)
        client = SecureClient()
        self.ask(benoit.email, client)
        page = client.get(self.link(), follow=True)
        client.post(page.redirect_chain[-1][0], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
        assert client.get(reverse("home"))["Location"].startswith(reverse(LOGIN))
        assert sign_in(client, benoit.email, NEW_PASSWORD)["Location"] == reverse("mfa_authenticate")
        assert client.get(reverse("home"))["Location"].startswith(reverse(LOGIN))

    def test_uses_its_link_once(self, benoit: User) -> None:
        self.ask(benoit.email)
        client = SecureClient()
        page = client.get(self.link(), follow=True)
        client.post(page.redirect_chain[-1][0], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
        again = SecureClient().get(self.link(), follow=True)
        assert 'name="password1"' not in again.content.decode()

    def test_leaves_no_history_of_the_account(self, benoit: User) -> None:
        rows = benoit.history.count()
        self.test_goes_from_the_message_to_a_new_password(benoit)
        assert benoit.history.count() == rows

    @pytest.mark.parametrize("weak", ["court", "motdepasse", "password1234", "12345678901234567890"])
    def test_refuses_a_weak_password_beside_the_field(self, benoit: User, weak: str) -> None:
        self.ask(benoit.email)
        client = SecureClient()
        page = client.get(self.link(), follow=True)
        refused = client.post(page.redirect_chain[-1][0], {"password1": weak, "password2": weak})
        assert refused.context["form"].errors["password1"]
        assert User.objects.get(pk=benoit.pk).check_password(PASSWORD)

    def test_answers_the_same_when_nobody_has_that_address(self, benoit: User) -> None:
        known, unknown = self.ask(benoit.email), self.ask(UNKNOWN)
        assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
        assert [message.to for message in mail.outbox] == [[benoit.email], [UNKNOWN]]
        assert "aucun mot de passe" in str(mail.outbox[1].body)
        assert "http" not in str(mail.outbox[1].body)

    def test_gives_no_first_password_to_who_was_invited(self, cast: Cast) -> None:
        """The link of the invitation, its delay and its end stay the only way in."""
        assert not cast.chloe.has_usable_password()
        self.ask(cast.chloe.email)
        assert "aucun mot de passe" in str(mail.outbox[0].body)
        assert "http" not in str(mail.outbox[0].body)

    def test_gives_nothing_to_a_suspended_account(self, benoit: User) -> None:
        self.ask(benoit.email)
        with acting_as(system_account()):
            benoit.is_active = False
            benoit.save()
        page = SecureClient().get(self.link(), follow=True)
        assert 'name="password1"' not in page.content.decode()
        self.ask(benoit.email)
        assert "http" not in str(mail.outbox[1].body)
