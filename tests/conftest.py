"""Fixtures shared by the whole suite: the cast, an open key ring, a signed-in client."""

import gc
import os
import secrets
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from audit.encryption.keys import key_ring
from pre_cases.search import words
from referents.models import Role, User
from referents.sessions import BROWSER, browser_of
from tests.audit.flush import journal_flush
from tests.cast import Cast, make_user
from tests.snapshot import Keeper

__all__ = ["journal_flush"]

words.phonetic = cache(words.phonetic)  # the same few names, thousands of times


WHOLE_SUITE = 2_000  # tests: fewer were named by somebody, who wants them all
ONE_IN = 4
ALWAYS_ON_POSTGRESQL = {"audit", "querysets", "statistics"}  # folders whose tests are about what a database does


def pytest_collection_finish() -> None:
    """What is imported stays: the collector need not walk it again and again, nor look so often at what tests make."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 1_000)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that reaches the data reaches the keystore too: they are two databases of one application.

    On PostgreSQL only those tests are played again. When the whole suite is, outside CI, one in four is, and with them
    all those that are about what a database does, or about several people at once.
    """
    with_data = []
    for item in items:
        marker = item.get_closest_marker("django_db")
        fixtures = getattr(item, "fixturenames", [])
        if marker is None and not {"db", "transactional_db"} & set(fixtures):
            continue
        with_data.append(item)
        if marker is None or "databases" not in marker.kwargs:
            options = dict(marker.kwargs) if marker else {}
            if "transactional_db" in fixtures:
                options["transaction"] = True
            item.add_marker(pytest.mark.django_db(**options, databases=["default", "keys"]), append=False)
    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
        if len(items) > WHOLE_SUITE and "CI" not in os.environ:
            with_data = [
                item for number, item in enumerate(with_data) if number % ONE_IN == 0 or _of_the_database(item)
            ]
        chosen = set(with_data)
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = with_data


def _of_the_database(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    return bool(marker and marker.kwargs.get("transaction")) or bool(ALWAYS_ON_POSTGRESQL & set(item.path.parts))


@pytest.fixture(autouse=True)
def ring() -> Iterator[None]:
    """Each test has its own ring of data keys, as a request or a task has."""
    with key_ring():
        yield


@pytest.fixture(autouse=True)
def files_beside_the_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has its own register of destroyed keys and its own checkpoints, as each installation has."""
    for setting in ("DESTROYED_KEYS_REGISTER", "JOURNAL_CHECKPOINTS"):
        monkeypatch.setattr(settings, setting, str(settings.VAR_DIR / f"{setting.lower()}-{secrets.token_hex(8)}"))


everybody = Keeper(Cast)


@pytest.fixture
def cast(db: None) -> Cast:
    return everybody.put()


@pytest.fixture
def ibrahim(cast: Cast) -> User:
    """A colleague of Benoît, who follows nobody yet."""
    return make_user("Ibrahim", Role.REFERENT, cast.team_a)


class SecureClient(Client):
    """Every request over HTTPS, as production asks."""

    def generic(self, *args: Any, **kwargs: Any) -> Any:
        return super().generic(*args, **kwargs | {"secure": True})


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """``signed_in(cast.benoit)``: a client over HTTPS with that person's session, its second factor just used.

    ``second_factor=False``: the password only.
    """

    def client_of(user: User, *, second_factor: bool = True) -> Client:
        client = SecureClient()
        sign_in(client, user, second_factor=second_factor)
        return client

    return client_of


def sign_in(client: Client, user: User, *, second_factor: bool = True, browser: str = "") -> None:
    """What the sign-in pages leave in a session: bound to a browser, and a second factor just used unless told not."""
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    session = client.session
    session[BROWSER] = browser_of(browser)
    if second_factor:
        session["account_authentication_methods"] = [{"method": "mfa", "at": time.time(), "type": "totp"}]
        session["account_authentication_methods_user"] = str(user.pk)
    session.save()
