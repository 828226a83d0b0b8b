"""Fixtures shared by the whole suite: the cast, an open key ring, a signed-in client."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from audit.encryption.keys import key_ring
from referents.models import User
from tests.cast import Cast


@pytest.fixture(autouse=True)
def ring() -> Iterator[None]:
    """Each test has its own ring of data keys, as a request or a task has."""
    with key_ring():
        yield


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """``signed_in(cast.benoit)``: a client over HTTPS with that person's session."""

    def client_of(user: User) -> Client:
        client = Client(headers={"x-forwarded-proto": "https"})
        client.defaults["wsgi.url_scheme"] = "https"
        client.force_login(user, backend="referents.permissions.ScopeBackend")
        return client

    return client_of
