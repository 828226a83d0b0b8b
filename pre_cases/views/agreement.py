"""The family's agreement, step by step, the opening that it allows, and its withdrawal."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from audit.encryption.keys import load_keys_of
from audit.journal.consult import consult
from pre_cases.forms.agreement import OpenForm, OralForm, PresentForm, RefuseForm, SignForm, WithdrawForm
from pre_cases.models import Agreement, ChildAdult, Parcours, Saisine
from pre_cases.services.agreement import (
    HolderAnswer,
    holders_of,
    present_agreement,
    record_oral_agreement,
    refuse_agreement,
    sign_agreement,
    withdraw_agreement,
)
from pre_cases.services.parcours import open_parcours
from pre_cases.views import parcours as parcours_views
from pre_cases.views.parcours import FORM
from pre_cases.views.saisine import answer
from referents.models import Role, User
from referents.requests import SignedInRequest
from referents.views.answer import attempt

PRESENT_FIRST = "Présentez d’abord le formulaire d’accord à la famille."


def _instructed(request: SignedInRequest, pk: UUID) -> Saisine:
    return consult(request, Saisine.objects.instructed_by(request.user).select_related("child__family"), pk=pk)


def _pending(saisine: Saisine) -> Agreement | None:
    """The agreement presented and neither refused nor withdrawn."""
    pending = saisine.agreements.filter(refused_on__isnull=True, withdrawn_on__isnull=True)
    return pending.select_related("saisine").first()


def _present_first(request: SignedInRequest, saisine: Saisine) -> HttpResponse:
    messages.warning(request, PRESENT_FIRST)
    return redirect("pre_cases:saisine_detail", pk=saisine.pk)


def _holders(agreement: Agreement) -> list[ChildAdult]:
    links = holders_of(agreement)
    load_keys_of(*(link.adult for link in links))
    return links


@require_http_methods(FORM)
def agreement_present(request: SignedInRequest, pk: UUID) -> HttpResponse:
    saisine = _instructed(request, pk)
    latest = Agreement.objects.filter(saisine__team=saisine.team_id).order_by("-presented_on", "-id")
    initial = {"form_version": latest.values_list("form_version", flat=True).first() or ""}
    form = PresentForm(request.POST or None, initial=initial)
    if form.is_valid() and attempt(
        form, lambda: present_agreement(saisine=saisine, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "La présentation du formulaire est enregistrée.")
        return redirect("pre_cases:saisine_detail", pk=pk)
    return answer(request, "pre_cases/agreement_present.html", saisine, form)


@require_http_methods(FORM)
def agreement_oral(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """An oral agreement is written down; it opens nothing."""
    saisine = _instructed(request, pk)
    agreement = _pending(saisine)
    if agreement is None:
        return _present_first(request, saisine)
    links = _holders(agreement)
    form = OralForm(request.POST or None, links=links)
    if form.is_valid() and attempt(
        form, lambda: record_oral_agreement(agreement=agreement, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "L’accord oral est enregistré ; il reste à confirmer par écrit.")
        return redirect("pre_cases:saisine_detail", pk=pk)
    return answer(request, "pre_cases/agreement_oral.html", saisine, form, links=links)


@require_http_methods(FORM)
def agreement_sign(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """What each holder of authority answered; until the opening the answers may be recorded again."""
    saisine = _instructed(request, pk)
    agreement = _pending(saisine)
    if agreement is None:
        return _present_first(request, saisine)
    answered = list(agreement.holders.all())
    objected = any(holder.is_objecting for holder in answered)
    if objected and not request.user.has_perm("pre_cases.decide_saisine", saisine):
        messages.warning(request, "Un titulaire s’est opposé par écrit : c’est à la coordination de trancher.")
        return redirect("pre_cases:saisine_detail", pk=pk)
    links = _holders(agreement)
    form = SignForm(request.POST or None, links=links, answered=answered)
    if form.is_valid() and attempt(form, lambda: _sign(request, agreement, form)):
        messages.success(request, "Les réponses des titulaires sont enregistrées.")
        return redirect("pre_cases:saisine_detail", pk=pk)
    return answer(request, "pre_cases/agreement_sign.html", saisine, form, agreement=agreement, links=links)


def _sign(request: SignedInRequest, agreement: Agreement, form: SignForm) -> Agreement:
    holders = [HolderAnswer(**values) for values in form.answers()]
    return sign_agreement(agreement=agreement, on=form.signed_on(), holders=holders, by=request.user)


@require_http_methods(FORM)
def agreement_refuse(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The family says no, or takes back its signature before the opening."""
    saisine = _instructed(request, pk)
    agreement = _pending(saisine)
    if agreement is None:
        return _present_first(request, saisine)
    form = RefuseForm(request.POST or None)
    if form.is_valid() and attempt(
        form, lambda: refuse_agreement(agreement=agreement, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le refus de la famille est enregistré.")
        return redirect("pre_cases:saisine_detail", pk=pk)
    return answer(request, "pre_cases/agreement_refuse.html", saisine, form, agreement=agreement)


@require_http_methods(FORM)
def parcours_open(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Open the parcours on a signed agreement: it goes to who instructed the saisine, the coordination may choose."""
    saisine = _instructed(request, pk)
    people = User.objects.holding(Role.REFERENT, saisine.team_id)
    if not request.user.has_perm("pre_cases.decide_saisine", saisine):
        people = people.filter(pk=saisine.assignee_id or request.user.pk)
    form = OpenForm(request.POST or None, people=people, initial={"referent": saisine.assignee_id})
    opened = None
    if form.is_valid():
        opened = attempt(form, lambda: open_parcours(saisine=saisine, by=request.user, **form.cleaned_data))
    if opened:
        messages.success(request, "Le parcours est ouvert.")
        return _to_parcours(request, opened, otherwise="pre_cases:saisine_list")
    return answer(request, "pre_cases/parcours_open.html", saisine, form, agreement=_pending(saisine))


def _to_parcours(request: SignedInRequest, parcours: Parcours, *, otherwise: str) -> HttpResponse:
    """The page of the parcours, for who may still read it."""
    if request.user.has_perm("pre_cases.view_parcours", parcours):
        return redirect("pre_cases:parcours_detail", pk=parcours.pk)
    return redirect(otherwise)


@require_http_methods(FORM)
def agreement_withdraw(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The family withdraws its agreement: the parcours ends the same day."""
    parcours: Any = consult(request, Parcours.objects.editable_by(request.user).with_card(), pk=pk)
    form = WithdrawForm(request.POST or None)
    if form.is_valid() and attempt(
        form, lambda: withdraw_agreement(parcours=parcours, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le retrait est enregistré ; le parcours est clos.")
        return _to_parcours(request, parcours, otherwise="home")
    return parcours_views.answer(request, "pre_cases/agreement_withdraw.html", parcours, form)
