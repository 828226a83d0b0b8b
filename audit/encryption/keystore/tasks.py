"""What happens to keys by itself: those whose record was never written leave, and a rotation goes on."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import shared_task
from django.db import connections
from django.utils import timezone

from audit.encryption.errors import KeyProviderUnavailable, WrongMasterKey
from audit.encryption.keyed import chunks, not_named
from audit.encryption.keystore.models import NAMED_BY_NO_COLUMN, DataKey
from audit.encryption.keystore.router import DATABASE
from audit.encryption.rotation import is_rotating, rewrap_all
from audit.history import system_account
from audit.journal.models import Action, Event

logger = logging.getLogger(__name__)

GRACE = timedelta(hours=24)
AFTER_A_RESTORATION = timedelta(days=30)
TABLE = DataKey._meta.db_table
SUSPECT_COUNT = 100
SUSPECT_SHARE = 10  # one key in ten


@shared_task(name="audit.sweep_orphan_keys")
def sweep_orphan_keys(*, even_if_many: bool = False) -> int:
    """Delete the keys older than 24 hours that no row of the data names; the number of keys deleted.

    More than 100 orphans and a tenth of the keystore look like the wrong data database, or an older backup, rather
    than like accidents: nothing is deleted, and an error is logged, unless ``even_if_many``.
    """
    if Event.objects.filter(action=Action.RESTORE, at__gte=timezone.now() - AFTER_A_RESTORATION).exists():
        logger.info("data were restored lately: no key is swept, a newer backup may still name them")
        return 0
    old = DataKey.objects.filter(created_at__lt=timezone.now() - GRACE).exclude(kind__in=NAMED_BY_NO_COLUMN)
    candidates = set(old.values_list("key_id", flat=True).iterator(chunk_size=2_000))
    orphans = not_named(candidates)
    if len(orphans) > max(SUSPECT_COUNT, len(candidates) // SUSPECT_SHARE) and not even_if_many:
        logger.error(
            "%d of %d old keys are named by no row: nothing deleted. Is DATABASE_URL the right one?",
            len(orphans),
            len(candidates),
        )
        return 0
    for chunk in chunks(orphans):
        old.filter(key_id__in=chunk).delete()
    if orphans:
        logger.info("%d orphan keys deleted", len(orphans))
    return len(orphans)


@shared_task(name="audit.scrub_keystore")
def scrub_keystore() -> None:
    """Take out of the keystore's own files what was deleted in it: the wrapped form of destroyed keys.

    What its backups and the log of the engine still hold dies with the key-encryption key, at the next rotation.
    """
    connection = connections[DATABASE]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_has_role(relowner, 'MEMBER') FROM pg_class WHERE oid = %s::regclass", [TABLE])
            if not cursor.fetchone()[0]:
                logger.error("this account does not own %s: run VACUUM FULL on it as its owner", TABLE)
                return
            cursor.execute(f"VACUUM FULL {TABLE}")
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@shared_task(name="audit.resume_rotation")
def resume_rotation() -> None:
    """Go on with a rotation of the key-encryption key that a killed process left unfinished."""
    try:
        if is_rotating():
            rewrap_all(by=system_account())
    except (KeyProviderUnavailable, WrongMasterKey) as error:
        logger.error("The rotation waits: %s", error)
