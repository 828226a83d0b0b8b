"""Where encrypted files are kept, one for each record that has one.

A file is ``magic(4) | length of the envelope(2) | envelope | chunks``. The envelope holds the key of this file alone,
sealed like a field of the record (``document.content``): a file moved to another record, or left after its data key was
destroyed, does not open. A record's file is written before its row: a rollback leaves an orphan, swept after a day.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from django.conf import settings

from audit.encryption.envelope import KEY_SIZE, BadEnvelope, Envelope, field_label, unseal
from audit.encryption.errors import EncryptionError, UnreadableValue
from audit.encryption.files.stream import BadFile, SealedReader, SealedWriter
from audit.encryption.keys import ciphers_of, seal_with

MAGIC = b"MRL1"
LENGTH_SIZE = 2
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class NoRoom(EncryptionError):
    """The disk is full, or its quota: nothing was kept of the file."""


@dataclass(frozen=True)
class Owner:
    """The record that a file belongs to: the stable name of its content, its id and its key's, which is loaded."""

    name: str  # "document.content"
    record_id: UUID
    data_key_id: UUID


@dataclass(frozen=True)
class Stored:
    """What was written: the size and the SHA-256 of the content in clear, the latter in hexadecimal."""

    size: int
    digest: str


def path_of(record_id: UUID) -> Path:
    return Path(settings.SEALED_FILES_DIR) / record_id.hex[-2:] / record_id.hex


def write_file(owner: Owner, parts: Iterable[bytes]) -> Stored:
    """Encrypt these parts and keep them, in place of what was there; raises NoRoom, KeyNotLoaded.

    Written aside, on the disk, then moved into place: a kill leaves the old file or the new one.
    """
    target = path_of(owner.record_id)
    aside = target.with_name(f"{target.name}.{uuid4().hex}.part")
    try:
        with _without_room_on_the_disk():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _private(aside) as file:
                stored = _write(file, owner, parts)
            aside.replace(target)
            _fsync_folder(target.parent)
    finally:
        aside.unlink(missing_ok=True)
    return stored


@contextmanager
def open_file(owner: Owner) -> Iterator[SealedReader]:
    """The clear content of a record's file, verified whole before anything is given; raises UnreadableValue."""
    reader = reader_of(owner)
    with reader:
        yield reader


def reader_of(owner: Owner, *, digest: str = "") -> SealedReader:
    """As ``open_file``, to be closed by the caller: a download goes on after its view.

    ``digest`` is the SHA-256 that the content must have: a former file of the same record is refused too.
    """
    try:
        file = path_of(owner.record_id).open("rb")
    except OSError as error:
        raise UnreadableValue(owner.name, owner.record_id, f"its file: {error.strerror}") from None
    try:
        key, start = _key_and_start(file, owner)
        reader = SealedReader(file, key, start=start)
        found = hashlib.sha256()
        for part in reader.chunks():
            found.update(part)
        if digest and found.hexdigest() != digest:
            raise BadFile("not the content that its row names")
        return reader
    except (BadFile, BadEnvelope) as error:
        file.close()
        raise UnreadableValue(owner.name, owner.record_id, f"its file: {error}") from None
    except BaseException:
        file.close()
        raise


def reseal_file(owner: Owner) -> None:
    """Encrypt a file again, under a new key of its own and the newest version of its data key."""
    with open_file(owner) as reader:
        write_file(owner, reader.chunks())


def key_version_of(record_id: UUID) -> int:
    """The version of the data key that a file's own key is sealed with; raises BadEnvelope or OSError."""
    with path_of(record_id).open("rb") as file:
        return _read_header(file)[0].key_version()


def kept_files() -> Iterator[tuple[UUID, float]]:
    """The record of each file on the disk, and when it was written (seconds since the epoch)."""
    for path in Path(settings.SEALED_FILES_DIR).glob("??/*"):
        if re.fullmatch(r"[0-9a-f]{32}", path.name):
            yield UUID(path.name), path.stat().st_mtime


def sweep_parts(before: float) -> int:
    """Delete what a killed writing left before this instant (seconds since the epoch); how many files."""
    swept = 0
    for path in Path(settings.SEALED_FILES_DIR).glob("??/*.part"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
                swept += 1
    return swept


def delete_files(record_ids: Iterable[UUID]) -> None:
    for record_id in record_ids:
        path_of(record_id).unlink(missing_ok=True)


def _write(file: BinaryIO, owner: Owner, parts: Iterable[bytes]) -> Stored:
    key = os.urandom(KEY_SIZE)
    digest = hashlib.sha256()
    file.write(_header(key, owner))
    writer = SealedWriter(file, key)
    for part in parts:
        digest.update(part)
        writer.write(part)
    writer.close()
    file.flush()
    os.fsync(file.fileno())
    return Stored(writer.size, digest.hexdigest())


def _header(key: bytes, owner: Owner) -> bytes:
    envelope = seal_with(
        owner.data_key_id, key, name=owner.name, label=field_label(owner.name), record_id=owner.record_id
    )
    return MAGIC + len(envelope.data).to_bytes(LENGTH_SIZE) + envelope.data


def _key_and_start(file: BinaryIO, owner: Owner) -> tuple[bytes, int]:
    envelope, start = _read_header(file)
    ciphers = ciphers_of(owner.data_key_id)
    key = unseal(envelope, ciphers, key_id=owner.data_key_id, label=field_label(owner.name), record_id=owner.record_id)
    return key, start


def _read_header(file: BinaryIO) -> tuple[Envelope, int]:
    if file.read(len(MAGIC)) != MAGIC:
        raise BadEnvelope("not an encrypted file of Marelle")
    size = int.from_bytes(file.read(LENGTH_SIZE))
    return Envelope(file.read(size)), len(MAGIC) + LENGTH_SIZE + size


@contextmanager
def _private(path: Path) -> Iterator[BinaryIO]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file


def _fsync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _without_room_on_the_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise NoRoom(f"No room left for a file in {settings.SEALED_FILES_DIR}: {error.strerror}.") from None
        raise
