"""The class that goes with an age: one that is far from it is perhaps a slip, and asks to be confirmed."""

from __future__ import annotations

from datetime import date

from partners.models import Term
from partners.models.project import school_year_of

# age reached in the civil year in which the school year begins
USUAL_AGES = {
    "tps": 2, "ps": 3, "ms": 4, "gs": 5, "cp": 6, "ce1": 7, "ce2": 8, "cm1": 9, "cm2": 10, "6e": 11, "5e": 12,
    "4e": 13, "3e": 14, "2de": 15, "1re": 16, "terminale": 17,
}  # fmt: skip
FAR = 2  # years: a class repeated or skipped is none of our business, more than two are worth a second look


def is_unusual_level(level: Term, birth_date: date | None, on: date) -> bool:
    """Whether nobody of that age sits in that class; False for a class without a usual age, or an unknown birth."""
    usual = USUAL_AGES.get(level.code)
    if usual is None or birth_date is None:
        return False
    return abs(school_year_of(on) - birth_date.year - usual) > FAR
