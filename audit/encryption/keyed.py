"""Which models hold values under a data key, and which rows name one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from audit.encryption.base import EncryptedField

CHUNK = 500  # ids asked for in one query

# What names keys otherwise than by a ``data_key_id``; each gives the ids it names.
named_elsewhere: list[Callable[[], set[UUID]]] = []


def keyed_models() -> list[Any]:
    """Every model with a ``data_key_id``, tracked ones first, then their history, which is not indexed by key."""
    found = [model for model in apps.get_models(include_auto_created=True) if _is_keyed(model)]
    return sorted(found, key=is_historical)


def is_historical(model: Any) -> bool:
    return hasattr(model, "instance_type")


def encrypted_fields(model: Any) -> list[EncryptedField]:
    return [field for field in model._meta.concrete_fields if isinstance(field, EncryptedField)]


def not_named(key_ids: Iterable[UUID]) -> set[UUID]:
    """Those of these keys that no row names; history is asked last, and about few."""
    orphans = set(key_ids)
    for model in keyed_models():
        for chunk in chunks(orphans):
            named = model._base_manager.filter(data_key_id__in=chunk).values_list("data_key_id", flat=True)
            orphans.difference_update(named.order_by().distinct().iterator(chunk_size=2_000))
        if not orphans:
            break
    return orphans


def named_keys() -> set[UUID]:
    """Every data key that the data name, history left out."""
    found: set[UUID] = set()
    for model in keyed_models():
        if not is_historical(model):
            named = model._base_manager.values_list("data_key_id", flat=True).order_by().distinct()
            found.update(named.iterator(chunk_size=2_000))
    return found.union(*(named() for named in named_elsewhere))


def chunks(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]


def _is_keyed(model: Any) -> bool:
    try:
        field = model._meta.get_field("data_key_id")
    except FieldDoesNotExist:
        return False
    return isinstance(field, models.UUIDField) and model._meta.managed and not model._meta.proxy
