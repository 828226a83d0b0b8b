"""What a key provider is: the only code that sees a key-encryption key, or speaks to what holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

NONCE_SIZE = 12
MEMORY_SECONDS = 60  # how long a key-encryption key stays in the memory of a process
_WRAP_FORMAT = b"marelle data key 1"


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key in its stored form, and the version of the key-encryption key that wrapped it."""

    kek_version: int
    data: bytes


class KeyProvider(Protocol):
    """What wraps the data keys. Every method raises KeyProviderUnavailable when the key-encryption key is away.

    Versions begin at 1. The highest is the primary one: it wraps; the others only unwrap.
    """

    def wrap(self, key_id: UUID, version: int, plain: bytes) -> Wrapped:
        """The data key in its stored form, which opens for this id and version only."""

    def unwrap(self, key_id: UUID, version: int, wrapped: Wrapped) -> bytes:
        """The data key; raises UnreadableKey when the stored form was altered, moved or wrapped by another key."""

    def health(self) -> None:
        """Return if the key-encryption key can be used now, whatever is in memory."""

    def versions(self) -> list[int]:
        """The versions that can be used now, the primary last; read from the source, whatever is in memory."""

    def add_version(self) -> int:
        """Make a random new version, the primary from now on; raises KeySourceIsReadOnly where Marelle cannot."""

    def remove_version(self, version: int) -> None:
        """Destroy a version that wraps nothing any more; raises KeySourceIsReadOnly where Marelle cannot."""


def bound_to(key_id: UUID, version: int, kek_version: int) -> bytes:
    """The additional data of a wrapped key: it opens for this id and these versions only."""
    parts = (_WRAP_FORMAT, key_id.bytes, version.to_bytes(2), kek_version.to_bytes(2))
    return b"".join(len(part).to_bytes(4) + part for part in parts)
