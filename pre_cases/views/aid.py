"""The fonds exceptionnel: the aids of a parcours, and a team's envelope."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from audit.encryption.keys import load_keys_of
from audit.journal.consult import consult, consult_page
from pre_cases.forms.aid import AidDecisionForm, AidForm, AidPaymentForm, EnvelopeForm
from pre_cases.models import AidEnvelope, DocumentKind, ExceptionalAid, Parcours
from pre_cases.services.aid import ask_aid, decide_aid, euros, pay_aid, set_envelope
from pre_cases.services.document import add_document
from pre_cases.views.board import coordinated_team
from pre_cases.views.parcours import FORM, answer
from referents.models import Team
from referents.requests import SignedInRequest
from referents.views.answer import attempt


@require_http_methods(FORM)
def aid_request(request: SignedInRequest, pk: UUID) -> HttpResponse:
    parcours = consult(request, Parcours.objects.editable_by(request.user).with_card(), pk=pk)
    form = AidForm(request.POST or None)
    if form.is_valid() and attempt(form, lambda: ask_aid(parcours=parcours, by=request.user, **form.cleaned_data)):
        messages.success(request, "La demande d’aide est enregistrée : la coordination décide.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    return answer(request, "pre_cases/aid_request.html", parcours, form)


@require_http_methods(FORM)
def aid_decide(request: SignedInRequest, pk: UUID) -> HttpResponse:
    scope = ExceptionalAid.objects.decidable_by(request.user).select_related("parcours", "asked_by")
    aid = consult(request, scope, pk=pk)
    form = AidDecisionForm(request.POST or None, initial={"granted": aid.requested})
    if form.is_valid() and attempt(form, lambda: decide_aid(aid=aid, by=request.user, **form.cleaned_data)):
        messages.success(request, "La décision est enregistrée.")
        return redirect("pre_cases:parcours_detail", pk=aid.parcours_id)
    parcours = Parcours.objects.with_card().get(pk=aid.parcours_id)
    fund = fund_of(parcours.team, timezone.localdate().year)
    return answer(request, "pre_cases/aid_decide.html", parcours, form, aid=aid, fund=fund)


@require_http_methods(FORM)
def aid_pay(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The day of the payment, and the receipt among the documents of the parcours."""
    aid = consult(request, ExceptionalAid.objects.editable_by(request.user).select_related("parcours"), pk=pk)
    form = AidPaymentForm(request.POST or None, request.FILES or None, initial={"on": aid.paid_on})
    if form.is_valid() and attempt(form, lambda: _pay(request, aid, form)):
        messages.success(request, "Le versement est enregistré.")
        return redirect("pre_cases:parcours_detail", pk=aid.parcours_id)
    parcours = Parcours.objects.with_card().get(pk=aid.parcours_id)
    return answer(request, "pre_cases/aid_pay.html", parcours, form, aid=aid)


def _pay(request: SignedInRequest, aid: ExceptionalAid, form: AidPaymentForm) -> ExceptionalAid:
    """The payment first: a receipt is not kept for an aid that cannot be paid."""
    on, file = form.cleaned_data["on"], form.cleaned_data["file"]
    paid = pay_aid(aid=aid, on=on, by=request.user)
    if file is None:
        return paid
    load_keys_of(aid.parcours)
    receipt = add_document(parcours=aid.parcours, kind=DocumentKind.RECEIPT, file=file, name=file.name, by=request.user)
    return pay_aid(aid=aid, on=on, receipt=receipt, by=request.user)


def fund_of(team: Team, year: int) -> dict[str, Any]:
    """What a team's envelope of a year holds, has granted and has left; ``amount`` is None until it is set."""
    envelope = AidEnvelope.objects.filter(team=team, year=year).first()
    granted = ExceptionalAid.objects.granted_in(team.pk, year).total()
    amount = envelope.amount if envelope else None
    left = None if amount is None else amount - granted
    return {
        "year": year,
        "amount": amount,
        "granted": granted,
        "left": left,
        "spent": euros(granted),
        "sentence": "" if amount is None or left is None else f"{euros(granted)} sur {euros(amount)}",
        "rest": "" if left is None else euros(left),
    }


@require_http_methods(FORM)
def team_fund(request: SignedInRequest, code: str) -> HttpResponse:
    """The envelope of the year, what was granted, and the aids that wait; the coordination sets the envelope."""
    team = coordinated_team(request, code)
    year = timezone.localdate().year
    fund = fund_of(team, year)
    form = EnvelopeForm(request.POST or None, initial={"amount": fund["amount"]})
    if form.is_valid() and attempt(
        form, lambda: set_envelope(team=team, year=year, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, f"L’enveloppe de {year} est enregistrée.")
        return redirect("pre_cases:team_fund", code=code)
    waiting = ExceptionalAid.objects.decidable_by(request.user).waiting().filter(parcours__team=team)
    page = consult_page(request, waiting.select_related("parcours__child", "asked_by"), order=("asked_on", "id"))
    context = {"team": team, "fund": fund, "form": form, "page": page}
    return render(request, "pre_cases/team_fund.html", context, status=422 if form.is_bound else 200)
