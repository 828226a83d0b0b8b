"""Meetings of a professional: the list, planning one, saying what became of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.journal.consult import consult, consult_page
from audit.services import Refused
from pre_cases.forms.day import AppointmentForm, MomentForm
from pre_cases.models import Appointment, AppointmentMeans, AppointmentState, EntryKind, EntryWith, Parcours
from pre_cases.services.appointment import move_appointment, plan_appointment, settle_appointment
from pre_cases.views.parcours import FORM, answer
from referents.requests import SignedInRequest
from referents.views.answer import attempt

# the exchange that a meeting held becomes
KINDS = {
    AppointmentMeans.OFFICE: EntryKind.MEETING,
    AppointmentMeans.HOME: EntryKind.HOME_VISIT,
    AppointmentMeans.SCHOOL: EntryKind.SCHOOL,
    AppointmentMeans.PARTNER: EntryKind.PARTNER,
    AppointmentMeans.PHONE: EntryKind.PHONE,
    AppointmentMeans.VIDEO: EntryKind.MEETING,
}
SETTLED = {
    "held": AppointmentState.HELD,
    "absent": AppointmentState.ABSENT,
    "cancelled": AppointmentState.CANCELLED,
}


@require_safe
def my_appointments(request: SignedInRequest) -> HttpResponse:
    """The person's planned meetings, the first ones first; those that are past wait to be settled."""
    mine = Appointment.objects.of(request.user).planned().select_related("parcours__child", "user")
    page = consult_page(request, mine, order=("on", "starts_at", "id"))
    return render(request, "pre_cases/my_appointments.html", {"page": page, "today": timezone.localdate()})


@require_http_methods(FORM)
def appointment_create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    parcours = consult(request, Parcours.objects.editable_by(request.user).with_card(), pk=pk)
    form = AppointmentForm(request.POST or None)
    if form.is_valid() and attempt(
        form, lambda: plan_appointment(parcours=parcours, user=request.user, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le rendez-vous est enregistré.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    return answer(request, "pre_cases/appointment_create.html", parcours, form)


@require_http_methods(FORM)
def appointment_move(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """To another day or hour."""
    scope = Appointment.objects.reached_by(request.user).planned().select_related("parcours")
    appointment = consult(request, scope, pk=pk)
    form = MomentForm(request.POST or None, initial={"on": appointment.on, "starts_at": appointment.starts_at})
    if form.is_valid() and attempt(
        form, lambda: move_appointment(appointment=appointment, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le rendez-vous est déplacé.")
        return redirect("pre_cases:my_appointments")
    parcours = Parcours.objects.with_card().get(pk=appointment.parcours_id)
    return answer(request, "pre_cases/appointment_move.html", parcours, form, appointment=appointment)


@require_POST
def appointment_settle(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Held, and the exchange is there to be written; nobody came, and that is an attempt; or cancelled."""
    scope = Appointment.objects.reached_by(request.user).select_related("parcours")
    appointment = consult(request, scope, pk=pk)
    state = SETTLED.get(request.POST.get("state", ""))
    if state is None:
        messages.info(request, "Dites ce qu’est devenu ce rendez-vous.")
        return redirect("pre_cases:my_appointments")
    try:
        settle_appointment(appointment=appointment, state=state, by=request.user)
    except Refused as refusal:
        messages.info(request, str(refusal))
        return redirect("pre_cases:my_appointments")
    if state == AppointmentState.CANCELLED:
        messages.success(request, "Le rendez-vous est annulé.")
        return redirect("pre_cases:my_appointments")
    held = state == AppointmentState.HELD
    messages.success(request, "Rendez-vous tenu : notez l’échange." if held else "Personne n’est venu : notez-le.")
    return redirect(
        f"{reverse('pre_cases:entry_create', args=[appointment.parcours_id])}?{_written(appointment, state)}"
    )


def _written(appointment: Appointment, state: AppointmentState) -> str:
    kind = KINDS[AppointmentMeans(appointment.means)] if state == AppointmentState.HELD else EntryKind.ATTEMPT
    return urlencode({"nature": kind.value, "le": appointment.on.isoformat(), "avec": appointment.with_whom})


def entry_to_write(request: SignedInRequest) -> dict[str, Any]:
    """What the address says of the exchange to write; what it says wrongly is left out."""
    kind, on, with_whom = (request.GET.get(name, "") for name in ("nature", "le", "avec"))
    found: dict[str, Any] = {}
    if kind in EntryKind.values:
        found["kind"] = kind
    if with_whom in EntryWith.values:
        found["with_whom"] = with_whom
    if len(on) == 10:
        found["on"] = on
    return found
