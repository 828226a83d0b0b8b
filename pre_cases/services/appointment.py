"""Meetings: planned, then held, missed, moved or cancelled."""

from __future__ import annotations

from datetime import date, datetime, time

from django.utils import timezone

from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.models import Appointment, AppointmentMeans, AppointmentState, EntryWith, Parcours
from pre_cases.services.preconditions import locked
from referents.models import User

COMES_TO_PASS = (AppointmentState.HELD, AppointmentState.ABSENT)


class AppointmentRefused(Refused):
    """The meeting cannot be planned like this, or has been settled already."""


@service
def plan_appointment(
    *,
    parcours: Parcours,
    user: User,
    on: date,
    starts_at: time,
    means: AppointmentMeans | str,
    with_whom: EntryWith | str,
    by: User,
    place: str = "",
) -> Appointment:
    """Put a meeting in a professional's week; one that is past is noted as an exchange instead."""
    current = locked(parcours)
    _require_to_come(on, starts_at)
    appointment = Appointment.objects.create(
        parcours=current,
        user=user,
        on=on,
        starts_at=starts_at,
        means=means,
        place=place.strip() or None,
        with_whom=with_whom,
        data_key_id=current.data_key_id,
    )
    record_change(appointment, "create")
    return appointment


@service
def settle_appointment(*, appointment: Appointment, state: AppointmentState, by: User) -> Appointment:
    """Say what became of a planned meeting: held, nobody came, or cancelled."""
    if state not in (*COMES_TO_PASS, AppointmentState.CANCELLED):
        raise ValueError(state)
    current = _locked(appointment)
    if state in COMES_TO_PASS and current.on > timezone.localdate():
        raise AppointmentRefused("Ce rendez-vous n’a pas encore eu lieu.")
    return _end(current, state)


@service
def move_appointment(*, appointment: Appointment, on: date, starts_at: time, by: User) -> Appointment:
    """Plan it again at another time: the former row says that it was moved. The child's key is loaded."""
    current = _locked(appointment)
    if (on, starts_at) == (current.on, current.starts_at):
        raise AppointmentRefused("C’est déjà le jour et l’heure de ce rendez-vous.", field="on")
    moved = plan_appointment(
        parcours=current.parcours,
        user=current.user,
        on=on,
        starts_at=starts_at,
        means=current.means,
        place=current.place or "",
        with_whom=current.with_whom,
        by=by,
    )
    _end(current, AppointmentState.MOVED)
    return moved


def _locked(appointment: Appointment) -> Appointment:
    """The planned meeting as it stands once nobody else can change it."""
    locked(appointment.parcours)
    current = Appointment.objects.select_for_update(of=("self",)).select_related("parcours", "user")
    found = current.get(pk=appointment.pk)
    if found.state != AppointmentState.PLANNED:
        raise AppointmentRefused(f"Ce rendez-vous est déjà noté : {found.get_state_display()}.")
    return found


def _end(appointment: Appointment, state: AppointmentState) -> Appointment:
    appointment.state = state
    appointment.save()
    record_change(appointment, "change")
    return appointment


def _require_to_come(on: date, starts_at: time) -> None:
    if on < timezone.localdate():
        raise AppointmentRefused("Cette date est passée : notez plutôt un échange.", field="on")
    if timezone.make_aware(datetime.combine(on, starts_at)) <= timezone.now():
        raise AppointmentRefused("Cette heure est passée : notez plutôt un échange.", field="starts_at")
