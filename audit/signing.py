"""The installation's signing key (Ed25519, RFC 8032): seals of the journal, checkpoints, certificates, releases.

It lies outside the databases, in a file or in an environment variable (``SIGNING_KEY``): whoever can write in them can
sign nothing. There stand items separated by spaces, commas or lines: « key:… », the private key that signs
(32 bytes in base64), and « public:… », each public key whose signatures are still believed: those that signed before.
An item without a name is the private key. There is no default key.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.core import checks

from audit.encryption.errors import KeyProviderUnavailable
from audit.encryption.providers.secret import EnvironmentSource, FileSource, write_private

KEY_SIZE = 32
CONTEXT = re.compile(r"[a-z][a-z0-9 .-]{2,62}")
HINT = "See SIGNING_KEY. Nothing can be sealed or certified without this key, and no key is made by default."


class SigningError(Exception):
    """Anything that keeps a signature from being made or believed."""


class SigningKeyUnavailable(SigningError):
    """The signing key cannot be read, or is not one; the message says it to the operator."""


class UnknownKey(SigningError):
    """The signature claims a key that this installation does not know: it can be neither believed nor refused."""


class BadSignature(SigningError):
    """The key that it claims did not sign this message in this context."""


@dataclass(frozen=True)
class KeyRing:
    """``private`` signs, None where only verifying is possible; ``public`` holds every key believed, by its id."""

    private: Ed25519PrivateKey | None
    public: dict[str, Ed25519PublicKey]


def sign(message: bytes, *, context: str) -> bytes:
    """The signature (64 bytes) of a message under the present key; ``key_id()`` is to be kept beside it.

    ``context`` says what is signed, « marelle seal 1 »: a signature never serves for anything else. Raises
    SigningKeyUnavailable.
    """
    return sign_text(_bound(message, context))


def verify(message: bytes, signature: bytes, *, context: str, key_id: str) -> None:
    """Return if that key, the present one or a former one, signed this message in this context.

    Raises UnknownKey, BadSignature, or SigningKeyUnavailable when no key can be read at all.
    """
    verify_text(_bound(message, context), signature, key_id=key_id)


def sign_text(text: bytes) -> bytes:
    """The signature of the bytes as they are: only for forms of others that say what they are in their first line."""
    private = key_ring().private
    if private is None:
        raise SigningKeyUnavailable(f"{_source().name} holds public keys only: nothing can be signed here.")
    return private.sign(text)


def verify_text(text: bytes, signature: bytes, *, key_id: str) -> None:
    """The counterpart of ``sign_text``."""
    key = key_ring().public.get(key_id)
    if key is None:
        raise UnknownKey(key_id)
    try:
        key.verify(signature, text)
    except InvalidSignature:
        raise BadSignature(key_id) from None


def key_id() -> str:
    """Id of the key that signs now: SHA-256 of its public key, 64 hexadecimal digits. Raises SigningKeyUnavailable."""
    private = key_ring().private
    if private is None:
        raise SigningKeyUnavailable(f"{_source().name} holds public keys only: nothing can be signed here.")
    return id_of(private.public_key())


def id_of(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


def public_keys() -> dict[str, bytes]:
    """The 32 bytes of each public key believed, by its id: what another installation or a family verifies with."""
    return {identifier: key.public_bytes_raw() for identifier, key in key_ring().public.items()}


def key_ring() -> KeyRing:
    """The keys, read again at each call: it is rare, and a key taken away is felt at once."""
    source = _source()
    try:
        written = source.read()
    except KeyProviderUnavailable as error:
        raise SigningKeyUnavailable(str(error)) from None
    return parsed(written, source.name)


def parsed(written: bytes, name: str) -> KeyRing:
    """The keys of a written form; raises SigningKeyUnavailable unless every item is a key and one at most signs."""
    private: list[Ed25519PrivateKey] = []
    public: list[Ed25519PublicKey] = []
    for item in filter(None, re.split(rb"[\s,]+", written)):
        kind, _, text = item.rpartition(b":")
        try:
            key = base64.b64decode(text, validate=True)
            if kind == b"public":
                public.append(Ed25519PublicKey.from_public_bytes(key))
            elif kind in (b"", b"key"):
                private.append(Ed25519PrivateKey.from_private_bytes(key))
            else:
                raise ValueError(kind)
        except ValueError:
            message = f"{name} must hold « key: » or « public: » and {KEY_SIZE} bytes in base64."
            raise SigningKeyUnavailable(message) from None
    if len(private) > 1:
        raise SigningKeyUnavailable(f"{name} holds {len(private)} private keys: one only signs.")
    if not private and not public:
        raise SigningKeyUnavailable(f"{name} must hold a signing key; it is empty.")
    public += [key.public_key() for key in private]
    return KeyRing(private[0] if private else None, {id_of(key): key for key in public})


def create_signing_key_file(path: Path | str) -> None:
    """Write a fresh random signing key, readable by its owner only; FileExistsError rather than replace one."""
    write_private(path, b"key:" + base64.b64encode(os.urandom(KEY_SIZE)) + b"\n")


def rotate_signing_key() -> str:
    """Sign with a fresh random key from now on, and go on believing the former ones; the id of the new key.

    A kill leaves the old file or the new one. Raises SigningKeyUnavailable: an environment variable is changed by the
    operator.
    """
    source = _source()
    if not isinstance(source, FileSource):
        raise SigningKeyUnavailable(f"{source.name} is not written by Marelle: change it where it is set.")
    believed = b"".join(b"public:" + base64.b64encode(key) + b"\n" for key in public_keys().values())
    fresh = os.urandom(KEY_SIZE)
    try:
        source.replace(b"key:" + base64.b64encode(fresh) + b"\n" + believed)
    except OSError as error:
        raise SigningKeyUnavailable(f"{source.name} cannot be written: {error.strerror}.") from None
    return id_of(Ed25519PrivateKey.from_private_bytes(fresh).public_key())


def check_signing_key(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """The key that signs can be read."""
    try:
        key_id()
    except SigningKeyUnavailable as error:
        return [checks.Error(str(error), hint=HINT, id="audit.E006")]
    return []


def _source() -> FileSource | EnvironmentSource:
    scheme, _, rest = settings.SIGNING_KEY.partition(":")
    if scheme == "file" and rest:
        return FileSource(rest, "The signing key file")
    if scheme == "env" and rest:
        return EnvironmentSource(rest)
    raise SigningKeyUnavailable('SIGNING_KEY must be "file:/path/to/key" or "env:NAME_OF_THE_VARIABLE".')


def _bound(message: bytes, context: str) -> bytes:
    """A zero, which begins no text, then the context behind its length: no two uses sign the same bytes."""
    if not CONTEXT.fullmatch(context):
        raise ValueError(f"{context!r} is no context: a few lower-case words.")
    return bytes([0, len(context)]) + context.encode() + message
