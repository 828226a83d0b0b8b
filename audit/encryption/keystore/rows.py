"""A row of the keystore and the key inside: wrapping, unwrapping, and the canary that proves it is the right one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from uuid import UUID

from django.db import connections

from audit.encryption.envelope import BadEnvelope, Cipher, Envelope, field_label, seal, unseal
from audit.encryption.keystore.models import DataKey, KeyKind
from audit.encryption.keystore.router import DATABASE
from audit.encryption.providers import Wrapped, provider
from audit.encryption.providers.base import Secrets

# Every version of many keys, asked with one parameter: a list of thousands of them would cost more than the answer.
_ON_POSTGRESQL = (
    "SELECT uuid_send(key_id), version, kek_version, wrapped FROM keystore_datakey "
    "WHERE retired_at IS NULL AND key_id = ANY(%s::uuid[])"
)
_ON_SQLITE = (
    "SELECT key_id, version, kek_version, wrapped FROM keystore_datakey "
    "WHERE retired_at IS NULL AND key_id IN (SELECT value FROM json_each(%s))"
)
CANARY = b"marelle"
CANARY_LABEL = field_label("data_key.canary")


def read_secrets(key_ids: Iterable[bytes]) -> Secrets:
    """The versions in service of these keys, by the 16 bytes of their ids, in one query.

    A key that does not open is logged and left out, like one that is not there: it stops no other. Raises
    KeyProviderUnavailable.
    """
    connection = connections[DATABASE]
    hexed = [key_id.hex() for key_id in key_ids]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_ON_POSTGRESQL, [f"{{{','.join(hexed)}}}"])
            rows = cursor.fetchall()
        else:
            cursor.execute(_ON_SQLITE, [json.dumps(hexed)])
            rows = [(bytes.fromhex(row[0]), row[1], row[2], row[3]) for row in cursor.fetchall()]
    return provider().unwrap_all(rows)


def wrapped_row(key_id: UUID, version: int, kind: KeyKind, key: bytes) -> DataKey:
    """A row of the keystore, not saved yet: the key wrapped now, and its canary."""
    wrapped = provider().wrap(key_id, version, key)
    canary = sealed_canary(key_id, version, key)
    return DataKey(
        key_id=key_id,
        version=version,
        kind=kind.value,
        wrapped=wrapped.data,
        kek_version=wrapped.kek_version,
        canary=canary,
    )


def sealed_canary(key_id: UUID, version: int, key: bytes) -> bytes:
    """A known value sealed like any other, which ``check_keys`` opens."""
    canary = seal(CANARY, Cipher(key), key_id=key_id, key_version=version, label=CANARY_LABEL, record_id=key_id)
    return canary.data


def canary_sings(row: DataKey, key: bytes) -> bool:
    """Whether the canary of a row opens with this key and says what it should; True while it has none."""
    if row.canary is None:
        return True
    ciphers = {row.version: Cipher(key)}
    try:
        found = unseal(
            Envelope(bytes(row.canary)), ciphers, key_id=row.key_id, label=CANARY_LABEL, record_id=row.key_id
        )
    except BadEnvelope:
        return False
    return found == CANARY


def unwrapped(row: DataKey) -> bytes:
    """The data key of a row; raises UnreadableKey or KeyProviderUnavailable."""
    return provider().unwrap(row.key_id, row.version, Wrapped(row.kek_version, bytes(row.wrapped)))
