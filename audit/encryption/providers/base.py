"""What a key provider is: the only code that sees a key-encryption key, or speaks to what holds it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from uuid import UUID

NONCE_SIZE = 12
MEMORY_SECONDS = 60  # how long a key-encryption key stays in the memory of a process
_FORMAT = b"marelle data key 1"
_START = len(_FORMAT).to_bytes(4) + _FORMAT + (16).to_bytes(4)
_TWO_BYTES = (2).to_bytes(4)


Row = tuple[bytes, int, int, bytes]  # key id, version, version of the key-encryption key, wrapped key
Secrets = dict[bytes, dict[int, bytes]]  # key id: version: data key


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

    def unwrap_all(self, rows: Iterable[Row]) -> Secrets:
        """The keys of a page or of a search, by their ids' bytes: what does not open is logged and left out."""

    def health(self) -> None:
        """Return if the key-encryption key can be used now, whatever is in memory."""

    def versions(self) -> list[int]:
        """The versions that can be used now, the primary last; read from the source, whatever is in memory."""

    def add_version(self) -> int:
        """Make a random new version, the primary from now on; raises KeySourceIsReadOnly where Marelle cannot."""

    def remove_version(self, version: int) -> None:
        """Destroy a version that wraps nothing any more; raises KeySourceIsReadOnly where Marelle cannot."""


def bound_to(key_id: bytes, version: int, kek_version: int) -> bytes:
    """The additional data of a wrapped key, each part behind its length: it opens for this id and versions only."""
    return _START + key_id + after_key_id(version, kek_version)


@lru_cache(maxsize=64)  # nearly always the same few pairs
def after_key_id(version: int, kek_version: int) -> bytes:
    return _TWO_BYTES + version.to_bytes(2) + _TWO_BYTES + kek_version.to_bytes(2)
