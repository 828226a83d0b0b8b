"""What an attacker with all rights on the database does to the journal: triggers dropped, rows changed at random.

Used by the tests, a few times each, and by « make campaign-journal », two hundred times each.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.test import override_settings
from uuid_utils.compat import uuid7

from audit.journal import sealing
from audit.journal.checkpoint import export_checkpoint
from audit.journal.diagnosis import Fault
from audit.journal.log import COLUMNS
from audit.journal.models import Action, Event
from audit.journal.seals import Seal, entries_of
from audit.journal.triggers import remove_triggers
from audit.journal.verify import Report, verify_journal
from audit.signing import create_signing_key_file

START = datetime(2026, 3, 30, 8, tzinfo=UTC)  # the month changes on the way
EVENT, SEAL = Event._meta.db_table, Seal._meta.db_table


@dataclass(frozen=True)
class Expected:
    """The fault that must be named; one of these events, or this seal, where the damage lets it be known."""

    fault: Fault
    events: tuple[UUID, ...] = ()
    seal: int | None = None

    def describes(self, report: Report) -> bool:
        return (
            report.fault == self.fault
            and (not self.events or report.event in self.events)
            and (self.seal is None or report.seal == self.seal)
        )


# -- a journal ----------------------------------------------------------------------------------------------------


def write_events(count: int, rng: random.Random, *, start: datetime = START, first_transaction: int = 1) -> None:
    """Events as a city writes them, several to a transaction at times; on SQLite the numbers say nothing."""
    events, number, at = [], first_transaction, start
    for _ in range(count):
        number += rng.random() < 0.7
        at += timedelta(seconds=rng.randrange(1, 2400))
        subject = uuid7()
        events.append(
            Event(
                at=at,
                action=rng.choice(Action.values),
                actor_id=rng.randrange(1, 200),
                role="referent",
                team_id=rng.randrange(1, 12),
                kind="pre_cases.parcours",
                record_ids=[str(subject)],
                subject_id=rng.choice([subject, None]),
                request_id=uuid7(),
                address="192.0.2.0/24",
                detail={"count": rng.randrange(100)},
                transaction_id=number,
            )
        )
    Event.objects.bulk_create(events)


def seal_in_batches(rng: random.Random, largest: int = 20) -> None:
    """Seal what was written, as if the sealer had passed every few events; then the checkpoint."""
    made = True
    while made:
        with mock.patch.object(sealing, "BATCH", rng.randrange(1, largest)), transaction.atomic():
            made = sealing._seal_next(None) is not None
    export_checkpoint()


@contextmanager
def everything_is_committed() -> Iterator[None]:
    """The test's own transaction holds no event back."""
    with mock.patch.object(sealing, "horizon", return_value=None):
        yield


@contextmanager
def attacked() -> Iterator[None]:
    """Whatever is done inside is undone at the end."""
    with transaction.atomic():
        remove_triggers(connection)
        yield
        transaction.set_rollback(True)


def tampered(
    tamper: Callable[[random.Random, Path], Expected], rng: random.Random, folder: Path
) -> tuple[Expected, Report]:
    """Do it, verify, and undo it."""
    with attacked(), override_settings():
        expected = tamper(rng, folder)
        return expected, verify_journal()


# -- what is done to it -------------------------------------------------------------------------------------------


def alter(rng: random.Random, folder: Path) -> Expected:
    """One column of one event."""
    event = rng.choice(in_order())
    column = rng.choice([name for name in COLUMNS if name != "transaction_id"])
    changed: dict[str, Any] = {
        "id": stored(uuid4()),
        "at": "2026-04-01 00:00:00.000001" if connection.vendor == "sqlite" else START,
        "record_ids": '["' + str(uuid4()) + '"]',
        "detail": '{"count": 1000}',
        "subject_id": stored(uuid4()),
        "request_id": stored(uuid4()),
    }
    value = changed.get(column, rng.randrange(1000, 9999) if column.endswith("_id") else "forged")
    run(f"UPDATE {EVENT} SET {column} = %s WHERE id = %s", value, stored(event))
    return Expected(Fault.ALTERED, (event,))


def delete(rng: random.Random, folder: Path) -> Expected:
    """One event, or several in a row; the last one stays."""
    events = in_order()
    first = rng.randrange(len(events) - 1)
    gone = events[first : min(first + rng.randrange(1, 6), len(events) - 1)]
    for event in gone:
        run(f"DELETE FROM {EVENT} WHERE id = %s", stored(event))
    return Expected(Fault.DELETED, (gone[0],))


def insert(rng: random.Random, folder: Path) -> Expected:
    """A false event among those that are sealed."""
    events = in_order()
    model = Event.objects.get(pk=events[rng.randrange(len(events) - 1)])
    false = uuid4()
    values = {name: name for name in COLUMNS} | {"id": "%s"}
    columns, selected = ", ".join(values), ", ".join(values.values())
    if connection.vendor == "postgresql":
        run(f"INSERT INTO {EVENT} ({columns}) SELECT {selected} FROM {EVENT} WHERE id = %s", false, model.pk)
        if in_order()[-1] == false:  # drawn after the last event, in its transaction
            run(f"UPDATE {EVENT} SET transaction_id = transaction_id - 1 WHERE id = %s", false)
        return Expected(Fault.INSERTED, (false,))
    run(f"UPDATE {EVENT} SET rowid = -rowid - 1 WHERE rowid > (SELECT rowid FROM {EVENT} WHERE id = %s)", model.pk.hex)
    run(
        f"INSERT INTO {EVENT} (rowid, {columns}) SELECT rowid + 1, {selected} FROM {EVENT} WHERE id = %s",
        false.hex,
        model.pk.hex,
    )
    run(f"UPDATE {EVENT} SET rowid = -rowid WHERE rowid < 0")
    return Expected(Fault.INSERTED, (false,))


def reorder(rng: random.Random, folder: Path) -> Expected:
    """Two events exchange their places."""
    place = "transaction_id" if connection.vendor == "postgresql" else "rowid"
    places = dict(fetched(f"SELECT id, {place} FROM {EVENT}"))
    one, other = rng.sample(sorted(places, key=str), 2)
    while places[one] == places[other]:
        one, other = rng.sample(sorted(places, key=str), 2)
    run(f"UPDATE {EVENT} SET {place} = -1 WHERE id = %s", one)
    run(f"UPDATE {EVENT} SET {place} = %s WHERE id = %s", places[one], other)
    run(f"UPDATE {EVENT} SET {place} = %s WHERE id = %s", places[other], one)
    pair = tuple(value if isinstance(value, UUID) else UUID(value) for value in (one, other))
    return Expected(Fault.REORDERED, pair if in_order_of_seals() != in_order() else ())


def truncate(rng: random.Random, folder: Path) -> Expected:
    """The last events; with their seals, half of the time: only the checkpoint then remembers them."""
    seals = list(Seal.objects.order_by("number"))
    kept = seals[rng.randrange(len(seals) // 2, len(seals) - 1)]
    events = in_order()
    cut = events[kept.size :]
    with_seals = rng.random() < 0.5
    if not with_seals:
        cut = cut[rng.randrange(len(cut)) :]
    for event in cut:
        run(f"DELETE FROM {EVENT} WHERE id = %s", stored(event))
    if with_seals:
        run(f"DELETE FROM {SEAL} WHERE number > %s", kept.number)
        return Expected(Fault.TRUNCATED)
    return Expected(Fault.TRUNCATED, (cut[0],))


FORGED: dict[str, Callable[[Seal], Any]] = {
    "month": lambda seal: seal.month + timedelta(days=31),
    "first_event": lambda seal: stored(uuid4()),
    "last_event": lambda seal: stored(uuid4()),
    "last_transaction": lambda seal: seal.last_transaction + 1,
    "count": lambda seal: seal.count + 1,
    "size": lambda seal: seal.size + 1,
    "root": lambda seal: flipped(seal.root),
    "log_root": lambda seal: flipped(seal.log_root),
    "edge": lambda seal: flipped(seal.edge),
    "index": lambda seal: flipped(seal.index),
    "index_digest": lambda seal: flipped(seal.index_digest),
    "previous": lambda seal: flipped(seal.previous),
    "sealed_at": lambda seal: seal.sealed_at + timedelta(seconds=1),
    "signature": lambda seal: flipped(seal.signature),
}


def forge_seal(rng: random.Random, folder: Path) -> Expected:
    """One column of one seal."""
    seal = rng.choice(list(Seal.objects.all()))
    column = rng.choice(sorted(FORGED))
    Seal.objects.filter(pk=seal.pk).update(**{column: FORGED[column](seal)})
    return Expected(Fault.FORGED_SEAL, seal=seal.number)


def break_chain(rng: random.Random, folder: Path) -> Expected:
    """A seal that is not the last one goes."""
    number = rng.randrange(1, Seal.objects.count())
    run(f"DELETE FROM {SEAL} WHERE number = %s", number)
    return Expected(Fault.BROKEN_CHAIN, seal=number + 1)


def lose_key(rng: random.Random, folder: Path) -> Expected:
    """The key that signed is no longer among those known."""
    path = folder / f"key-{uuid4().hex}"
    create_signing_key_file(path)
    settings.SIGNING_KEY = f"file:{path}"
    return Expected(Fault.MISSING_KEY, seal=1)


def rewrite(rng: random.Random, folder: Path) -> Expected:
    """Somebody who holds the signing key changes an event and seals everything again."""
    alter(rng, folder)
    run(f"DELETE FROM {SEAL}")
    while sealing._seal_next(None):
        pass
    return Expected(Fault.REWRITTEN)


CLASSES: dict[Fault, Callable[[random.Random, Path], Expected]] = {
    Fault.ALTERED: alter,
    Fault.DELETED: delete,
    Fault.INSERTED: insert,
    Fault.REORDERED: reorder,
    Fault.TRUNCATED: truncate,
    Fault.FORGED_SEAL: forge_seal,
    Fault.BROKEN_CHAIN: break_chain,
    Fault.MISSING_KEY: lose_key,
    Fault.REWRITTEN: rewrite,
}


# -- the database -------------------------------------------------------------------------------------------------


def in_order() -> list[UUID]:
    """The events of the log as it is now."""
    order = "transaction_id, id" if connection.vendor == "postgresql" else "rowid"
    rows = fetched(f"SELECT id, 0 FROM {EVENT} ORDER BY {order}")
    return [pk if isinstance(pk, UUID) else UUID(pk) for pk, _ in rows]


def in_order_of_seals() -> list[UUID]:
    seals = Seal.objects.order_by("number")
    return [entry.id for seal in seals for entry in entries_of(bytes(seal.index))]


def stored(value: UUID) -> Any:
    return value if connection.vendor == "postgresql" else value.hex


def flipped(value: bytes | memoryview) -> bytes:
    content = bytearray(value)
    content[0] ^= 1
    return bytes(content)


def run(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def fetched(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()
