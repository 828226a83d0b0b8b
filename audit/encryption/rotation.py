"""Changing the key-encryption key while people work: add a version, re-wrap every data key, destroy the old version.

Each step can be repeated, and killed at any point: what is left to do is read from the keystore, never remembered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from audit.encryption.errors import UnreadableKey
from audit.encryption.keystore.models import DataKey, MasterKey
from audit.encryption.keystore.router import DATABASE
from audit.encryption.keystore.rows import sealed_canary, unwrapped
from audit.encryption.providers import MEMORY_SECONDS, Wrapped, provider
from audit.encryption.witness import register_versions
from audit.history import acting_as
from audit.journal.models import Action
from audit.journal.record import record_event
from audit.services import Refused

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

logger = logging.getLogger(__name__)

BATCH = 200  # data keys re-wrapped in one transaction of the keystore
MEMORY = timedelta(seconds=2 * MEMORY_SECONDS)  # after which no process wraps with the former version any more


class RotationNotOver(Refused):
    """The former version still wraps data keys, or a process may still hold it in memory."""


def start_rotation(*, by: AbstractBaseUser) -> MasterKey:
    """Add a version, the primary from now on; a rotation that is not over is given back instead.

    Raises KeySourceIsReadOnly when the operator adds versions himself: a version found there is then taken.
    """
    register_versions()
    with transaction.atomic(using=DATABASE):
        list(MasterKey.objects.select_for_update())  # one rotation at a time
        primary = _primary()
        is_new = primary.rewrapped_at is not None
        if is_new:
            provider().add_version()
            primary = _primary()
    if is_new:
        _journal(by, "rotation_started", version=primary.version)
    return primary


def is_rotating() -> bool:
    """Whether a version was added and some data keys may still be wrapped by a former one."""
    return MasterKey.objects.filter(rewrapped_at__isnull=True, retired_at__isnull=True).exists()


def pending() -> int:
    """Data keys still wrapped by a former version."""
    return DataKey.objects.filter(kek_version__lt=_primary().version).count()


def rewrap_all(*, by: AbstractBaseUser, say: Callable[[int], object] = lambda left: None) -> int:
    """Wrap every data key again with the primary version; the number of keys that do not open, each of them logged.

    ``say`` receives how many are left after each batch. A key destroyed meanwhile stays destroyed: rows are updated,
    never written again. Two runs at once do no harm.
    """
    primary = _primary()
    while True:
        unreadable, done = _rewrap_pass(primary.version, say)
        left = DataKey.objects.filter(kek_version__lt=primary.version).count()
        if not done or left <= unreadable:
            break
    if not left and MasterKey.objects.filter(pk=primary.pk, rewrapped_at__isnull=True).update(
        rewrapped_at=timezone.now()
    ):
        _journal(by, "rotation_done", version=primary.version)
    return unreadable


def _rewrap_pass(primary: int, say: Callable[[int], object]) -> tuple[int, int]:
    """Once through the keystore: how many keys do not open, and how many were wrapped again."""
    last, unreadable, done = 0, 0, 0
    while True:
        rows = list(DataKey.objects.filter(kek_version__lt=primary, pk__gt=last).order_by("pk")[:BATCH])
        if not rows:
            return unreadable, done
        last = rows[-1].pk
        with transaction.atomic(using=DATABASE):
            for row in rows:
                try:
                    done += _rewrap(row)
                except UnreadableKey as error:
                    logger.error("%s: left as it is", error)
                    unreadable += 1
        say(DataKey.objects.filter(kek_version__lt=primary).count())


def _rewrap(row: DataKey) -> int:
    """Only if the row is still the one that was read: another run, or an erasure, may have been there."""
    key = unwrapped(row)
    wrapped: Wrapped = provider().wrap(row.key_id, row.version, key)
    if wrapped.kek_version <= row.kek_version:
        return 0
    canary = row.canary or sealed_canary(row.key_id, row.version, key)
    same = DataKey.objects.filter(pk=row.pk, kek_version=row.kek_version)
    return same.update(wrapped=wrapped.data, kek_version=wrapped.kek_version, canary=canary)


def retire_old_versions(*, by: AbstractBaseUser) -> list[int]:
    """Destroy every version below the primary, and give them; the backups of the keystore made before die with them.

    Raises RotationNotOver while one of them wraps a key or may be in the memory of a process, KeySourceIsReadOnly
    when the operator removes versions himself (they are then marked as retired already).
    """
    primary = _primary()
    if primary.rewrapped_at is None:
        raise RotationNotOver("Toutes les clés ne sont pas encore enveloppées par la nouvelle version.")
    wait = primary.created_at + MEMORY - timezone.now()
    if wait > timedelta(0):
        raise RotationNotOver(
            f"Une copie de l’ancienne version peut être en mémoire : attendez {int(wait.total_seconds()) + 1} secondes."
        )
    if left := pending():
        MasterKey.objects.filter(pk=primary.pk).update(rewrapped_at=None)
        raise RotationNotOver(f"{left} clés sont encore enveloppées par une ancienne version : relancez la rotation.")
    MasterKey.objects.filter(version__lt=primary.version, retired_at__isnull=True).update(retired_at=timezone.now())
    old = [version for version in provider().versions() if version < primary.version]
    for version in old:
        provider().remove_version(version)
        _journal(by, "key_retired", version=version)
    return old


def _primary() -> MasterKey:
    """The version that wraps now, read from its source; raises WrongMasterKey when the source is another one."""
    register_versions()
    return MasterKey.objects.get(version=provider().versions()[-1])


def _journal(by: AbstractBaseUser, what: str, *, version: int) -> None:
    with acting_as(by), transaction.atomic():
        record_event(Action.KEY_USE, kind=MasterKey._meta.label_lower, ids=[version], detail={"what": what})
