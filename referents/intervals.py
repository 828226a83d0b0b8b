"""Dated facts: half-open intervals ``[starts_on, ends_on)`` on the days of Paris; ending today ends today."""

from __future__ import annotations

from datetime import date
from typing import Self, TypeVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

M = TypeVar("M", bound=models.Model)


def in_force(on: date | None = None, prefix: str = "") -> Q:
    """Rows whose interval holds a day (today by default); ``prefix`` reaches them through a relation."""
    day = on or timezone.localdate()
    return Q(**{f"{prefix}starts_on__lte": day}) & (
        Q(**{f"{prefix}ends_on__isnull": True}) | Q(**{f"{prefix}ends_on__gt": day})
    )


def ends_after_start(name: str) -> models.CheckConstraint:
    """The constraint that every interval without or with an end obeys; ``name`` is its own in the database."""
    return models.CheckConstraint(
        condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
        name=name,
        violation_error_message="La fin ne peut pas précéder le début.",
    )


class DatedQuerySet(models.QuerySet[M]):
    def current(self, on: date | None = None) -> Self:
        """Rows in force on a day (today by default)."""
        return self.filter(in_force(on))

    def overlapping(self, starts_on: date, ends_on: date | None) -> Self:
        """Rows whose interval meets ``[starts_on, ends_on)``; no end means for ever."""
        rows = self.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=starts_on))
        return rows if ends_on is None else rows.filter(starts_on__lt=ends_on)
