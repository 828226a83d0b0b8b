"""The évaluation de la situation: the interviews and the needs of a parcours, on one page."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from audit.journal.consult import consult
from pre_cases.forms.evaluation import NeedForm
from pre_cases.models import EntryKind, Need, Parcours
from pre_cases.services.evaluation import change_need, note_need
from pre_cases.views.parcours import FORM, answer
from referents.requests import SignedInRequest
from referents.views.answer import attempt


@require_http_methods(FORM)
def evaluation(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """What was heard and what is needed; one more need is noted at the foot of the page."""
    parcours = consult(request, Parcours.objects.editable_by(request.user).with_card(), pk=pk)
    form = NeedForm(request.POST or None)
    if form.is_valid() and attempt(form, lambda: note_need(parcours=parcours, by=request.user, **form.cleaned_data)):
        messages.success(request, "Le besoin est noté.")
        return redirect("pre_cases:evaluation", pk=pk)
    needs = parcours.needs.select_related("domain", "priority").order_by("domain__position", "noted_on", "id")
    interviews = parcours.entries.filter(kind=EntryKind.EVALUATION).select_related("author").order_by("-on", "-id")
    return answer(request, "pre_cases/evaluation.html", parcours, form, needs=needs, interviews=interviews)


@require_http_methods(FORM)
def need_change(request: SignedInRequest, pk: UUID) -> HttpResponse:
    need = consult(request, Need.objects.editable_by(request.user).select_related("parcours"), pk=pk)
    initial = {
        "text": need.text,
        "domain": need.domain_id,
        "priority": need.priority_id,
        "noted_on": need.noted_on,
    }
    form = NeedForm(request.POST or None, initial=initial)
    if form.is_valid() and attempt(form, lambda: change_need(need=need, by=request.user, **form.cleaned_data)):
        messages.success(request, "Le besoin est enregistré.")
        return redirect("pre_cases:evaluation", pk=need.parcours_id)
    parcours = Parcours.objects.with_card().get(pk=need.parcours_id)
    return answer(request, "pre_cases/need_change.html", parcours, form)
