"""The opposition of one holder of authority to a running parcours, and how the coordination settles it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from audit.encryption.keys import load_keys_of
from audit.journal.consult import consult
from pre_cases.forms.objection import ObjectionForm, SettleForm
from pre_cases.models import Parcours
from pre_cases.services.agreement import holders_of
from pre_cases.services.objection import record_objection, settle_objection
from pre_cases.views.parcours import FORM, answer
from referents.requests import SignedInRequest
from referents.views.answer import attempt


@require_http_methods(FORM)
def objection_record(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """One of the holders objects: what is new stops at once, what was shared is closed meanwhile."""
    scope = Parcours.objects.editable_by(request.user).with_card().select_related("agreement")
    parcours = consult(request, scope, pk=pk)
    links = holders_of(parcours.agreement)
    load_keys_of(*(link.adult for link in links))
    form = ObjectionForm(request.POST or None, links=links)
    if form.is_valid() and attempt(
        form, lambda: record_objection(parcours=parcours, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "L’opposition est enregistrée : plus rien de nouveau ne commence.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    return answer(request, "pre_cases/objection_record.html", parcours, form)


@require_http_methods(FORM)
def objection_settle(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The coordination says how the holders agreed; otherwise it closes the parcours."""
    scope = Parcours.objects.decidable_by(request.user).open().with_card().select_related("agreement")
    parcours = consult(request, scope, pk=pk)
    form = SettleForm(request.POST or None)
    if form.is_valid() and attempt(
        form, lambda: settle_objection(parcours=parcours, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "L’opposition est tranchée : le parcours continue.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    objecting = list(parcours.agreement.holders.objecting().select_related("adult"))
    load_keys_of(*(holder.adult for holder in objecting))
    return answer(request, "pre_cases/objection_settle.html", parcours, form, objecting=objecting)
