"""The data keys of one request or task: opened by ``key_ring()``, loaded in one query, gone at the end.

with key_ring():                      # a request has one already; a task or a command writes @key_ring()
    load_keys_of(*records)
    records[0].first_name
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from uuid_utils.compat import uuid7

from audit.encryption.envelope import ALGORITHMS, KEY_SIZE, Cipher, Envelope, seal
from audit.encryption.errors import (
    EncryptionError,
    KeyNotLoaded,
    KeyProviderUnavailable,
    PlainTextRefused,
    UnreadableKey,
    UnreadableValue,
)
from audit.encryption.keystore.models import DataKey, KeyKind, Tombstone
from audit.encryption.keystore.router import DATABASE
from audit.encryption.keystore.rows import read_secrets, wrapped_row
from audit.encryption.register import note_destruction

__all__ = [
    "EncryptionError",
    "KeyNotLoaded",
    "KeyProviderUnavailable",
    "PlainTextRefused",
    "UnreadableKey",
    "UnreadableValue",
    "ciphers_of",
    "create_data_key",
    "create_data_keys",
    "destroy_data_keys",
    "key_ring",
    "load_keys",
    "load_keys_of",
    "own_key_ring",
    "seal_with",
]

MAX_IDS_PER_QUERY = 10_000  # below the number of parameters that SQLite and PostgreSQL accept

Ciphers = Mapping[int, Cipher]

_ring: ContextVar[dict[UUID, dict[int, Cipher]] | None] = ContextVar("key_ring", default=None)


@contextmanager
def key_ring() -> Iterator[None]:
    """The data keys loaded inside live until the end of the block; a nested ring is the outer one.

    Also a decorator: every task and command that touches encrypted values is written under ``@key_ring()``.
    """
    if _ring.get() is not None:
        yield
        return
    with own_key_ring():
        yield


@contextmanager
def own_key_ring() -> Iterator[None]:
    """A ring apart from the one around: long work reads the keystore as it is now, and forgets as it goes."""
    ring: dict[UUID, dict[int, Cipher]] = {}
    token = _ring.set(ring)
    try:
        yield
    finally:
        ring.clear()
        _ring.reset(token)


def load_keys(ids: Iterable[UUID | None]) -> None:
    """Put these data keys in the ring: one query for those not there yet, none when all are.

    A key that the keystore no longer has is remembered as destroyed: its values raise UnreadableValue. Raises
    KeyNotLoaded outside a ring, UnreadableKey for a tampered key, KeyProviderUnavailable.
    """
    ring = _open_ring()
    missing = [key_id for key_id in dict.fromkeys(ids) if key_id is not None and key_id not in ring]
    for chunk in _chunks(missing):
        found = read_secrets(key_id.bytes for key_id in chunk)
        for key_id in chunk:
            ring[key_id] = {version: Cipher(key) for version, key in found.get(key_id.bytes, {}).items()}


def load_keys_of(*records: models.Model) -> None:
    """Load the keys of these records and of the related records they already hold in memory; one query at most."""
    load_keys(_key_ids_held_by(records))


def create_data_key(kind: str) -> UUID:
    """One new data key, for ``kind`` "child", "family" or "team"; see ``create_data_keys``."""
    return create_data_keys(kind, 1)[0]


def create_data_keys(kind: str, count: int) -> list[UUID]:
    """Make data keys, commit them in the keystore whatever transaction is open on the data, and load them.

    A rollback of the data leaves orphan keys, swept after 24 hours; data without a key cannot be. Raises
    RuntimeError inside a transaction on ``keys``, where the keys could still be rolled back.
    """
    ring = _open_ring()
    keys = {uuid7(): os.urandom(KEY_SIZE) for _ in range(count)}
    rows = [wrapped_row(key_id, 1, KeyKind(kind), key) for key_id, key in keys.items()]
    with transaction.atomic(using=DATABASE, durable=True):
        DataKey.objects.bulk_create(rows, batch_size=1_000)
    for chunk in _chunks(list(keys)):
        found = read_secrets(key_id.bytes for key_id in chunk)
        for key_id in chunk:
            if found.get(key_id.bytes) != {1: keys[key_id]}:
                raise UnreadableKey(key_id)
            ring[key_id] = {1: Cipher(keys[key_id])}
    return list(keys)


def destroy_data_keys(ids: Iterable[UUID]) -> int:
    """Destroy every version of these keys, and leave a tombstone of each; the number of keys that were still there.

    What they protect is unreadable from then on, in every older backup of the data too. A key that is not there has its
    tombstone all the same: an older keystore may bring it back. Not inside a transaction on ``keys``: once this
    returns, it is done.
    """
    destroyed = 0
    for chunk in _chunks(list(dict.fromkeys(ids))):
        note_destruction(chunk)
        with transaction.atomic(using=DATABASE, durable=True):
            kinds = dict(DataKey.objects.filter(key_id__in=chunk).values_list("key_id", "kind"))
            graves = [Tombstone(key_id=key_id, kind=kinds.get(key_id, KeyKind.CHILD)) for key_id in chunk]
            Tombstone.objects.bulk_create(graves, ignore_conflicts=True)
            DataKey.objects.filter(key_id__in=chunk).delete()
        destroyed += len(kinds)
        ring = _ring.get() or {}
        for key_id in chunk:
            if key_id in ring:
                ring[key_id] = {}
    return destroyed


def secret_of(key_id: UUID) -> bytes:
    """The bytes of a key that encrypts nothing: that of the index of duplicates. Raises UnreadableKey."""
    found = read_secrets([key_id.bytes]).get(key_id.bytes)
    if not found:
        raise UnreadableKey(key_id)
    return found[max(found)]


def ciphers_of(key_id: UUID) -> Ciphers:
    """The versions of a loaded data key; none if it was destroyed. Raises KeyNotLoaded."""
    try:
        return _open_ring()[key_id]
    except KeyError:
        raise KeyNotLoaded(f"Data key {key_id} is not loaded: call load_keys() or load_keys_of() first.") from None


def seal_with(key_id: UUID, content: bytes, *, name: str, label: bytes, record_id: UUID) -> Envelope:
    """A new envelope of these bytes, under the newest version of a loaded key; ``name`` is for the message.

    Raises KeyNotLoaded, for a destroyed key too.
    """
    ciphers = ciphers_of(key_id)
    if not ciphers:
        raise KeyNotLoaded(f"{name}: data key {key_id} no longer exists.")
    version = max(ciphers)
    return seal(
        content,
        ciphers[version],
        key_id=key_id,
        key_version=version,
        label=label,
        record_id=record_id,
        algorithm=ALGORITHMS[settings.ENVELOPE_ALGORITHM],
    )


def _open_ring() -> dict[UUID, dict[int, Cipher]]:
    ring = _ring.get()
    if ring is None:
        raise KeyNotLoaded("No key ring is open: requests have one, tasks and commands use @key_ring().")
    return ring


def _key_ids_held_by(records: Iterable[models.Model]) -> set[UUID]:
    """The keys named by the records and by whatever select_related and prefetch_related left beside them."""
    ids: set[UUID] = set()
    seen: set[int] = set()
    waiting: list[object] = list(records)
    while waiting:
        item = waiting.pop()
        if isinstance(item, list | tuple):
            waiting.extend(item)
        elif isinstance(item, models.QuerySet):
            waiting.extend(item._result_cache or ())
        elif isinstance(item, models.Model) and id(item) not in seen:
            seen.add(id(item))
            held = item.__dict__
            if key_id := held.get("data_key_id"):
                ids.add(key_id)
            waiting.extend(item._state.fields_cache.values())
            waiting.extend(held.get("_prefetched_objects_cache", {}).values())
            waiting.extend(value for value in held.values() if type(value) is list)  # Prefetch(to_attr=…)
    return ids


def _chunks(ids: list[UUID]) -> Iterator[list[UUID]]:
    for start in range(0, len(ids), MAX_IDS_PER_QUERY):
        yield ids[start : start + MAX_IDS_PER_QUERY]
