"""What can go wrong with an encrypted value. Messages hold field names and ids, never a value."""

from __future__ import annotations

from uuid import UUID


class EncryptionError(Exception):
    """Any failure of the encrypted fields or of their keys."""


class KeyNotLoaded(EncryptionError):
    """A value is read or written before its data key was loaded: call ``load_keys()`` inside ``key_ring()`` first."""


class KeyProviderUnavailable(EncryptionError):
    """The key-encryption key cannot be read, or is not one: nothing can be decrypted until the provider is back."""


class KeySourceIsReadOnly(EncryptionError):
    """This source of the key-encryption key is changed by the operator, not by Marelle; the message says how."""


class WrongMasterKey(EncryptionError):
    """The key at hand is not the one that wrapped this keystore; the message says which version, for the operator."""


class UnreadableKey(EncryptionError):
    """A wrapped data key does not open: it was altered, moved, or wrapped by another key-encryption key."""

    def __init__(self, key_id: UUID) -> None:
        super().__init__(key_id)
        self.key_id = key_id

    def __str__(self) -> str:
        return f"data key {self.key_id} does not open with this key-encryption key"


class UnreadableValue(EncryptionError):
    """A stored value does not decrypt: altered, moved from another row, field or key, or its key was destroyed.

    ``reason`` is for the operator, and holds no value.
    """

    def __init__(self, field: str, record_id: object, reason: str = "") -> None:
        super().__init__(field, record_id, reason)
        self.field = field
        self.record_id = record_id
        self.reason = reason

    def __str__(self) -> str:
        said = f"{self.field} of record {self.record_id} cannot be read"
        return f"{said} ({self.reason})" if self.reason else said


class PlainTextRefused(EncryptionError, TypeError):
    """Something other than an envelope was on its way to an encrypted column; nothing was written."""
