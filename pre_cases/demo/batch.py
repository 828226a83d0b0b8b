"""Rows of many files gathered, then inserted together with their history."""

from __future__ import annotations

from collections import defaultdict
from typing import TypeVar

from django.db import models

from audit.history import bulk_create_with_history
from pre_cases.models import (
    Action,
    Adult,
    Agreement,
    AgreementHolder,
    Assignment,
    Bilan,
    Child,
    ChildAdult,
    ChildTag,
    Comment,
    Enrolment,
    Entry,
    Family,
    Objective,
    Parcours,
    ParcoursShare,
    Residence,
    Review,
    Saisine,
    SaisineSign,
    Schooling,
    Task,
)

M = TypeVar("M", bound=models.Model)

# what is named comes before what names it
IN_ORDER: list[type[models.Model]] = [
    Family, Child, Adult, ChildAdult, Residence, Schooling, Saisine, SaisineSign, Agreement, AgreementHolder,
    Parcours, Assignment, Objective, Action, Entry, Review, Bilan, Comment, Task, Enrolment, ParcoursShare,
]  # fmt: skip
ROWS_PER_INSERT = 500


class Batch:
    """Everything is written by the actor of ``acting_as()``; ``save()`` empties the batch."""

    def __init__(self) -> None:
        self.rows: dict[type[models.Model], list[models.Model]] = defaultdict(list)

    def add(self, row: M) -> M:
        self.rows[type(row)].append(row)
        return row

    def save(self) -> None:
        for model in IN_ORDER:
            if self.rows[model]:
                bulk_create_with_history(self.rows[model], model, batch_size=ROWS_PER_INSERT)
        ChildTag.objects.bulk_create(self.rows[ChildTag], batch_size=ROWS_PER_INSERT)  # type: ignore[arg-type]
        self.rows.clear()
