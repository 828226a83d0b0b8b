"""Looking for what should have left: the ids of a plan in every column that could hold them, its keys, its files.

A model that remembers erasures on purpose, by ids alone, says so: ``remembers_erasures = True``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models

from audit.encryption.files.store import path_of
from audit.encryption.keyed import chunks
from audit.encryption.keystore.models import DataKey, Tombstone
from audit.encryption.register import noted_destructions
from audit.erasure import Plan


def residue_of(plan: Plan) -> tuple[int, list[str]]:
    """How many columns were searched, and the places (``table.column``, files, keystore) where something is left."""
    ids = {pk for found in plan.rows.values() for pk in found if isinstance(pk, UUID)} | plan.data_keys
    searched, found = 0, []
    for model, field in _columns_of_ids():
        searched += 1
        if any(model._base_manager.filter(**{f"{field.attname}__in": chunk}).exists() for chunk in chunks(ids)):
            found.append(f"{model._meta.db_table}.{field.column}")
    for key in plan.data_keys:
        if DataKey.objects.filter(key_id=key).exists():
            found.append("keystore: a key")
        if not Tombstone.objects.filter(key_id=key).exists() or key not in noted_destructions():
            found.append("keystore: no tombstone")
    found += [f"file {pk}" for pk in plan.files if path_of(pk).exists()]
    return searched, found


def _columns_of_ids() -> Iterator[tuple[type[models.Model], Any]]:
    """Every column of every table that holds a UUID, history included, but where erasures are remembered."""
    for model in apps.get_models(include_auto_created=True):
        if getattr(model, "remembers_erasures", False) or not model._meta.managed or model._meta.proxy:
            continue
        for field in model._meta.concrete_fields:
            target = field.target_field if isinstance(field, models.ForeignKey) else field
            if isinstance(target, models.UUIDField):
                yield model, field
