"""Counting what a page asks of both databases."""

from contextvars import Context
from functools import partial
from typing import Any

from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

NOT_COUNTED = ("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK")


def queries_of(client: Client, url: str, typed: dict[str, Any] | None = None) -> list[str]:
    """What a page asks of both databases, transactions and the once-a-minute session write left out.

    ``typed`` is sent by POST to a page that answers 200, as a search does.
    """
    ask = partial(client.get, url) if typed is None else partial(client.post, url, typed)
    Context().run(ask)  # the session of the minute is written here
    with CaptureQueriesContext(connections["default"]) as data, CaptureQueriesContext(connections["keys"]) as keys:
        response = Context().run(ask)  # without the keys that the test has already loaded
    assert response.status_code == 200
    every = [query["sql"] for query in (*data.captured_queries, *keys.captured_queries)]
    return [sql for sql in every if not sql.startswith(NOT_COUNTED)]
