"""How many rows several querysets hold, in one query: what a home page shows on its tiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import Subquery

from audit.journal.page import COUNT_CAP
from referents.models import User


class CountOf(Subquery):
    """The number of rows of a queryset, up to a cap, as a column."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = models.IntegerField()


def counts_of(person: User, querysets: Mapping[str, models.QuerySet[Any]]) -> dict[str, int]:
    """How many rows each queryset holds, 1,001 at most; they are the person's, whose row carries the columns."""
    columns = {name: CountOf(rows.order_by().values("pk")[:COUNT_CAP]) for name, rows in querysets.items()}
    return dict(User.objects.filter(pk=person.pk).values(**columns).get())
