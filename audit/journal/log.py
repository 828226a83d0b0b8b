"""The journal as a log: its events in the order in which they were committed, each as the bytes that are sealed.

*Order*. On PostgreSQL events follow the number of their transaction, then their id; those below the oldest transaction
still running are final, and the others wait: a late commit is never skipped. On SQLite one transaction writes at a
time, and the order is that of the rows (``rowid``): ids would not do, two processes may draw them and commit in the
other order.

*Bytes*. Every column, as the engine itself writes it, so that nothing is between what is stored and what is hashed:
on PostgreSQL the binary form of a row (``record_send``: the number of columns, then for each the number of its type,
its length and its bytes; NULL has length -1); on SQLite a JSON array (RFC 8259). ``COLUMNS`` is their order. A column
added later belongs to another format.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from audit.journal.models import Event
from audit.journal.triggers import ALIAS

TABLE = Event._meta.db_table
COLUMNS = (
    "id", "at", "action", "actor_id", "acting_for_id", "role", "team_id", "kind", "record_ids", "subject_id",
    "subject_team_id", "data_kind", "purpose", "request_id", "address", "detail", "transaction_id",
)  # fmt: skip
FETCHED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Line:
    """One event of the log; ``month`` is the first day of its month in Paris."""

    id: UUID
    transaction: int
    month: date
    content: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """After which event: its id, and the number of its transaction."""

    id: UUID
    transaction: int


class PlaceLost(Exception):
    """The event of a place is no longer in the journal; its id is the argument."""


def horizon() -> int | None:
    """The oldest transaction still running, below which every event is final; None on SQLite, where all are."""
    connection = connections[ALIAS]
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0]) + _numbers_added(connection)


def continue_numbers() -> None:
    """After a restoration on another PostgreSQL server, whose transactions have lower numbers than those of the events:
    the column's default adds what is missing, so that the log goes on. Nothing happens otherwise.
    """
    connection = connections[ALIAS]
    if connection.vendor != "postgresql":
        return
    with transaction.atomic(using=ALIAS), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT max(transaction_id), pg_current_xact_id()::text::bigint FROM {TABLE}"  # noqa: S608  # nosec B608
        )
        highest, current = cursor.fetchone()
        if highest is None or current + _numbers_added(connection) > highest:
            return
        cursor.execute(
            f"ALTER TABLE {TABLE} ALTER COLUMN transaction_id "
            f"SET DEFAULT pg_current_xact_id()::text::bigint + {int(highest) - int(current) + 1}"
        )


def _numbers_added(connection: BaseDatabaseWrapper) -> int:
    """What the default of the column adds to the number of a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d "
            "JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum "
            "WHERE d.adrelid = to_regclass(%s) AND a.attname = 'transaction_id'",
            [TABLE],
        )
        added = re.search(r"\+ '?(\d+)", cursor.fetchone()[0])
        return int(added[1]) if added else 0


def read_lines(after: Place | None, below: int | None, limit: int) -> list[Line]:
    """The next events of the log, at most ``limit``; ``below`` is a horizon. Raises PlaceLost (SQLite)."""
    connection = connections[ALIAS]
    condition, parameters = _after(connection, after)
    if below is not None:
        condition, parameters = f"{condition} AND transaction_id < %s", [*parameters, below]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, transaction_id, at, {content_sql(connection)} FROM {TABLE} "  # noqa: S608  # nosec B608
            f"WHERE {condition} ORDER BY {_order(connection)} LIMIT %s",
            [*parameters, limit],
        )
        zone = timezone.get_default_timezone()
        return [
            Line(_uuid(pk), number, _instant(at).astimezone(zone).date().replace(day=1), bytes(content))
            for pk, number, at, content in cursor.fetchall()
        ]


def count_after(after: Place | None) -> int:
    """How many events come after a place. Raises PlaceLost (SQLite)."""
    connection = connections[ALIAS]
    condition, parameters = _after(connection, after)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {TABLE} WHERE {condition}", parameters)  # noqa: S608  # nosec B608
        return int(cursor.fetchone()[0])


def contents() -> Generator[Iterator[bytes], None, None]:
    """The bytes of every event of the log, some thousands at a time; to be closed inside ``snapshot()``.

    The engine reads the next ones while the caller works on these.
    """
    connection = connections[ALIAS]
    sql = f"SELECT {content_sql(connection)} FROM {TABLE} ORDER BY {_order(connection)}"  # noqa: S608  # nosec B608
    connection.ensure_connection()
    is_remote = connection.vendor == "postgresql"
    raw = connection.connection
    with closing(raw.cursor(name="journal", binary=True) if is_remote else raw.cursor()) as cursor:
        cursor.execute(sql)
        if not is_remote:
            while rows := cursor.fetchmany(FETCHED_AT_ONCE):
                yield chain.from_iterable(rows)
            return
        with ThreadPoolExecutor(1) as reader:
            coming = reader.submit(cursor.fetchmany, FETCHED_AT_ONCE)
            while rows := coming.result():
                coming = reader.submit(cursor.fetchmany, FETCHED_AT_ONCE)
                yield chain.from_iterable(rows)


def ids(offset: int, limit: int) -> list[UUID]:
    """The ids of some events, from their place in the log as it is now."""
    connection = connections[ALIAS]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {TABLE} ORDER BY {_order(connection)} LIMIT %s OFFSET %s",  # noqa: S608  # nosec B608
            [limit, offset],
        )
        return [_uuid(pk) for (pk,) in cursor.fetchall()]


def content_of(event_id: UUID, instead: Mapping[str, Any] | None = None) -> bytes | None:
    """The bytes of one event, or what they would be with other values in some columns; None when it is not there."""
    connection = connections[ALIAS]
    instead = instead or {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {content_sql(connection, instead)} FROM {TABLE} WHERE id = %s",  # noqa: S608  # nosec B608
            [
                *(_stored(connection, instead[name]) for name in COLUMNS if name in instead),
                _stored(connection, event_id),
            ],
        )
        row = cursor.fetchone()
        return None if row is None else bytes(row[0])


def content_sql(connection: BaseDatabaseWrapper, instead: Iterable[str] = ()) -> str:
    """The SQL of an event's bytes; a parameter takes the place of each column named in ``instead``."""
    if connection.vendor == "postgresql":
        types = {"id": "uuid", "transaction_id": "bigint"}
        columns = (f"%s::{types[name]}" if name in instead else name for name in COLUMNS)
        return f"pg_catalog.record_send(ROW({', '.join(columns)}))"
    columns = ("%s" if name in instead else name for name in COLUMNS)
    return f"CAST(json_array({', '.join(columns)}) AS BLOB)"


@contextmanager
def snapshot() -> Iterator[None]:
    """Everything read inside is of one instant, and nobody waits for it."""
    connection = connections[ALIAS]
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(using=ALIAS):
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:  # not atomic(), which would keep everybody from writing
        connection.ensure_connection()
        connection.connection.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            connection.connection.execute("ROLLBACK")


def _order(connection: BaseDatabaseWrapper) -> str:
    return "transaction_id, id" if connection.vendor == "postgresql" else "rowid"


def _after(connection: BaseDatabaseWrapper, place: Place | None) -> tuple[str, list[Any]]:
    if place is None:
        return "1 = 1", []
    if connection.vendor == "postgresql":
        return "(transaction_id, id) > (%s, %s)", [place.transaction, place.id]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT rowid FROM {TABLE} WHERE id = %s", [place.id.hex])  # noqa: S608  # nosec B608
        row = cursor.fetchone()
    if row is None:
        raise PlaceLost(place.id)
    return "rowid > %s", [row[0]]


def _stored(connection: BaseDatabaseWrapper, value: Any) -> Any:
    return value.hex if isinstance(value, UUID) and connection.vendor != "postgresql" else value


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _instant(at: Any) -> datetime:
    """SQLite gives the text of an instant of UTC, or what its driver makes of it: without a time zone."""
    instant = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
