"""Sealing again everything that one data key protects, after a suspected leak, while people work.

A new version of the key is added; rows, history and files move to it in small transactions; the former version leaves
the service once nothing uses it and no running request can still hold it. It is kept for the data of older backups,
when they are restored. Each step can be repeated, and killed at any point.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Max
from django.utils import timezone

from audit.encryption.envelope import KEY_SIZE
from audit.encryption.errors import EncryptionError, UnreadableKey, UnreadableValue
from audit.encryption.files.store import Owner, key_version_of, reseal_file
from audit.encryption.keyed import encrypted_fields, is_historical, keyed_models
from audit.encryption.keys import load_keys, own_key_ring
from audit.encryption.keystore.models import DataKey, KeyKind
from audit.encryption.keystore.router import DATABASE
from audit.encryption.keystore.rows import unwrapped, wrapped_row
from audit.encryption.witness import require_same_keys
from audit.history import acting_as
from audit.journal.models import Action
from audit.journal.record import record_event

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

logger = logging.getLogger(__name__)

BATCH = 100  # rows sealed again in one transaction
LONGEST_WORK = timedelta(minutes=15)  # no request or task holds the keys it loaded for longer


def begin_reencryption(key_id: UUID, *, by: AbstractBaseUser) -> int:
    """Add a version of this key, used for everything written from now on, and give it; raises UnreadableKey.

    A key that already has two is not given a third: the re-encryption under way goes on.
    """
    require_same_keys()
    rows = list(DataKey.objects.filter(key_id=key_id, retired_at__isnull=True).order_by("version"))
    if not rows:
        raise UnreadableKey(key_id)
    if len(rows) == 1:
        unwrapped(rows[0])  # it opens: nothing is sealed under a second version of a key that is lost
        version = rows[0].version + 1
        with suppress(IntegrityError), transaction.atomic(using=DATABASE, durable=True):  # somebody began just now
            wrapped_row(key_id, version, KeyKind(rows[0].kind), os.urandom(KEY_SIZE)).save()
        _journal(key_id, "reencryption_started", by)
    return max(row.version for row in DataKey.objects.filter(key_id=key_id))


def reseal(key_id: UUID) -> tuple[int, int]:
    """Move every value and file of this key to its newest version: how many rows were written, how many do not open.

    What does not open is logged and left as it is. History keeps its dates and authors: only the seal changes.
    """
    with own_key_ring():
        load_keys([key_id])
        newest = DataKey.objects.filter(key_id=key_id).aggregate(newest=Max("version"))["newest"]
        if newest is None:
            return 0, 0  # destroyed meanwhile
        written = unreadable = 0
        for model in keyed_models():
            changed, failed = _reseal_rows(model, key_id, newest)
            written, unreadable = written + changed, unreadable + failed
            if hasattr(model, "sealed_content") and not is_historical(model):
                changed, failed = _reseal_files(model, key_id, newest)
                written, unreadable = written + changed, unreadable + failed
        return written, unreadable


def finish_reencryption(key_id: UUID, *, by: AbstractBaseUser) -> bool:
    """Seal again what was written under the former version meanwhile, then end its service; whether it is over.

    It serves while a request begun before could still hold it, and while a value does not open.
    """
    written, unreadable = reseal(key_id)
    newest = DataKey.objects.filter(key_id=key_id).order_by("-version").first()
    if newest is None or written or unreadable or newest.created_at > timezone.now() - LONGEST_WORK:
        return False
    former = DataKey.objects.filter(key_id=key_id, version__lt=newest.version, retired_at__isnull=True)
    former.update(retired_at=timezone.now())
    _journal(key_id, "reencryption_done", by)
    return True


def finish_reencryptions(*, by: AbstractBaseUser) -> int:
    """Go on with every re-encryption under way; how many are over. One that fails is logged, and stops no other."""
    finished = 0
    for key_id in unfinished_reencryptions():
        try:
            finished += finish_reencryption(key_id, by=by)
        except (EncryptionError, OSError) as error:
            logger.error("re-encryption of key %s: %s: %s", key_id, type(error).__name__, error)
    return finished


def reseal_restored_data(*, by: AbstractBaseUser) -> int:
    """After older data were put back: what former versions sealed moves to the newest; how many keys were concerned."""
    DataKey.objects.filter(retired_at__isnull=False).update(retired_at=None)
    keys = unfinished_reencryptions()
    for key_id in keys:
        reseal(key_id)
    finish_reencryptions(by=by)
    return len(keys)


def unfinished_reencryptions() -> list[UUID]:
    """Keys that have more than one version in service."""
    several = (
        DataKey.objects.filter(retired_at__isnull=True)
        .values("key_id")
        .annotate(versions=Count("pk"))
        .filter(versions__gt=1)
    )
    return list(several.values_list("key_id", flat=True))


def _reseal_rows(model: Any, key_id: UUID, newest: int) -> tuple[int, int]:
    fields = encrypted_fields(model)
    if not fields:
        return 0, 0
    names = [field.attname for field in fields]
    last, written, unreadable = None, 0, 0
    while True:
        rows = model._base_manager.filter(data_key_id=key_id).order_by("pk")
        if last is not None:
            rows = rows.filter(pk__gt=last)
        with transaction.atomic():
            found = list(rows.select_for_update().values_list("pk", "id", *names)[:BATCH])
            for pk, record_id, *envelopes in found:
                values = {}
                for field, envelope in zip(fields, envelopes, strict=True):
                    try:
                        if envelope is not None and envelope.key_version() < newest:
                            content = field.unseal(envelope, record_id, key_id)
                            values[field.attname] = field.seal(content, record_id, key_id)
                    except (UnreadableValue, ValueError) as error:
                        logger.error("%s %s: %s", field.aad, record_id, error)
                        unreadable += 1
                if values:
                    model._base_manager.filter(pk=pk).update(**values)
                    written += 1
        if not found:
            return written, unreadable
        last = found[-1][0]


def _reseal_files(model: Any, key_id: UUID, newest: int) -> tuple[int, int]:
    written = unreadable = 0
    for record_id in model._base_manager.filter(data_key_id=key_id).values_list("pk", flat=True):
        try:
            if key_version_of(record_id) < newest:
                reseal_file(Owner(model.sealed_content, record_id, key_id))
                written += 1
        except FileNotFoundError:
            continue  # taken away
        except (UnreadableValue, ValueError) as error:
            logger.error("%s %s: %s", model.sealed_content, record_id, error)
            unreadable += 1
    return written, unreadable


def _journal(key_id: UUID, what: str, by: AbstractBaseUser) -> None:
    with acting_as(by), transaction.atomic():
        record_event(Action.KEY_USE, kind=DataKey._meta.label_lower, ids=[key_id], detail={"what": what})
