"""Which versions of the key-encryption key this keystore has known, and whether those at hand are the same."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from django.db import DatabaseError
from django.utils import timezone

from audit.encryption.errors import KeyProviderUnavailable, UnreadableKey, WrongMasterKey
from audit.encryption.keystore.models import DataKey, MasterKey
from audit.encryption.keystore.router import DATABASE
from audit.encryption.providers import Wrapped, provider

logger = logging.getLogger(__name__)

NOBODY = UUID(int=0)  # the id that the canary of a master key is bound to
CANARY = b"marelle".ljust(32, b"\0")


def register_versions() -> None:
    """Note the versions of the provider not known yet, each with a canary; nothing is written when all are.

    The first version of an empty keystore has nothing to wrap again. Raises WrongMasterKey: the source of another
    keystore teaches this one nothing.
    """
    known = set(MasterKey.objects.values_list("version", flat=True))
    if known:
        require_same_keys()
    else:
        _require_to_open(DataKey.objects.first())
    for version in provider().versions():
        if version in known:
            continue
        wrapped = provider().wrap(NOBODY, version, CANARY)
        if wrapped.kek_version != version:
            continue  # an old version: what it wraps proves it well enough
        is_needed = DataKey.objects.exclude(kek_version=version).exists()
        MasterKey.objects.get_or_create(
            version=version,
            defaults={"canary": wrapped.data, "rewrapped_at": None if is_needed else timezone.now()},
        )


def _require_to_open(row: DataKey | None) -> None:
    """A keystore that knows no version yet believes only a key that opens what it holds."""
    if row is None:
        return
    try:
        provider().unwrap(row.key_id, row.version, Wrapped(row.kek_version, bytes(row.wrapped)))
    except UnreadableKey:
        raise WrongMasterKey(
            "The key-encryption key does not open this keystore: wrong key file, or keystore of another installation."
        ) from None


def require_same_keys() -> None:
    """Raise WrongMasterKey unless every version at hand opens its canary and none in use is missing."""
    at_hand = set(provider().versions())
    for master in MasterKey.objects.filter(retired_at__isnull=True):
        if master.version not in at_hand:
            if DataKey.objects.filter(kek_version=master.version).exists():
                raise WrongMasterKey(f"Version {master.version} of the key-encryption key is missing.")
            continue
        try:
            provider().unwrap(NOBODY, master.version, Wrapped(master.version, bytes(master.canary)))
        except UnreadableKey:
            raise WrongMasterKey(
                f"Version {master.version} of the key-encryption key is another key than the one that wrapped this "
                "keystore: wrong key file, or keystore of another installation."
            ) from None


def register_after_migrate(using: str, **kwargs: Any) -> None:
    """The receiver of ``post_migrate``: a new keystore knows its first version from the start."""
    if using != DATABASE:
        return
    try:
        register_versions()
    except (KeyProviderUnavailable, WrongMasterKey):
        return  # said by the checks, and by everything that needs the key


def require_keys_at_start() -> None:
    """What a server asks before it serves: the key-encryption key is there, and is that of this keystore.

    Raises KeyProviderUnavailable or WrongMasterKey. A keystore that does not answer yet is said by the first page.
    """
    provider().health()
    try:
        require_same_keys()
    except DatabaseError as error:
        logger.warning("The keystore could not be asked at the start: %s", type(error).__name__)
