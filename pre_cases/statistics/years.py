"""The years whose figures may be asked for: whole, over, and with at least one followed child."""

from __future__ import annotations

from datetime import date

from django.db.models.functions import TruncMonth
from django.utils import timezone

from partners.models import school_year_of
from pre_cases.models import Parcours
from pre_cases.statistics.period import Period
from pre_cases.statistics.remaining import frozen_years


def finished_years() -> list[Period]:
    """Civil and school years that are over and have data, the latest first; two queries."""
    today = timezone.localdate()
    stays = (
        Parcours.objects.filter(entered_on__isnull=False)
        .order_by()
        .values_list(TruncMonth("entered_on"), TruncMonth("closed_on"))
        .distinct()
    )
    civil: set[int] = set()
    school: set[int] = set()
    for first, last in stays:
        end: date = last or today
        civil.update(range(first.year, end.year + 1))
        school.update(range(school_year_of(first), school_year_of(end) + 1))
    years = {*map(Period.civil_year, civil), *map(Period.school_year, school), *frozen_years()}
    return sorted((year for year in years if year.ends_on < today), key=lambda year: year.ends_on, reverse=True)


def running_school_year() -> Period:
    """From the last 1 September to today."""
    today = timezone.localdate()
    return Period(date(school_year_of(today), 9, 1), today)
