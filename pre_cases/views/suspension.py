"""A parcours that stops for a time, and goes on."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from audit.journal.consult import consult
from pre_cases.forms.suspension import ResumeForm, SuspendForm
from pre_cases.models import Parcours, Suspension
from pre_cases.services.suspension import resume_parcours, suspend_parcours
from pre_cases.views.parcours import FORM, answer
from referents.requests import SignedInRequest
from referents.views.answer import attempt


@require_http_methods(FORM)
def suspension_create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    parcours = consult(request, Parcours.objects.editable_by(request.user).with_card(), pk=pk)
    form = SuspendForm(request.POST or None)
    if form.is_valid() and attempt(
        form, lambda: suspend_parcours(parcours=parcours, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "La suspension est enregistrée.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    return answer(request, "pre_cases/suspension_create.html", parcours, form)


@require_http_methods(FORM)
def suspension_end(request: SignedInRequest, pk: UUID) -> HttpResponse:
    suspension = consult(request, Suspension.objects.editable_by(request.user).select_related("parcours"), pk=pk)
    form = ResumeForm(request.POST or None)
    if form.is_valid() and attempt(
        form, lambda: resume_parcours(suspension=suspension, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "La reprise du parcours est enregistrée.")
        return redirect("pre_cases:parcours_detail", pk=suspension.parcours_id)
    parcours = Parcours.objects.with_card().get(pk=suspension.parcours_id)
    return answer(request, "pre_cases/suspension_end.html", parcours, form, suspension=suspension)
