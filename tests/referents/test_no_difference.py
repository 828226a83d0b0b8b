"""Nobody learns whether an account exists: the same answer for the same work, counted rather than timed."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.history import acting_as, system_account
from tests.cast import PASSWORD, Cast
from tests.conftest import SecureClient

UNKNOWN = "personne@marelle.example"
WRONG = "un-mauvais-mot-de-passe"


@dataclass
class Work:
    """What an answer cost: derivations of a password, statements by their first words, messages sent."""

    status: int
    text: str
    derivations: int
    statements: list[str]
    messages: int


@pytest.fixture(autouse=True)
def _alone():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def addresses(cast: Cast) -> dict[str, str]:
    """An account of each kind, and an address that opens none."""
    with acting_as(system_account()):
        for person in (cast.benoit, cast.chloe):
            person.set_password(PASSWORD)
            person.save()
        cast.chloe.is_active = False
        cast.chloe.save()
    return {
        "known": cast.benoit.email,
        "inactive": cast.chloe.email,
        "without a password": cast.david.email,
        "unknown": UNKNOWN,
    }


@pytest.fixture
def work(monkeypatch) -> Callable[[str, dict[str, str], str], Work]:
    derive = Argon2PasswordHasher.encode, Argon2PasswordHasher.verify
    done: list[int] = []
    monkeypatch.setattr(Argon2PasswordHasher, "encode", lambda *a, **k: done.append(1) or derive[0](*a, **k))
    monkeypatch.setattr(Argon2PasswordHasher, "verify", lambda *a, **k: done.append(1) or derive[1](*a, **k))

    def measure(url: str, typed: dict[str, str], email: str) -> Work:
        done.clear()
        mail.outbox.clear()
        cache.clear()
        with CaptureQueriesContext(connections["default"]) as queries:
            answer = SecureClient().post(url, typed)
        text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.text).replace(email, "…")
        return Work(answer.status_code, text + answer.get("Location", ""), len(done), shapes(queries), len(mail.outbox))

    return measure


def shapes(queries: CaptureQueriesContext) -> list[str]:
    """Each statement by its verb and its table."""
    return [" ".join(re.findall(r'^\w+|(?<=FROM )"\w+"|(?<=INTO )"\w+"', query["sql"])) for query in queries]


class TestSignIn:
    def test_answers_alike(self, addresses, work) -> None:
        """One derivation each; statements differ by the look for rows that no account has, and by nothing written."""
        found = {
            kind: work(reverse("account_login"), {"login": email, "password": WRONG}, email)
            for kind, email in addresses.items()
        }
        expected = found["unknown"]
        assert expected.derivations == 1
        for kind, done in found.items():
            assert done == expected, kind

    def test_answers_alike_once_locked(self, addresses, work) -> None:
        for kind, email in addresses.items():
            for _ in range(5):
                done = work(reverse("account_login"), {"login": email, "password": WRONG}, email)
            assert done.status == 429, kind
        found = {
            kind: work(reverse("account_login"), {"login": email, "password": WRONG}, email)
            for kind, email in addresses.items()
        }
        assert len({(done.status, done.text, done.derivations, tuple(done.statements)) for done in found.values()}) == 1


class TestPasswordReset:
    def test_answers_alike(self, addresses, work) -> None:
        found = {
            kind: work(reverse("account_reset_password"), {"email": email}, email) for kind, email in addresses.items()
        }
        expected = found["unknown"]
        for kind, done in found.items():
            assert (done.status, done.text) == (expected.status, expected.text), kind
            assert (done.messages, done.derivations) == (1, 0), kind
            assert done.statements == expected.statements, kind
