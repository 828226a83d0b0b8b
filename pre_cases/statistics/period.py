"""The interval of the figures: both its bounds are included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from django.db.models import F, Q


class PeriodKind(Enum):
    CIVIL = "civile"
    SCHOOL = "scolaire"
    OTHER = "autre"


@dataclass(frozen=True, order=True)
class Period:
    """Days from ``starts_on`` to ``ends_on``, both included; raises ValueError when they are in the wrong order."""

    starts_on: date
    ends_on: date

    def __post_init__(self) -> None:
        if self.ends_on < self.starts_on:
            raise ValueError("The period ends before it starts.")

    @classmethod
    def civil_year(cls, year: int) -> Period:
        return cls(date(year, 1, 1), date(year, 12, 31))

    @classmethod
    def school_year(cls, year: int) -> Period:
        """The school year that begins on 1 September of a year."""
        return cls(date(year, 9, 1), date(year + 1, 8, 31))

    @classmethod
    def from_code(cls, code: str) -> Period:
        """The period of ``civile-2014`` or ``scolaire-2014``; raises ValueError on anything else."""
        kind, _, year = code.partition("-")
        if len(year) != 4 or not year.isascii() or not year.isdigit() or not 1990 <= int(year) <= 2200:
            raise ValueError("Not a year.")
        if kind == PeriodKind.CIVIL.value:
            return cls.civil_year(int(year))
        if kind == PeriodKind.SCHOOL.value:
            return cls.school_year(int(year))
        raise ValueError("Not a kind of year.")

    @property
    def kind(self) -> PeriodKind:
        if self == self.civil_year(self.starts_on.year):
            return PeriodKind.CIVIL
        if self == self.school_year(self.starts_on.year):
            return PeriodKind.SCHOOL
        return PeriodKind.OTHER

    @property
    def is_whole_year(self) -> bool:
        """Only whole years may be published: two free intervals subtract."""
        return self.kind is not PeriodKind.OTHER

    @property
    def code(self) -> str:
        """``civile-2014``, ``scolaire-2014`` or ``2014-01-01_2014-03-31``."""
        if self.is_whole_year:
            return f"{self.kind.value}-{self.starts_on.year}"
        return f"{self.starts_on:%Y-%m-%d}_{self.ends_on:%Y-%m-%d}"

    @property
    def label(self) -> str:
        if self.kind is PeriodKind.CIVIL:
            return f"année civile {self.starts_on.year}"
        if self.kind is PeriodKind.SCHOOL:
            return f"année scolaire {self.starts_on.year}-{self.ends_on.year}"
        return f"du {self.starts_on:%d/%m/%Y} au {self.ends_on:%d/%m/%Y}"

    @property
    def after(self) -> date:
        """The first day after the period, for half-open intervals."""
        return self.ends_on + timedelta(days=1) if self.ends_on < date.max else date.max

    def holds(self, day: date | None) -> bool:
        return day is not None and self.starts_on <= day <= self.ends_on

    def followed(self, prefix: str = "") -> Q:
        """Parcours followed at least one day of the period: entered by its end, not closed before its start."""
        return Q(**{f"{prefix}entered_on__lte": self.ends_on}) & (
            Q(**{f"{prefix}closed_on__isnull": True}) | Q(**{f"{prefix}closed_on__gte": self.starts_on})
        )

    def overlapped(self, prefix: str = "") -> Q:
        """Half-open facts ``[starts_on, ends_on)`` true of at least one day of the period."""
        return Q(**{f"{prefix}starts_on__lte": self.ends_on}) & (
            Q(**{f"{prefix}ends_on__isnull": True})
            | Q(**{f"{prefix}ends_on__gt": self.starts_on}) & Q(**{f"{prefix}ends_on__gt": F(f"{prefix}starts_on")})
        )
