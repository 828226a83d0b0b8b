"""Where the key-encryption key comes from. Settings: ``KEY_PROVIDER = "file:/path"`` or ``"env:NAME"``.

The key is 32 bytes written in base64. It is kept in memory for 60 seconds at most, then read again: when its source
has gone, what needs it is refused. There is no default key.
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from audit.encryption.errors import KeyProviderUnavailable, UnreadableKey

KEY_SIZE = 32
NONCE_SIZE = 12
MEMORY_SECONDS = 60
KEK_VERSION = 1
_WRAP_FORMAT = b"marelle data key 1"


class KeyProvider(Protocol):
    """What wraps the data keys. Every method raises KeyProviderUnavailable when the key-encryption key is away."""

    kek_version: int

    def wrap(self, key_id: UUID, version: int, plain: bytes) -> bytes:
        """The data key in its stored form, which opens for this id and version only."""

    def unwrap(self, key_id: UUID, version: int, wrapped: bytes, kek_version: int) -> bytes:
        """The data key; raises UnreadableKey when the stored form was altered, moved or wrapped by another key."""

    def health(self) -> None:
        """Return if the key-encryption key can be read now, whatever is in memory."""


class SecretProvider:
    """AES-256-GCM under a key read by ``read``, a function giving its base64 text."""

    kek_version = KEK_VERSION

    def __init__(self, read: Callable[[], bytes], name: str) -> None:
        self._read = read
        self._name = name
        self._memory: tuple[float, AESGCM] | None = None

    def wrap(self, key_id: UUID, version: int, plain: bytes) -> bytes:
        nonce = os.urandom(NONCE_SIZE)
        return nonce + self._current().encrypt(nonce, plain, _bound_to(key_id, version, self.kek_version))

    def unwrap(self, key_id: UUID, version: int, wrapped: bytes, kek_version: int) -> bytes:
        cipher = self._current()
        if kek_version != self.kek_version:
            raise UnreadableKey(key_id)
        try:
            return cipher.decrypt(wrapped[:NONCE_SIZE], wrapped[NONCE_SIZE:], _bound_to(key_id, version, kek_version))
        except (InvalidTag, ValueError):
            raise UnreadableKey(key_id) from None

    def health(self) -> None:
        AESGCM(self._decoded())

    def _current(self) -> AESGCM:
        """The cipher, from memory for 60 seconds; a clock set back reads the key again."""
        now = time.time()
        memory = self._memory
        if memory is not None and 0 <= now - memory[0] < MEMORY_SECONDS:
            return memory[1]
        self._memory = None  # before reading: a vanished key leaves nothing behind
        cipher = AESGCM(self._decoded())
        self._memory = (now, cipher)
        return cipher

    def _decoded(self) -> bytes:
        try:
            key = base64.b64decode(self._read().strip(), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != KEY_SIZE:
            raise KeyProviderUnavailable(f"{self._name} must hold {KEY_SIZE} bytes in base64.")
        return key


def provider() -> KeyProvider:
    """The provider named by ``settings.KEY_PROVIDER``, the same object at each call."""
    return _provider(settings.KEY_PROVIDER)


@lru_cache(maxsize=8)
def _provider(address: str) -> KeyProvider:
    scheme, _, rest = address.partition(":")
    if scheme == "file" and rest:
        return SecretProvider(lambda: _read_file(Path(rest)), f"The key file {rest}")
    if scheme == "env" and rest:
        return SecretProvider(lambda: _read_variable(rest), f"The environment variable {rest}")
    raise KeyProviderUnavailable('KEY_PROVIDER must be "file:/path/to/key" or "env:NAME_OF_THE_VARIABLE".')


def create_key_file(path: Path | str) -> None:
    """Write a fresh random key-encryption key, readable by its owner only; FileExistsError rather than replace one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(base64.b64encode(os.urandom(KEY_SIZE)) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise KeyProviderUnavailable(f"The key file {path} is not a regular file.")
            if state.st_mode & 0o077:
                mode = stat.S_IMODE(state.st_mode)
                raise KeyProviderUnavailable(f"The key file {path} has mode {mode:04o}: others may read it. Use 0600.")
            return file.read(1024)
    except OSError as error:
        raise KeyProviderUnavailable(f"The key file {path} cannot be read: {error.strerror}.") from None


def _read_variable(name: str) -> bytes:
    try:
        return os.environb[name.encode()]
    except KeyError:
        raise KeyProviderUnavailable(f"The environment variable {name} is not set.") from None


def _bound_to(key_id: UUID, version: int, kek_version: int) -> bytes:
    parts = (_WRAP_FORMAT, key_id.bytes, version.to_bytes(2), kek_version.to_bytes(2))
    return b"".join(len(part).to_bytes(4) + part for part in parts)
