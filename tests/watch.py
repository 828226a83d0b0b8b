"""What a request did to the two databases, statement by statement, and what it wrote in the journal."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import Any, Self

from django.core.signals import request_finished
from django.db import close_old_connections, connections
from django.db.models.signals import post_save

from audit.journal.models import Event

WRITING = re.compile(r"\W*(INSERT|UPDATE|DELETE|REPLACE|MERGE|TRUNCATE|COPY|CREATE|ALTER|DROP|WITH)\b", re.IGNORECASE)
# the event of the reading or of the refusal, and what the once-a-minute session keeps
EXPECTED = re.compile(r'(INSERT INTO "audit_event"|(UPDATE|INSERT INTO) "django_session")')


class Watch:
    """``with Watch() as watch``: the writes and the events since the last ``forget()``."""

    def __init__(self) -> None:
        self.writes: list[str] = []
        self.events: list[Event] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for connection in connections.all():
            self._stack.enter_context(connection.execute_wrapper(self._note))
        post_save.connect(self._keep, sender=Event)
        self._stack.callback(post_save.disconnect, self._keep, sender=Event)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def forget(self) -> None:
        self.writes.clear()
        self.events.clear()

    def ids_read(self) -> set[str]:
        """The ids named by events that are no refusal."""
        found: set[str] = set()
        for event in self.events:
            if event.action != "refusal":
                found |= {*event.record_ids, str(event.subject_id)}
        return found

    def _note(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if WRITING.match(sql) and not EXPECTED.match(sql):
            self.writes.append(" ".join(str(sql).split())[:90])
        return execute(sql, params, many, context)

    def _keep(self, instance: Event, **kwargs: Any) -> None:
        self.events.append(instance)


def put_away(response: Any) -> None:
    """Close a response and its file, but not the connection of the test: as Django's own client does."""
    request_finished.disconnect(close_old_connections)
    response.close()
    request_finished.connect(close_old_connections)
