"""Cells and tables: what is counted, where, and whether it may be shown."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

TOTAL = "*"

Key = tuple[str, str, str, str]


class Status(Enum):
    PUBLISHED = "published"
    SUPPRESSED = "suppressed"


class Subject(Enum):
    """What a table counts, or counts facts about: only persons are protected."""

    PERSONS = "persons"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure. ``category`` is ``*`` for the total of ``variable``; the second pair is empty in a one-way table.

    ``base`` names the measure of the count from which a derived figure was computed at the same place; it is empty
    for a count, and for an amount.
    """

    table: str
    geography: str
    variable: str
    category: str
    variable_2: str
    category_2: str
    measure: str
    value: int | Decimal
    base: str = ""

    @property
    def key(self) -> Key:
        return self.geography, self.category, self.category_2, self.measure

    @property
    def is_total(self) -> bool:
        return self.category == TOTAL and self.category_2 in ("", TOTAL)


@dataclass(frozen=True, slots=True)
class Judged:
    """A cell with its status; a suppressed one has lost its value."""

    cell: Cell
    status: Status

    @property
    def value(self) -> int | Decimal | None:
        return self.cell.value if self.status is Status.PUBLISHED else None
