"""When a family's request must be answered: article 12(3) of the GDPR."""

from __future__ import annotations

from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

ANSWER_MONTHS = 1
EXTENSION_MONTHS = 2  # more, for a complex request, if the family is told within the first month


def due_after(received_on: date, months: int = ANSWER_MONTHS) -> date:
    """The last day to answer: the same day of a later month, or its last day when it has no such day.

    Article 3(2)(c) of Regulation (EEC, Euratom) 1182/71. Saturdays, Sundays and public holidays, which would put the
    day off, are left out: the day shown is never too late.
    """
    return received_on + relativedelta(months=months)


def latest_receipt_late_on(day: date, months: int = ANSWER_MONTHS) -> date:
    """The last day of receipt whose deadline has passed on a day: what a query compares with."""
    received_on = day - relativedelta(months=months)
    while due_after(received_on, months) >= day:
        received_on -= timedelta(days=1)
    while due_after(received_on + timedelta(days=1), months) < day:
        received_on += timedelta(days=1)
    return received_on
