"""Objectives and actions of a parcours."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from audit.journal.consult import consult
from pre_cases.forms.support import ActionEndForm, ActionForm, ObjectiveForm, ResultForm
from pre_cases.models import Action, Objective, Parcours
from pre_cases.services.support import add_action, add_objective, change_action, end_action, record_result
from pre_cases.views.parcours import FORM, answer
from referents.requests import SignedInRequest
from referents.views.answer import attempt


@require_http_methods(FORM)
def objective_create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    parcours = consult(request, Parcours.objects.editable_by(request.user).with_card(), pk=pk)
    form = ObjectiveForm(request.POST or None)
    if form.is_valid() and attempt(
        form, lambda: add_objective(parcours=parcours, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "L’objectif est enregistré.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    return answer(request, "pre_cases/objective_create.html", parcours, form)


@require_http_methods(FORM)
def objective_result(request: SignedInRequest, pk: UUID) -> HttpResponse:
    objective = consult(request, Objective.objects.editable_by(request.user).select_related("parcours"), pk=pk)
    form = ResultForm(request.POST or None, initial={"result": objective.result})
    if form.is_valid() and attempt(
        form, lambda: record_result(objective=objective, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le résultat est enregistré.")
        return redirect("pre_cases:parcours_detail", pk=objective.parcours_id)
    parcours = Parcours.objects.with_card().get(pk=objective.parcours_id)
    return answer(request, "pre_cases/objective_result.html", parcours, form, objective=objective)


@require_http_methods(FORM)
def action_create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    objective = consult(request, Objective.objects.editable_by(request.user).select_related("parcours"), pk=pk)
    form = ActionForm(request.POST or None, initial={"domain": objective.domain_id})
    if form.is_valid() and attempt(form, lambda: add_action(objective=objective, by=request.user, **form.cleaned_data)):
        messages.success(request, "L’action est enregistrée.")
        return redirect("pre_cases:parcours_detail", pk=objective.parcours_id)
    parcours = Parcours.objects.with_card().get(pk=objective.parcours_id)
    return answer(request, "pre_cases/action_create.html", parcours, form, objective=objective)


@require_http_methods(FORM)
def action_change(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Say an action better, or that a planned one has begun."""
    action = consult(request, Action.objects.editable_by(request.user).select_related("objective__parcours"), pk=pk)
    typed_before = ("label", "mode", "nature", "time_slot", "starts_on")
    initial = {name: getattr(action, name) for name in typed_before}
    initial |= {"domain": action.domain_id, "partner": action.partner_id}
    form = ActionForm(request.POST or None, initial=initial)
    if form.is_valid() and attempt(form, lambda: change_action(action=action, by=request.user, **form.cleaned_data)):
        messages.success(request, "L’action est enregistrée.")
        return redirect("pre_cases:parcours_detail", pk=action.objective.parcours_id)
    parcours = Parcours.objects.with_card().get(pk=action.objective.parcours_id)
    return answer(request, "pre_cases/action_change.html", parcours, form, action=action)


@require_http_methods(FORM)
def action_end(request: SignedInRequest, pk: UUID) -> HttpResponse:
    action = consult(request, Action.objects.editable_by(request.user).select_related("objective__parcours"), pk=pk)
    form = ActionEndForm(request.POST or None)
    if form.is_valid() and attempt(form, lambda: end_action(action=action, by=request.user, **form.cleaned_data)):
        messages.success(request, "L’action est terminée.")
        return redirect("pre_cases:parcours_detail", pk=action.objective.parcours_id)
    parcours = Parcours.objects.with_card().get(pk=action.objective.parcours_id)
    return answer(request, "pre_cases/action_end.html", parcours, form, action=action)
