"""Keys whose record was never written: committed first, left behind by a rollback or a crash."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils import timezone

from audit.encryption.keystore.models import DataKey

logger = logging.getLogger(__name__)

GRACE = timedelta(hours=24)
CHUNK = 500
SUSPECT_COUNT = 100
SUSPECT_SHARE = 10  # one key in ten


@shared_task(name="audit.sweep_orphan_keys")
def sweep_orphan_keys(*, even_if_many: bool = False) -> int:
    """Delete the keys older than 24 hours that no row of the data names; the number of keys deleted.

    More than 100 orphans and a tenth of the keystore look like the wrong data database, or an older backup, rather
    than like accidents: nothing is deleted, and an error is logged, unless ``even_if_many``.
    """
    old = DataKey.objects.filter(created_at__lt=timezone.now() - GRACE)
    candidates = set(old.values_list("key_id", flat=True).iterator(chunk_size=2_000))
    orphans = _not_named(candidates)
    if len(orphans) > max(SUSPECT_COUNT, len(candidates) // SUSPECT_SHARE) and not even_if_many:
        logger.error(
            "%d of %d old keys are named by no row: nothing deleted. Is DATABASE_URL the right one?",
            len(orphans),
            len(candidates),
        )
        return 0
    for chunk in _chunks(orphans):
        old.filter(key_id__in=chunk).delete()
    if orphans:
        logger.info("%d orphan keys deleted", len(orphans))
    return len(orphans)


def _not_named(candidates: set[UUID]) -> set[UUID]:
    """Those that no row names; history, which is not indexed by key, is asked last and about few."""
    orphans = set(candidates)
    for model in sorted(_models_with_keys(), key=lambda model: hasattr(model, "instance_type")):
        for chunk in _chunks(orphans):
            named = model._base_manager.filter(data_key_id__in=chunk).values_list("data_key_id", flat=True)
            orphans.difference_update(named.order_by().distinct().iterator(chunk_size=2_000))
        if not orphans:
            break
    return orphans


def _models_with_keys() -> Iterator[Any]:
    for model in apps.get_models(include_auto_created=True):
        try:
            field = model._meta.get_field("data_key_id")
        except FieldDoesNotExist:
            continue
        if isinstance(field, models.UUIDField) and model._meta.managed and not model._meta.proxy:
            yield model


def _chunks(ids: set[UUID]) -> Iterator[list[UUID]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
