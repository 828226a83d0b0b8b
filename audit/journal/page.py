"""Pages of long lists: the place in the order instead of a page number, and counts that stop at a cap."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.db.models import Count, Q
from django.db.models.expressions import BaseExpression
from django.db.models.sql.where import WhereNode
from django.utils import timezone

M = TypeVar("M", bound=models.Model)

COUNT_CAP = 1001  # shown as « plus de 1 000 »
LONGEST_CURSOR = 500
LARGEST_INTEGER = 2**63 - 1  # that a column holds, on both engines


class UnreadableCursor(ValueError):
    """This text does not say a place in this order."""


@dataclass(frozen=True)
class Page(Generic[M]):
    """Some rows of an ordered list; ``next_cursor`` goes into the address of the next page, "" on the last one."""

    records: list[M]
    next_cursor: str = ""
    is_first: bool = True

    @property
    def has_next(self) -> bool:
        return bool(self.next_cursor)

    def __iter__(self) -> Iterator[M]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)


def read_page(queryset: models.QuerySet[M], *, order: Sequence[str], cursor: str, size: int) -> Page[M]:
    """One page in one query. ``order`` names columns that are never NULL, the last one unique, "-" for descending.

    The records of a list that needs no other table are chosen first, then annotated: the planner knows how few they
    are, and reads what they show by its indexes, however long the list.

    A cursor that cannot be read gives the first page.
    """
    rows, is_first = queryset, True
    if cursor:
        try:
            rows = queryset.filter(_after(order, _read_cursor(queryset, order, cursor)))
            is_first = False
        except UnreadableCursor:
            rows = queryset
    ordered = rows.order_by(*order)
    if _stands_alone(queryset):
        ordered = _unfiltered(queryset).filter(pk__in=ordered.values("pk")[: size + 1]).order_by(*order)
    records = list(ordered[: size + 1])
    next_cursor = _write_cursor(records[size - 1], order) if len(records) > size else ""
    return Page(records[:size], next_cursor, is_first)


def _stands_alone(queryset: models.QuerySet[Any]) -> bool:
    """Its conditions join no other table; a person's own few rows, found through a join, gain nothing in two steps."""
    return sum(bool(count) for count in queryset.query.alias_refcount.values()) <= 1


def _unfiltered(queryset: models.QuerySet[M]) -> models.QuerySet[M]:
    """The same annotations and columns without the conditions, which the records chosen have met already."""
    every = queryset.all()
    every.query.where = WhereNode()
    return every


def capped_counts(
    queryset: models.QuerySet[Any], conditions: Mapping[str, Q | BaseExpression], *, cap: int = COUNT_CAP
) -> dict[str, int]:
    """How many of the first ``cap`` records meet each condition, in one query; ``Q()`` counts them all.

    A condition may look through ``Exists``, never through a join that repeats rows; a queryset made ``distinct`` or
    by union is refused, because "the first ``cap`` records" would not be those that it shows.
    """
    if queryset.query.distinct or queryset.query.combinator:
        raise ValueError("Count over a plain queryset: neither distinct() nor union().")
    return _first(queryset, cap).aggregate(
        **{name: Count("pk", filter=condition or None) for name, condition in conditions.items()}
    )


def _first(queryset: models.QuerySet[M], cap: int) -> models.QuerySet[M]:
    """Any ``cap`` records of the queryset, chosen before their conditions are looked at: the planner then knows how
    few they are, and follows its indexes instead of reading whole tables for a list that it believes long.
    """
    chosen = queryset.order_by().values("pk")[:cap]
    annotated = bool(queryset.query.annotations)  # a condition may name one
    return (queryset.order_by() if annotated else queryset.model._base_manager.using(queryset.db)).filter(pk__in=chosen)


# -- the place in the order ----------------------------------------------------------------------------------------


def _after(order: Sequence[str], values: Sequence[Any]) -> Q:
    """``a >= x AND (a > x OR (b > y))``: the first comparison alone opens the index at the right place."""
    name, side = order[0].removeprefix("-"), "lt" if order[0].startswith("-") else "gt"
    beyond = Q(**{f"{name}__{side}": values[0]})
    if len(order) == 1:
        return beyond
    return Q(**{f"{name}__{side}e": values[0]}) & (beyond | _after(order[1:], values[1:]))


def _write_cursor(record: models.Model, order: Sequence[str]) -> str:
    values = [_written(getattr(record, name.removeprefix("-"))) for name in order]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _written(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _read_cursor(queryset: models.QuerySet[Any], order: Sequence[str], cursor: str) -> list[Any]:
    """The values of a cursor, each checked by its own column; UnreadableCursor for anything else."""
    try:
        if len(cursor) > LONGEST_CURSOR:
            raise UnreadableCursor
        texts = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
        if not isinstance(texts, list) or len(texts) != len(order):
            raise UnreadableCursor
        return [_value_of(queryset, name.removeprefix("-"), text) for name, text in zip(order, texts, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError, ValidationError) as error:
        raise UnreadableCursor from error


def _value_of(queryset: models.QuerySet[Any], name: str, text: object) -> Any:
    if not isinstance(text, str) or "\0" in text:
        raise UnreadableCursor
    try:
        field: Any = queryset.model._meta.get_field(name)
    except FieldDoesNotExist:
        field = queryset.query.annotations[name].output_field
    value = field.to_python(text)
    if value is None or (isinstance(value, int) and abs(value) > LARGEST_INTEGER):
        raise UnreadableCursor
    if isinstance(value, datetime):
        if timezone.is_naive(value):
            raise UnreadableCursor
        value = value.astimezone(UTC)  # a date that UTC cannot hold overflows here, not in the query
    return value
