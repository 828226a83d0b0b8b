"""The stored form of an encrypted value, bound to its key, its field and its record.

An envelope is ``version(1) | algorithm(1) | key version(2, big endian) | nonce(12) | ciphertext and tag``. The only
version is 1; the algorithms are AES-256-GCM (NIST SP 800-38D) and AES-256-GCM-SIV (RFC 8452), both read whichever is
written. The additional data are, each behind its length on four bytes: version, algorithm, key id, key version, stable
field name, record id: an envelope moved anywhere else does not open.
Format 1 hides short lengths: four bytes of length, the value, then zeros up to 16, 32, 64 or 128 bytes, and to the
next multiple of 128 beyond.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FORMAT = 1
AES_256_GCM = 1
AES_256_GCM_SIV = 2
ALGORITHMS = {"aes-256-gcm": AES_256_GCM, "aes-256-gcm-siv": AES_256_GCM_SIV}
KEY_SIZE = 32
HEADER_SIZE = 4
NONCE_SIZE = 12
TAG_SIZE = 16
LENGTH_SIZE = 4
OVERHEAD = HEADER_SIZE + NONCE_SIZE + TAG_SIZE
SHORTEST = OVERHEAD + 16
BLOCK = 128  # above it, sizes are its multiples


class BadEnvelope(ValueError):
    """These bytes are not an envelope, or not one that belongs where they were found."""


@dataclass(frozen=True, slots=True, repr=False)
class Envelope:
    """The bytes of an encrypted value; opaque on purpose: shown or formatted, it says nothing."""

    data: bytes

    def __repr__(self) -> str:
        return "<Envelope>"

    def __bytes__(self) -> bytes:
        return self.data

    def key_version(self) -> int:
        """The version of the data key it was sealed with; raises BadEnvelope when the form is not exactly ours."""
        data = self.data
        if data[:2] not in _AAD_STARTS:
            raise BadEnvelope("unknown version or algorithm")
        if not _is_padded_size(len(data) - OVERHEAD):
            raise BadEnvelope("impossible length")
        version = data[2] << 8 | data[3]
        if version == 0:
            raise BadEnvelope("key versions begin at 1")
        return version


class Cipher:
    """One version of a data key, ready for both algorithms.

    AES-256-GCM-SIV works under a key derived from it: no block of one algorithm is ever a block of the other.
    """

    __slots__ = ("_secret", "_siv", "gcm")

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._siv: AESGCMSIV | None = None
        self.gcm = AESGCM(secret)

    def of(self, algorithm: int) -> AESGCM | AESGCMSIV:
        if algorithm == AES_256_GCM:
            return self.gcm
        if self._siv is None:
            derived = HKDF(SHA256(), KEY_SIZE, salt=None, info=b"marelle AES-256-GCM-SIV").derive(self._secret)
            self._siv = AESGCMSIV(derived)
        return self._siv


# Version and algorithm of an envelope, and what they give to the beginning of its additional data.
_AAD_STARTS = {
    bytes([FORMAT, algorithm]): b"\0\0\0\1" + bytes([FORMAT]) + b"\0\0\0\1" + bytes([algorithm]) + b"\0\0\0\x10"
    for algorithm in ALGORITHMS.values()
}
_VERSION_LENGTH = b"\0\0\0\2"
_UUID_LENGTH = b"\0\0\0\x10"


def aad_of(head: bytes, key_id: bytes, label: bytes, record_id: bytes) -> bytes:
    """The additional data of an envelope that begins with these four bytes."""
    before, after = aad_around_key(head, label)
    return before + key_id + after + record_id


def aad_around_key(head: bytes, label: bytes) -> tuple[bytes, bytes]:
    """What stands before the key's id and between it and the record's id: the same for a whole column."""
    return _AAD_STARTS[head[:2]], _VERSION_LENGTH + head[2:] + label


def field_label(name: str) -> bytes:
    """The part of the additional data that names a field, ready for ``seal`` and ``unseal``."""
    encoded = name.encode()
    return len(encoded).to_bytes(4) + encoded + _UUID_LENGTH


def seal(
    plain: bytes,
    cipher: Cipher,
    *,
    key_id: UUID,
    key_version: int,
    label: bytes,
    record_id: UUID,
    algorithm: int = AES_256_GCM,
) -> Envelope:
    """Encrypt a value for one field of one record, under a fresh random nonce."""
    head = bytes([FORMAT, algorithm]) + key_version.to_bytes(2)
    nonce = os.urandom(NONCE_SIZE)
    aad = aad_of(head, key_id.bytes, label, record_id.bytes)
    return Envelope(head + nonce + cipher.of(algorithm).encrypt(nonce, pad(plain), aad))


def unseal(envelope: Envelope, ciphers: Mapping[int, Cipher], *, key_id: UUID, label: bytes, record_id: UUID) -> bytes:
    """The value inside; ``ciphers`` are the versions of the data key. Raises BadEnvelope if anything is amiss."""
    data = envelope.data
    if data[:2] not in _AAD_STARTS or len(data) < SHORTEST:
        raise BadEnvelope("unknown version or algorithm, or impossible length")
    cipher = ciphers.get(data[2] << 8 | data[3])
    if cipher is None:
        raise BadEnvelope("the key does not exist in this version")
    aad = aad_of(data[:4], key_id.bytes, label, record_id.bytes)
    try:
        padded = (cipher.gcm if data[1] == AES_256_GCM else cipher.of(data[1])).decrypt(data[4:16], data[16:], aad)
    except InvalidTag:
        raise BadEnvelope("altered, or not from here") from None
    return unpad(padded)


def pad(plain: bytes) -> bytes:
    """Format 1 padding of a value: its length on four bytes, the value, zeros up to the size of its class."""
    content = len(plain).to_bytes(LENGTH_SIZE) + plain
    return content.ljust(_padded_size(len(content)), b"\0")


def unpad(padded: bytes) -> bytes:
    """The value that ``pad`` took; raises BadEnvelope unless it is exactly what ``pad`` would write."""
    size = len(padded)
    end = LENGTH_SIZE + int.from_bytes(padded[:LENGTH_SIZE])
    if end > size or _padded_size(end) != size or padded.count(0, end) != size - end:
        raise BadEnvelope("wrong padding")
    return padded[LENGTH_SIZE:end]


def _padded_size(size: int) -> int:
    if size <= 16:
        return 16
    if size <= BLOCK:
        return 1 << (size - 1).bit_length()  # 32, 64, 128
    return -(-size // BLOCK) * BLOCK


def _is_padded_size(size: int) -> bool:
    return size in (16, 32, 64) or (size > 0 and size % BLOCK == 0)
