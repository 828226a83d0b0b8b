"""Stopping a parcours for a time, and going on."""

from __future__ import annotations

from datetime import date, timedelta

from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.models import Parcours, Suspension
from pre_cases.services.preconditions import locked, not_in_future
from referents.models import User


class SuspensionRefused(Refused):
    """The parcours cannot stop, or go on, on these days."""


@service
def suspend_parcours(
    *, parcours: Parcours, reason: str, starts_on: date, by: User, ends_on: date | None = None
) -> Suspension:
    """Suspend a parcours from a day on, until the day when it goes on if it is known; it stays counted meanwhile."""
    current = locked(parcours)
    if starts_on < current.opened_on:
        raise SuspensionRefused("Le parcours n’était pas ouvert ce jour-là.", field="starts_on")
    if ends_on is not None and ends_on <= starts_on:
        raise SuspensionRefused("La reprise vient après le début de la suspension.", field="ends_on")
    if not reason.strip():
        raise SuspensionRefused("Dites en une phrase pourquoi.", field="reason")
    if current.suspensions.overlapping(starts_on, ends_on).exists():
        raise SuspensionRefused("Une autre suspension couvre déjà ces jours.", field="starts_on")
    suspension = Suspension.objects.create(
        parcours=current, reason=reason, starts_on=starts_on, ends_on=ends_on, data_key_id=current.data_key_id
    )
    record_change(suspension, "create")
    return suspension


@service
def resume_parcours(*, suspension: Suspension, on: date, by: User) -> Suspension:
    """The parcours goes on from a day: that day is no longer suspended."""
    locked(suspension.parcours)
    not_in_future(on, SuspensionRefused, field="on")
    current = Suspension.objects.select_for_update(of=("self",)).get(pk=suspension.pk)
    if current.ends_on is not None and current.ends_on <= on:
        raise SuspensionRefused("Cette suspension est déjà finie ce jour-là.", field="on")
    if on < current.starts_on:
        raise SuspensionRefused("Le parcours n’était pas encore suspendu ce jour-là.", field="on")
    current.ends_on = on
    current.save()
    record_change(current, "change")
    return current


def end_suspensions(parcours: Parcours, last_day: date) -> None:
    """What every end of a parcours does: nothing is suspended after its last day, included."""
    after = last_day + timedelta(days=1)
    for suspension in parcours.suspensions.overlapping(after, None):
        suspension.ends_on = max(suspension.starts_on, after)
        suspension.save()
        record_change(suspension, "change")
