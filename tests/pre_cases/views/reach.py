"""What the tests of pages ask: out of reach is like nothing, and a page costs a constant number of queries."""

from typing import Any
from uuid import UUID, uuid4

from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from referents.models import Role, User

OTHERS = ("chloe", "david", "esther", "farid", "gaelle", "hugo")  # nobody of the caseload, nor of its coordination
NOT_COUNTED = ("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "UPDATE")  # the session is written once a minute


def url(name: str, pk: object = None) -> str:
    return reverse(f"pre_cases:{name}", args=[pk] if pk else [])


def assert_hidden(client: Any, name: str, pk: UUID, methods: tuple[str, ...] = ("get", "post")) -> None:
    """Out of reach answers exactly like what does not exist, on every method."""
    for method in methods:
        hidden, missing = getattr(client, method)(url(name, pk)), getattr(client, method)(url(name, uuid4()))
        assert hidden.status_code == missing.status_code == 404
        assert hidden.content == missing.content
        assert _headers(hidden) == _headers(missing)


def _headers(response: Any) -> dict[str, str]:
    return {name: value for name, value in response.items() if name.lower() not in ("date", "x-request-id")}


def queries_of(client: Any, address: str) -> int:
    """How many queries a page asks of both databases, transactions and the session's own write apart."""
    with CaptureQueriesContext(connections["default"]) as default, CaptureQueriesContext(connections["keys"]) as keys:
        assert client.get(address).status_code == 200
    return len([q for q in [*default, *keys] if not q["sql"].startswith(NOT_COUNTED)])


def caseload(person: User) -> int:
    """The membership whose caseload the person follows."""
    return person.memberships.get(role=Role.REFERENT).pk


def hidden(client: Any, name: str, pk: object, nothing: object, methods: tuple[str, ...] = ("get", "post")) -> bool:
    """Whether a record answers like one that does not exist, on every method."""
    for method in methods:
        foreign, missing = getattr(client, method)(url(name, pk)), getattr(client, method)(url(name, nothing))
        if not foreign.status_code == missing.status_code == 404 or foreign.content != missing.content:
            return False
    return True
