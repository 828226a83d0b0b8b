"""Cells and tables: what is counted, where, and whether it may be shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
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
    def place(self) -> tuple[str, str, str]:
        """Where the figure stands: geography and categories, whatever the measure."""
        return self.geography, self.category, self.category_2

    @property
    def key(self) -> Key:
        return self.geography, self.category, self.category_2, self.measure

    @property
    def is_total(self) -> bool:
        return self.category == TOTAL and self.category_2 in ("", TOTAL)


@dataclass(frozen=True, slots=True)
class Table:
    """Cells that a reader sees together. ``top`` is the geography whose total survives suppression."""

    code: str
    top: str
    subject: Subject
    threshold: int
    cells: tuple[Cell, ...]
    index: dict[Key, Cell] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {cell.key: cell for cell in self.cells})
        if len(self.index) != len(self.cells):
            raise ValueError(f"Table {self.code}: two cells have the same place and measure.")
        if self.threshold < 2:
            raise ValueError(f"Table {self.code}: a threshold below 2 protects nobody.")

    def counts(self) -> Iterator[Cell]:
        return (cell for cell in self.cells if not cell.base)

    def is_small(self, value: int | Decimal) -> bool:
        return 0 < value < self.threshold

    def is_kept_total(self, cell: Cell) -> bool:
        """True for the total of the top geography: the only cell that a suppressed table may still show."""
        return cell.geography == self.top and cell.is_total


@dataclass(frozen=True, slots=True)
class Reference:
    """One count of each geography: a category of a table (its total unless told otherwise) for one measure."""

    table: str
    measure: str
    category: str = TOTAL
    category_2: str = ""

    @property
    def is_total(self) -> bool:
        return self.category == TOTAL and self.category_2 in ("", TOTAL)

    def key(self, geography: str) -> Key:
        return geography, self.category, self.category_2, self.measure


@dataclass(frozen=True, slots=True)
class Relation:
    """A count that a reader obtains by adding and subtracting published ones: ``sum(sign * count)``.

    When it is small somewhere, the table of ``yielding``, one of its terms, is suppressed.
    """

    terms: tuple[tuple[int, Reference], ...]
    yielding: Reference


def difference(kept: Reference, yielding: Reference) -> Relation:
    """The relation of two counts that a reader subtracts; the second one yields."""
    return Relation(((1, kept), (-1, yielding)), yielding)


@dataclass(frozen=True, slots=True)
class Judged:
    """A cell with its status; a suppressed one has lost its value."""

    cell: Cell
    status: Status

    @property
    def value(self) -> int | Decimal | None:
        return self.cell.value if self.status is Status.PUBLISHED else None


@dataclass(frozen=True, slots=True)
class ProtectedTable:
    table: Table
    judged: tuple[Judged, ...]

    @property
    def suppressed(self) -> int:
        """How many of its cells are suppressed."""
        return sum(judged.status is Status.SUPPRESSED for judged in self.judged)
