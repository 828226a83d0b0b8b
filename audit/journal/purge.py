"""The only door out of the journal: a whole month leaves once the retention is over, and its leaving is an event."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import connections
from django.db.models import Sum
from django.utils import timezone

from audit.journal.models import Action, Event
from audit.journal.record import record_event
from audit.journal.seals import PurgedMonth, Seal
from audit.journal.triggers import ALIAS, install_triggers, remove_triggers
from audit.services import Refused, service

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

RETENTION_MONTHS = 12
LONGEST_RETENTION_MONTHS = 36  # beyond, a documented control is no longer enough


class MonthStillKept(Refused):
    """The retention of this month is not over."""


class MonthNotSealed(Refused):
    """Events of this month are not sealed yet."""


class EarlierMonthRemains(Refused):
    """Months leave in their order, so that what remains is whole."""


def retention_months() -> int:
    """Months for which events are kept after their own, from 12 to 36 (``JOURNAL_RETENTION_MONTHS``)."""
    asked = int(getattr(settings, "JOURNAL_RETENTION_MONTHS", RETENTION_MONTHS))
    return min(max(asked, RETENTION_MONTHS), LONGEST_RETENTION_MONTHS)


def due_months() -> list[date]:
    """The first days of the months whose retention is over and whose events are still there, the oldest first."""
    now, kept_for = timezone.now(), retention_months()
    days = [instant.date() for instant in Event.objects.datetimes("at", "month")]  # of Paris
    return [day for day in days if not is_kept(day, at=now, months=kept_for)]


@service
def purge_month(*, year: int, month: int, by: AbstractBaseUser) -> int:
    """Delete the events of a month of Paris whose retention is over, and give their number.

    Only sealed events leave, and their roots stay: the month is signed, so that ``verify_journal`` believes it.
    Triggers off, deletion, purge event, triggers on: one transaction. On PostgreSQL it runs under the role that owns
    the table, which the web application's role is not. Raises SigningKeyUnavailable.
    """
    start, end = _bounds(year, month)
    first_day = date(year, month, 1)
    if is_kept(first_day, at=timezone.now(), months=retention_months()):
        raise MonthStillKept(f"Les événements sont conservés {retention_months()} mois : ce mois ne peut pas partir.")
    if Event.objects.filter(at__lt=start).exists():
        raise EarlierMonthRemains("Un mois plus ancien est encore au journal : commencez par lui.")
    leaving = Event.objects.filter(at__gte=start, at__lt=end)
    seals = Seal.objects.filter(month=first_day)
    if leaving.count() != (seals.aggregate(events=Sum("count"))["events"] or 0):
        raise MonthNotSealed("Ce mois n’est pas scellé en entier : lancez « verify_journal », ou réessayez bientôt.")
    connection = connections[ALIAS]
    remove_triggers(connection)
    deleted, _ = leaving.delete()
    seals.update(index=b"")
    departed = PurgedMonth(month=first_day, count=deleted)
    departed.sign()
    departed.save(force_insert=True)
    record_event(
        Action.PURGE,
        kind=Event._meta.label_lower,
        actor=by,
        detail={"year": year, "month": month, "count": deleted},
    )
    install_triggers(connection)
    return deleted


def is_kept(first_day: date, *, at: datetime, months: int = RETENTION_MONTHS) -> bool:
    """Whether the retention of a month was still running at that instant."""
    _, end = _bounds(first_day.year, first_day.month)
    return end + relativedelta(months=months) > at


def _bounds(year: int, month: int) -> tuple[datetime, datetime]:
    first = date(year, month, 1)
    following = first + relativedelta(months=1)
    zone = timezone.get_default_timezone()
    return (
        datetime(first.year, first.month, 1, tzinfo=zone),
        datetime(following.year, following.month, 1, tzinfo=zone),
    )
