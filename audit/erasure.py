"""Everything that belongs to one record, found from the foreign keys, and its erasure: rows, history, files.

The registry of models decides what is in the plan, so that a new model with a path to the record cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models, transaction

from audit.encryption.files.store import delete_files

CHUNK = 500  # ids in one query


@dataclass
class Plan:
    """The ids to erase, by model, those named before those that name them; ``data_keys`` are destroyed first."""

    rows: dict[type[models.Model], set[Any]] = field(default_factory=dict)
    data_keys: set[UUID] = field(default_factory=set)

    def counts(self) -> dict[str, int]:
        """How many rows of each model, by its French name."""
        return {str(model._meta.verbose_name_plural): len(ids) for model, ids in self.rows.items() if ids}

    @property
    def files(self) -> set[UUID]:
        return {pk for model, ids in self.rows.items() if hasattr(model, "sealed_content") for pk in ids}


def plan_for(*roots: models.Model) -> Plan:
    """What leaves with these records: every row that names one of them, and so on; accounts and lists are never asked.

    ``data_keys`` holds the keys of the records themselves.
    """
    plan = Plan(data_keys={root.data_key_id for root in roots})  # type: ignore[attr-defined]
    waiting: list[tuple[type[models.Model], set[Any]]] = []
    for root in roots:
        plan.rows.setdefault(type(root), set()).add(root.pk)
        waiting.append((type(root), {root.pk}))
    while waiting:
        model, ids = waiting.pop()
        for naming, column in _naming(model):
            known = plan.rows.setdefault(naming, set())
            found = _named(naming, column, ids) - known
            if found:
                known |= found
                waiting.append((naming, found))
    return plan


@transaction.atomic
def erase_rows(plan: Plan) -> int:
    """Delete the rows of a plan and their history, in one transaction, then their files; how many rows.

    A deletion leaves no history row of its own: the history goes with what it was the history of.
    """
    deleted = 0
    models_to_empty = _dependents_first(plan.rows)
    for model in models_to_empty:
        _unlink_itself(model, plan.rows[model])
    for model in models_to_empty:
        history = getattr(model, "history", None)
        for ids in _chunks(plan.rows[model]):
            if history is not None:
                rows = history.model._base_manager.filter(id__in=ids)
                rows._raw_delete(rows.db)
            rows = model._base_manager.filter(pk__in=ids)
            deleted += rows._raw_delete(rows.db)
    files = plan.files
    transaction.on_commit(lambda: delete_files(files))
    return deleted


def _naming(model: type[models.Model]) -> list[tuple[type[models.Model], str]]:
    """Each model with a foreign key to this one, and the column; history follows its own model."""
    found = []
    for other in apps.get_models(include_auto_created=True):
        if hasattr(other, "instance_type") or not other._meta.managed:
            continue
        for key in other._meta.concrete_fields:
            if isinstance(key, models.ForeignKey) and key.remote_field.model is model:
                found.append((other, key.attname))
    return found


def _named(model: type[models.Model], column: str, ids: set[Any]) -> set[Any]:
    found: set[Any] = set()
    for chunk in _chunks(ids):
        found.update(model._base_manager.filter(**{f"{column}__in": chunk}).values_list("pk", flat=True))
    return found


def _dependents_first(rows: Iterable[type[models.Model]]) -> list[type[models.Model]]:
    """The models in an order in which no deletion meets a foreign key that still names it."""
    left = list(rows)
    ordered = []
    while left:
        free = [m for m in left if not any(other is not m and other in left for other, _ in _naming(m))]
        if not free:
            raise RuntimeError("These models name each other in a circle: erasing them needs a rule.")
        ordered += free
        left = [model for model in left if model not in free]
    return ordered


def _unlink_itself(model: type[models.Model], ids: set[Any]) -> None:
    """A row that names another of the same model (a former parcours) no longer does."""
    for key in model._meta.concrete_fields:
        if isinstance(key, models.ForeignKey) and key.remote_field.model is model:
            for chunk in _chunks(ids):
                model._base_manager.filter(pk__in=chunk).update(**{key.attname: None})


def _chunks(ids: Iterable[Any]) -> list[list[Any]]:
    ordered = sorted(ids)
    return [ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK)]
