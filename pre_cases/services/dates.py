"""The two stored dates of a parcours, and the only code that writes them.

``due_on`` is the next day something is expected; ``last_contact_on`` the last exchange that reached somebody.
Both are derived from facts, and ``manage.py check_dates`` recomputes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db.models import Max, Min

from audit.journal.record import record_change
from audit.services import service
from pre_cases.models import NOTHING_DUE, Parcours
from referents.models import User


def due_date(
    *,
    opened_on: date,
    entered_on: date | None,
    closed_on: date | None,
    last_review_on: date | None,
    next_task_on: date | None,
    agreed_until_on: date | None,
    objected_on: date | None = None,
) -> date:
    """The earliest of: a task, the entry to decide, the next point d'étape, the agreement to renew, an objection."""
    if closed_on is not None:
        return NOTHING_DUE
    if entered_on is None:
        step = opened_on + timedelta(days=settings.EVALUATION_DAYS)
    else:
        since = max(entered_on, last_review_on or entered_on)
        step = since + relativedelta(months=settings.REVIEW_EVERY_MONTHS)
    settle = None if objected_on is None else objected_on + timedelta(days=settings.OBJECTION_DAYS)
    return min(day for day in (step, next_task_on, agreed_until_on, settle) if day is not None)


def last_contact(*days: date | None) -> date | None:
    return max((day for day in days if day is not None), default=None)


def derived_dates(parcours: Parcours) -> tuple[date, date | None]:
    """``(due_on, last_contact_on)`` recomputed from the facts, in five queries."""
    reviews = parcours.reviews.aggregate(last=Max("on"))
    held = parcours.reviews.exclude(family_present=False, child_present=False).aggregate(last=Max("on"))
    entries = parcours.entries.contacts().aggregate(last=Max("on"))
    tasks = parcours.tasks.open().aggregate(next=Min("due_on"))
    opposed = parcours.agreement.holders.objecting().aggregate(first=Min("objected_on"))
    due_on = due_date(
        opened_on=parcours.opened_on,
        entered_on=parcours.entered_on,
        closed_on=parcours.closed_on,
        last_review_on=reviews["last"],
        next_task_on=tasks["next"],
        agreed_until_on=parcours.agreement.agreed_until_on,
        objected_on=opposed["first"],
    )
    return due_on, last_contact(entries["last"], held["last"])


def refresh_dates(parcours: Parcours) -> None:
    """Write the two dates again after a change; they are derived, and so stand outside the history."""
    due_on, last_contact_on = derived_dates(parcours)
    Parcours.objects.filter(pk=parcours.pk).update(due_on=due_on, last_contact_on=last_contact_on)
    parcours.due_on, parcours.last_contact_on = due_on, last_contact_on


def wrong_dates(parcours_list: Iterable[Parcours]) -> Iterator[Parcours]:
    """Those whose stored dates are not what the facts give."""
    return (parcours for parcours in parcours_list if _stored(parcours) != derived_dates(parcours))


def _stored(parcours: Parcours) -> tuple[date, date | None]:
    return parcours.due_on, parcours.last_contact_on


@service
def correct_dates(*, parcours: Parcours, by: User) -> Parcours:
    """Write the dates of a parcours again, when something outside the services had made them wrong."""
    current = Parcours.objects.select_for_update(of=("self",)).select_related("agreement").get(pk=parcours.pk)
    refresh_dates(current)
    record_change(current, "correct_dates")
    return current
