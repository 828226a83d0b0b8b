"""Days as the screens write them in French: « 1er déc. 2026 », « 1er décembre 2026 », never « 1 décembre »."""

from datetime import date, datetime

from django.utils import timezone

# fmt: off
MONTHS = ["janvier", "février", "mars", "avril", "mai", "juin",
          "juillet", "août", "septembre", "octobre", "novembre", "décembre"]
SHORT_MONTHS = ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."]
# fmt: on
NO_BREAK = "\u00a0"


def day(value: date | None) -> str:
    """For a table or a timeline: « 1er déc. 2026 »; an instant gives its day in Paris, None gives nothing."""
    return _written(value, SHORT_MONTHS)


def long_day(value: date | None) -> str:
    """For a sentence: « 1er décembre 2026 »."""
    return _written(value, MONTHS)


def instant(value: datetime | None) -> str:
    """For a sentence: « 1er décembre 2026 à 9 h 05 », in Paris."""
    if not value:
        return ""
    local = timezone.localtime(value)
    return f"{long_day(local)} à {local.hour}{NO_BREAK}h{NO_BREAK}{local:%M}"


def _written(value: date | None, months: list[str]) -> str:
    if not value:
        return ""
    if isinstance(value, datetime) and timezone.is_aware(value):
        value = timezone.localtime(value)
    number = "1er" if value.day == 1 else str(value.day)
    return f"{number}{NO_BREAK}{months[value.month - 1]} {value.year}"
