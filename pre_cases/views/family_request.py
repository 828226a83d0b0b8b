"""A family's request about its data: recorded by who follows, answered by the coordination before its deadline."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from audit.encryption.keys import load_keys_of
from audit.journal.consult import consult, consult_page
from pre_cases.corrections import changes_since
from pre_cases.forms.family_request import (
    AnswerForm,
    CorrectionForm,
    ExtendForm,
    IdentityForm,
    OppositionForm,
    RequestForm,
)
from pre_cases.models import (
    Child,
    ChildAdult,
    Enrolment,
    FamilyRequest,
    Parcours,
    ParcoursShare,
    RequestKind,
    SubjectFile,
)
from pre_cases.services.family_request import answer_request, check_identity, extend_request, record_request
from pre_cases.views.board import coordinated_team
from pre_cases.views.parcours import FORM
from referents.requests import SignedInRequest
from referents.views.answer import attempt


@require_http_methods(FORM)
def request_create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Write down what a family asks, or the young person."""
    child = consult(request, Child.objects.referable_by(request.user).select_related("family"), pk=pk)
    links = list(ChildAdult.objects.current().filter(child=child).select_related("adult").order_by("starts_on", "id"))
    load_keys_of(*links)
    form = RequestForm(request.POST or None, links=links)
    if form.is_valid():
        made = attempt(form, lambda: record_request(child=child, by=request.user, **form.values()))
        if made:
            messages.success(request, "La demande est enregistrée.")
            return redirect("pre_cases:request_detail", pk=made.pk)
    context = {"form": form, "child": child}
    return render(request, "pre_cases/request_create.html", context, status=422 if form.is_bound else 200)


@require_safe
def request_detail(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """What was asked, by when, and what was answered; the coordination acts from here."""
    scope = FamilyRequest.objects.visible_to(request.user).select_related(
        "child__family", "adult", "team", "recorded_by", "identity_by", "answered_by", "erasure"
    )
    files = SubjectFile.objects.defer("content", "archive").order_by("-prepared_at")
    asked = consult(request, scope.prefetch_related("effects", Prefetch("files", files)), pk=pk)
    may_decide = request.user.has_perm("pre_cases.change_familyrequest", asked)
    context = {
        "asked": asked,
        "may_decide": may_decide and not asked.outcome,
        "may_prepare": may_decide and not asked.outcome and asked.kind == RequestKind.ACCESS,
        "may_extend": timezone.localdate() <= asked.first_due_on and asked.extended_on is None,
        "files": list(asked.files.all()) if may_decide else [],
        "parcours": _parcours_of(request, asked),
    }
    return render(request, "pre_cases/request_detail.html", context)


def _parcours_of(request: SignedInRequest, asked: FamilyRequest) -> Parcours | None:
    """The child's last parcours, when the person may read it."""
    found = Parcours.objects.visible_to(request.user).filter(child=asked.child_id)
    return found.order_by("-opened_on", "-id").first()


def _to_decide(request: SignedInRequest, pk: UUID) -> FamilyRequest:
    scope = FamilyRequest.objects.decidable_by(request.user).select_related("child__family", "adult", "team")
    return consult(request, scope, pk=pk)


def _page(request: SignedInRequest, template: str, asked: FamilyRequest, form: Any, **context: Any) -> HttpResponse:
    context |= {"asked": asked, "form": form}
    return render(request, template, context, status=422 if form.is_bound else 200)


@require_http_methods(FORM)
def request_identity(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Say how the person who asks was recognised."""
    asked = _to_decide(request, pk)
    form = IdentityForm(request.POST or None)
    if form.is_valid() and attempt(form, lambda: check_identity(request=asked, by=request.user, **form.cleaned_data)):
        messages.success(request, "L’identité est vérifiée.")
        return redirect("pre_cases:request_detail", pk=pk)
    return _page(request, "pre_cases/request_identity.html", asked, form)


@require_http_methods(FORM)
def request_extend(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Two more months, when the family was told of it within the first one."""
    asked = _to_decide(request, pk)
    form = ExtendForm(request.POST or None)
    if form.is_valid() and attempt(form, lambda: extend_request(request=asked, by=request.user, **form.cleaned_data)):
        messages.success(request, "Le délai est prolongé de deux mois.")
        return redirect("pre_cases:request_detail", pk=pk)
    return _page(request, "pre_cases/request_extend.html", asked, form)


@require_http_methods(FORM)
def request_answer(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The answer given to the family, and what it changes, carried out at once."""
    asked = _to_decide(request, pk)
    form, effects = _answer_form(request, asked)
    if form.is_valid():
        kept = ("outcome", "answer", "answered_on", "statement")
        values = {name: form.cleaned_data[name] for name in kept if name in form.cleaned_data}
        if attempt(form, lambda: answer_request(request=asked, by=request.user, **values, **effects(form))):
            messages.success(request, "La réponse est enregistrée.")
            return redirect("pre_cases:request_detail", pk=pk)
    return _page(request, "pre_cases/request_answer.html", asked, form)


def _answer_form(request: SignedInRequest, asked: FamilyRequest) -> tuple[AnswerForm, Any]:
    """The form for what was asked, and what it gives to the service beside the answer."""
    typed = request.POST or None
    if asked.kind == RequestKind.CORRECTION:
        changes = {change.key: change for change in changes_since(asked.child, asked.received_on)}
        choices = [(key, change.label) for key, change in changes.items()]
        return CorrectionForm(typed, changes=choices), lambda form: {
            "corrections": [changes[key].correction for key in form.cleaned_data["corrections"]]
        }
    if asked.kind == RequestKind.OPPOSITION:
        decidable = Parcours.objects.decidable_by(request.user).open()
        parcours = decidable.filter(child=asked.child_id).select_related("agreement").first()
        shares = ParcoursShare.objects.in_force().filter(content_object=parcours).select_related("user")
        enrolments = Enrolment.objects.current().filter(parcours=parcours).select_related("project", "parcours")
        form = OppositionForm(typed, shares=shares, enrolments=enrolments, has_agreement=parcours is not None)
        return form, lambda form: _stops(form.stops(), parcours)
    return AnswerForm(typed), lambda form: {}


def _stops(stops: dict[str, Any], parcours: Parcours | None) -> dict[str, Any]:
    return {
        "shares": stops["shares"],
        "enrolments": stops["enrolments"],
        "withdraw": parcours if stops["agreement"] else None,
    }


@require_safe
def team_requests(request: SignedInRequest, code: str) -> HttpResponse:
    """The requests of a team's families that wait for an answer, the late ones first, then the oldest."""
    team = coordinated_team(request, code)
    waiting = FamilyRequest.objects.decidable_by(request.user).filter(team=team).waiting()
    page = consult_page(request, waiting.with_urgency().select_related("child"), order=("urgency", "received_on", "id"))
    late = waiting.late().count()
    return render(request, "pre_cases/team_requests.html", {"team": team, "page": page, "late": late})
