"""A row of the keystore and the key inside: wrapping, unwrapping, and the canary that proves it is the right one."""

from __future__ import annotations

from uuid import UUID

from audit.encryption.envelope import BadEnvelope, Cipher, Envelope, field_label, seal, unseal
from audit.encryption.keystore.models import DataKey, KeyKind
from audit.encryption.providers import Wrapped, provider

CANARY = b"marelle"
CANARY_LABEL = field_label("data_key.canary")


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
