"""The stored form of an encrypted file: chunks that open only under one key, at their place, and all of them.

After its header (see ``store``) a file is a sequence of chunks of 64 KiB, the last one shorter, each AES-256-GCM under
a key made for this file alone. The nonce of a chunk is its index on eleven bytes and, on the last byte, whether it is
the last one: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár, « Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance », 2015). A chunk moved, repeated, dropped or cut is refused. Memory is that of one chunk.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.encryption.envelope import TAG_SIZE

CHUNK = 64 * 1024
SEALED_CHUNK = CHUNK + TAG_SIZE


class BadFile(ValueError):
    """These chunks are not the file that was written: altered, reordered, cut, or another file."""


class SealedWriter:
    """Encrypts what is written to it; without ``close()`` the file has no end, and does not open."""

    def __init__(self, target: BinaryIO, key: bytes) -> None:
        self._target = target
        self._cipher = AESGCM(key)
        self._waiting = bytearray()
        self._index = 0
        self.size = 0  # bytes in clear

    def write(self, data: bytes) -> None:
        self.size += len(data)
        self._waiting += data
        while len(self._waiting) > CHUNK:  # a full chunk waits: it may be the last one
            self._seal(bytes(self._waiting[:CHUNK]), is_last=False)
            del self._waiting[:CHUNK]

    def close(self) -> None:
        self._seal(bytes(self._waiting), is_last=True)
        self._waiting.clear()

    def _seal(self, plain: bytes, *, is_last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._index, is_last=is_last), plain, None))
        self._index += 1


class SealedReader(io.RawIOBase):
    """The clear content, from any place, one chunk in memory. Raises BadFile as soon as a chunk is not the right one.

    A reading stops at the end of a chunk: behind ``io.BufferedReader`` it gives all that is asked for.

    ``start`` is where the chunks begin in ``source``, which ends with the last one.
    """

    def __init__(self, source: BinaryIO, key: bytes, *, start: int = 0) -> None:
        super().__init__()
        self._source = source
        self._cipher = AESGCM(key)
        self._start = start
        sealed = source.seek(0, io.SEEK_END) - start
        self._count = max(-(-sealed // SEALED_CHUNK), 1)
        self.size = sealed - self._count * TAG_SIZE
        if self.size < 0 or (self._count > 1 and self.size <= (self._count - 1) * CHUNK):
            raise BadFile("impossible length")
        self._held = (-1, b"")
        self._at = 0

    def chunks(self) -> Iterator[bytes]:
        for index in range(self._count):
            yield self._open(index)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        index, offset = divmod(self._at, CHUNK)
        if self._at >= self.size:
            return 0
        found = self._open(index)[offset : offset + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

    def close(self) -> None:
        self._held = (-1, b"")
        self._source.close()
        super().close()

    def _open(self, index: int) -> bytes:
        if self._held[0] != index:
            self._source.seek(self._start + index * SEALED_CHUNK)
            sealed = self._source.read(SEALED_CHUNK)
            try:
                plain = self._cipher.decrypt(_nonce(index, is_last=index == self._count - 1), sealed, None)
            except (InvalidTag, ValueError):
                raise BadFile(f"chunk {index} is not the one that was written") from None
            self._held = (index, plain)
        return self._held[1]


def _nonce(index: int, *, is_last: bool) -> bytes:
    return index.to_bytes(11) + bytes([is_last])
