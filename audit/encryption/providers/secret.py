"""A key-encryption key that Marelle reads: from a file, or from the environment.

A key is 32 bytes in base64, behind its version and a colon: « 2:… »; without a version it is the first one. Several
versions are separated by spaces, commas or lines. They are kept in memory for 60 seconds at most, then read again:
when their source has gone, what needs them is refused. There is no default key.
"""

from __future__ import annotations

import base64
import fcntl
import logging
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.encryption.envelope import KEY_SIZE
from audit.encryption.errors import KeyProviderUnavailable, KeySourceIsReadOnly, UnreadableKey
from audit.encryption.providers.base import MEMORY_SECONDS, NONCE_SIZE, Row, Secrets, Wrapped, bound_to

logger = logging.getLogger(__name__)

LARGEST_FILE = 16 * 1024
LAST_VERSION = 2**16 - 1

Ciphers = dict[int, AESGCM]


class Source(Protocol):
    name: str  # as an operator's message begins: « The key file /etc/marelle/key »

    def read(self) -> bytes:
        """The keys in their written form; raises KeyProviderUnavailable."""

    def add(self, version: int, key: bytes) -> None:
        """Write one more version; raises KeySourceIsReadOnly."""

    def remove(self, version: int) -> None:
        """Destroy one version; raises KeySourceIsReadOnly."""


class SecretProvider:
    """AES-256-GCM under the keys of a source."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._memory: tuple[float, Ciphers] | None = None

    def wrap(self, key_id: UUID, version: int, plain: bytes) -> Wrapped:
        ciphers = self._current()
        primary = max(ciphers)
        nonce = os.urandom(NONCE_SIZE)
        return Wrapped(
            primary, nonce + ciphers[primary].encrypt(nonce, plain, bound_to(key_id.bytes, version, primary))
        )

    def unwrap(self, key_id: UUID, version: int, wrapped: Wrapped) -> bytes:
        found = self.unwrap_all([(key_id.bytes, version, wrapped.kek_version, wrapped.data)])
        if not found:
            raise UnreadableKey(key_id)
        return found[key_id.bytes][version]

    def unwrap_all(self, rows: Iterable[Row]) -> Secrets:
        ciphers, has_read_again = self._current(), False
        found: Secrets = {}
        for key_id, version, kek_version, data in rows:
            if kek_version not in ciphers and not has_read_again:  # added by another process since the last reading
                ciphers, has_read_again = self._read_again(), True
            try:
                cipher = ciphers[kek_version]
                secret = cipher.decrypt(data[:NONCE_SIZE], data[NONCE_SIZE:], bound_to(key_id, version, kek_version))
            except (KeyError, InvalidTag, ValueError):
                logger.error("UnreadableKey: %s", UnreadableKey(UUID(bytes=key_id)))
                continue
            if key_id in found:
                found[key_id][version] = secret
            else:
                found[key_id] = {version: secret}
        return found

    def health(self) -> None:
        self._read()

    def versions(self) -> list[int]:
        return sorted(self._read_again())

    def add_version(self) -> int:
        version = max(self._read()) + 1
        if version > LAST_VERSION:
            raise KeySourceIsReadOnly(f"{self._source.name} has used every version there is.")
        self._source.add(version, os.urandom(KEY_SIZE))
        self._read_again()
        return version

    def remove_version(self, version: int) -> None:
        if version >= max(self._read()):
            raise KeySourceIsReadOnly(f"{self._source.name}: version {version} is the primary one, it stays.")
        self._source.remove(version)
        self._read_again()

    def _current(self) -> Ciphers:
        """The ciphers, from memory for 60 seconds; a clock set back reads the keys again."""
        memory = self._memory
        if memory is not None and 0 <= time.time() - memory[0] < MEMORY_SECONDS:
            return memory[1]
        return self._read_again()

    def _read_again(self) -> Ciphers:
        self._memory = None  # before reading: a vanished key leaves nothing behind
        ciphers = self._read()
        self._memory = (time.time(), ciphers)
        return ciphers

    def _read(self) -> Ciphers:
        keys = parsed(self._source.read(), self._source.name)
        return {version: AESGCM(key) for version, key in keys.items()}


def parsed(written: bytes, name: str) -> dict[int, bytes]:
    """The keys by version; raises KeyProviderUnavailable unless every one is a key and no version stands twice."""
    keys: dict[int, bytes] = {}
    for item in filter(None, re.split(rb"[\s,]+", written)):
        number, _, text = item.rpartition(b":")
        version = int(number) if number.isdigit() and len(number) <= 5 else 0 if number else 1
        try:
            key = base64.b64decode(text, validate=True)
        except ValueError:
            key = b""
        if len(key) != KEY_SIZE:
            raise KeyProviderUnavailable(f"{name} must hold {KEY_SIZE} bytes in base64 for each version.")
        if not 1 <= version <= LAST_VERSION:
            raise KeyProviderUnavailable(f"{name} names a version that cannot be: they go from 1 to {LAST_VERSION}.")
        if version in keys:
            raise KeyProviderUnavailable(f"{name} holds version {version} twice.")
        keys[version] = key
    if not keys:
        raise KeyProviderUnavailable(f"{name} must hold {KEY_SIZE} bytes in base64; it is empty.")
    return keys


def written(keys: dict[int, bytes]) -> bytes:
    """What ``parsed`` reads, one version a line."""
    return b"".join(b"%d:%s\n" % (version, base64.b64encode(key)) for version, key in sorted(keys.items()))


class EnvironmentSource:
    """An environment variable, which the operator changes."""

    def __init__(self, variable: str) -> None:
        self._variable = variable
        self.name = f"The environment variable {variable}"

    def read(self) -> bytes:
        try:
            return os.environb[self._variable.encode()]
        except KeyError:
            raise KeyProviderUnavailable(f"{self.name} is not set.") from None

    def add(self, version: int, key: bytes) -> None:
        raise KeySourceIsReadOnly(
            f"{self.name} is not written by Marelle: add « {version}: » and 32 random bytes in base64 to it "
            "(openssl rand -base64 32), restart the web servers and the workers, then run this command again."
        )

    def remove(self, version: int) -> None:
        raise KeySourceIsReadOnly(f"{self.name} is not written by Marelle: remove « {version}: … » from it.")


class FileSource:
    """A file that only its owner can read."""

    def __init__(self, path: str | Path, what: str = "The key file") -> None:
        self._path = Path(path).absolute()
        self.name = f"{what} {path}"

    def read(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                state = os.fstat(file.fileno())
                if not stat.S_ISREG(state.st_mode):
                    raise KeyProviderUnavailable(f"{self.name} is not a regular file.")
                if state.st_mode & 0o077:
                    mode = stat.S_IMODE(state.st_mode)
                    raise KeyProviderUnavailable(f"{self.name} has mode {mode:04o}: others may read it. Use 0600.")
                return file.read(LARGEST_FILE)
        except OSError as error:
            raise KeyProviderUnavailable(f"{self.name} cannot be read: {error.strerror}.") from None

    def add(self, version: int, key: bytes) -> None:
        with self._changing() as keys:
            keys.setdefault(version, key)

    def remove(self, version: int) -> None:
        with self._changing() as keys:
            keys.pop(version, None)

    def replace(self, content: bytes) -> None:
        """Written aside and moved into place: a kill leaves the old file or the new one. Raises OSError."""
        with self._locked() as path:
            _replace(path, content)

    @contextmanager
    def _changing(self) -> Iterator[dict[int, bytes]]:
        """The keys to change, written back at the end."""
        try:
            with self._locked() as path:
                keys = parsed(self.read(), self.name)
                yield keys
                _replace(path, written(keys))
        except OSError as error:
            raise KeySourceIsReadOnly(f"{self.name} cannot be written: {error.strerror}.") from None

    @contextmanager
    def _locked(self) -> Iterator[Path]:
        """The file itself, behind its links; nobody else changes it meanwhile."""
        path = self._path.resolve()
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield path
            os.fsync(folder)
        finally:
            os.close(folder)


def _replace(path: Path, content: bytes) -> None:
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)  # a killed writer's, since nobody else holds the lock
    write_private(aside, content)
    owner = path.stat()
    if owner.st_uid != os.geteuid():  # root rotates the key of the service, which must still read it
        os.chown(aside, owner.st_uid, owner.st_gid)
    aside.replace(path)


def create_key_file(path: Path | str) -> None:
    """Write a fresh random key-encryption key, readable by its owner only; FileExistsError rather than replace one."""
    write_private(path, base64.b64encode(os.urandom(KEY_SIZE)) + b"\n")


def write_private(path: Path | str, content: bytes) -> None:
    """Write a new file that only its owner can read, on the disk before this returns; FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
