"""A key-encryption key that never leaves a PKCS#11 token: the token wraps and unwraps.

``KEY_PROVIDER`` is a URI of RFC 7512, with the library and the file that holds the PIN:
``pkcs11:token=marelle;object=marelle-kek?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/marelle/pin``.
Version 3 is the AES-256 key labelled « marelle-kek-3 ». Nothing of it can be in memory: a token taken away is felt at
once, not after a minute.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote
from uuid import UUID

import pkcs11
from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, ObjectClass

from audit.encryption.envelope import KEY_SIZE, TAG_SIZE
from audit.encryption.errors import KeyProviderUnavailable, UnreadableKey
from audit.encryption.providers.base import MEMORY_SECONDS, NONCE_SIZE, Row, Secrets, Wrapped, bound_to

logger = logging.getLogger(__name__)

R = TypeVar("R")
WRONG_PIN = (pkcs11.PinIncorrect, pkcs11.PinLocked, pkcs11.PinInvalid)


@dataclass(frozen=True)
class TokenAddress:
    """Where the token is, what its keys are called, and where its PIN is read."""

    token: str
    label: str
    module: str
    pin_file: Path

    @classmethod
    def parse(cls, uri: str) -> TokenAddress:
        """Raises KeyProviderUnavailable unless the four parts are there."""
        path, _, query = uri.removeprefix("pkcs11:").partition("?")
        parts = dict(part.partition("=")[::2] for part in re.split("[;&]", f"{path};{query}") if part)
        values = {name: unquote(value) for name, value in parts.items()}
        try:
            pin_file = Path(values["pin-source"].removeprefix("file:"))
            return cls(values["token"], values["object"], values["module-path"], pin_file)
        except KeyError as missing:
            raise KeyProviderUnavailable(f"KEY_PROVIDER names no {missing} in its PKCS#11 URI.") from None

    def pin(self) -> str:
        try:
            if self.pin_file.stat().st_mode & 0o077:
                raise KeyProviderUnavailable(f"The PIN file {self.pin_file} can be read by others. Use mode 0600.")
            return self.pin_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise KeyProviderUnavailable(f"The PIN file {self.pin_file} cannot be read: {error.strerror}.") from None


class TokenProvider:
    """AES-256-GCM computed by the token. One session a process, one operation at a time."""

    def __init__(self, address: TokenAddress) -> None:
        self._address = address
        self._lock = threading.RLock()
        self._process = 0
        self._session: Any = None
        self._keys: dict[int, Any] = {}
        self._looked_at = 0.0
        self._pin_refused_at: float | None = None

    def wrap(self, key_id: UUID, version: int, plain: bytes) -> Wrapped:
        def encrypt() -> Wrapped:
            keys = self._opened()
            if not keys:
                raise KeyProviderUnavailable(f"{self._name} holds no key {self._address.label}-1.")
            primary = max(keys)
            nonce = os.urandom(NONCE_SIZE)
            parameters = _parameters(nonce, bound_to(key_id.bytes, version, primary))
            sealed = keys[primary].encrypt(plain, mechanism=Mechanism.AES_GCM, mechanism_param=parameters)
            return Wrapped(primary, nonce + sealed)

        return self._asking(encrypt)

    def unwrap(self, key_id: UUID, version: int, wrapped: Wrapped) -> bytes:
        def decrypt() -> bytes:
            key = self._opened().get(wrapped.kek_version) or self._look().get(wrapped.kek_version)
            if key is None or len(wrapped.data) <= NONCE_SIZE + TAG_SIZE:
                raise UnreadableKey(key_id)
            parameters = _parameters(wrapped.data[:NONCE_SIZE], bound_to(key_id.bytes, version, wrapped.kek_version))
            try:
                plain: bytes = key.decrypt(
                    wrapped.data[NONCE_SIZE:], mechanism=Mechanism.AES_GCM, mechanism_param=parameters
                )
            except pkcs11.PKCS11Error:
                self._prove(key)  # tokens have no common word for a wrong tag: is it that, or the token?
                raise UnreadableKey(key_id) from None
            return plain

        return self._asking(decrypt)

    def unwrap_all(self, rows: Iterable[Row]) -> Secrets:
        found: Secrets = {}
        for key_id, version, kek_version, data in rows:
            try:
                secret = self.unwrap(UUID(bytes=key_id), version, Wrapped(kek_version, data))
            except UnreadableKey as error:
                logger.error("UnreadableKey: %s", error)
                continue
            found.setdefault(key_id, {})[version] = secret
        return found

    def health(self) -> None:
        self._asking(lambda: self._prove(self._primary()))

    def versions(self) -> list[int]:
        return sorted(self._asking(self._look))

    def add_version(self) -> int:
        def generate() -> int:
            version = max(self._look(), default=0) + 1
            template = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
            label = f"{self._address.label}-{version}"
            self._session.generate_key(KeyType.AES, KEY_SIZE * 8, label=label, store=True, template=template)
            self._look()
            return version

        return self._asking(generate)

    def remove_version(self, version: int) -> None:
        def destroy() -> None:
            key = self._look().get(version)
            if key is not None:
                key.destroy()
                self._look()

        self._asking(destroy)

    @property
    def _name(self) -> str:
        return f"The token {self._address.token}"

    def _asking(self, question: Callable[[], R]) -> R:
        """Ask the token; a lost session is opened again once, then the provider is unavailable."""
        with self._lock:
            for last in (False, True):
                try:
                    return question()
                except pkcs11.PKCS11Error as error:
                    self._close()
                    reason = type(error).__name__
                    if isinstance(error, WRONG_PIN):  # tried again and again it would lock the token
                        self._pin_refused_at = time.monotonic()
                    if last or isinstance(error, WRONG_PIN):
                        raise KeyProviderUnavailable(f"{self._name} does not answer: {reason}.") from None
        raise AssertionError  # the loop returns or raises

    def _close(self) -> None:
        with suppress(pkcs11.PKCS11Error):
            if self._session is not None and self._process == os.getpid():
                self._session.close()
        self._session, self._keys = None, {}

    def _opened(self) -> dict[int, Any]:
        """The keys by version, in a session of this very process, looked at again every minute: a version added by
        another process wraps here too before the former one may be destroyed.
        """
        is_old = not 0 <= time.monotonic() - self._looked_at < MEMORY_SECONDS
        if self._session is None or self._process != os.getpid() or is_old:
            self._look()
        return self._keys

    def _look(self) -> dict[int, Any]:
        """Read again which keys the token holds."""
        if self._session is None or self._process != os.getpid():
            self._open()
        pattern = re.compile(rf"{re.escape(self._address.label)}-(\d+)")
        found = self._session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.KEY_TYPE: KeyType.AES})
        labels = [(key, pattern.fullmatch(key.label)) for key in found]
        self._keys = {int(match[1]): key for key, match in labels if match}
        self._looked_at = time.monotonic()
        return self._keys

    def _open(self) -> None:
        if self._pin_refused_at is not None and time.monotonic() - self._pin_refused_at < MEMORY_SECONDS:
            raise KeyProviderUnavailable(f"{self._name} refused the PIN: it is not asked again for a minute.")
        try:
            library = pkcs11.lib(self._address.module)
        except RuntimeError as error:
            raise KeyProviderUnavailable(f"The PKCS#11 library {self._address.module} does not load.") from error
        if self._process not in (0, os.getpid()):
            library.reinitialize()  # a library does not survive a fork
        self._process = os.getpid()
        token = library.get_token(token_label=self._address.token)
        try:
            self._session = token.open(rw=True, user_pin=self._address.pin())
        except pkcs11.UserAlreadyLoggedIn:  # by another session of this process, whose login is that of all
            self._session = token.open(rw=True)
        self._pin_refused_at = None

    def _primary(self) -> Any:
        keys = self._look()
        if not keys:
            raise KeyProviderUnavailable(f"{self._name} holds no key {self._address.label}-1.")
        return keys[max(keys)]

    def _prove(self, key: Any) -> None:
        """The token can still encrypt under this key."""
        parameters = _parameters(os.urandom(NONCE_SIZE), b"")
        key.encrypt(b"health", mechanism=Mechanism.AES_GCM, mechanism_param=parameters)


def _parameters(nonce: bytes, aad: bytes) -> GCMParams:
    return GCMParams(nonce, aad, TAG_SIZE * 8)
