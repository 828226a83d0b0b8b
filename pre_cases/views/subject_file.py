"""The file of a child's data: prepared, read passage by passage, approved by somebody else, taken once."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.journal.consult import consult
from audit.services import Refused
from pre_cases.forms.family_request import MaskForm, NameForm, ReturnForm, SubmitForm
from pre_cases.models import FamilyRequest, FileDecision, FileState, SubjectFile
from pre_cases.services.subject_file import (
    approve_file,
    keep_passage,
    mask_passage,
    name_professional,
    passages_of,
    prepare_file,
    professionals_of,
    return_file,
    submit_file,
    take_file,
    undecided,
)
from pre_cases.subject_access.document import told, words_of
from pre_cases.subject_access.masking import found_in, without
from pre_cases.views.parcours import FORM
from referents.models import User
from referents.requests import SignedInRequest
from referents.views.answer import attempt, carry_out
from referents.views.step_up import second_factor_again


@require_POST
def file_prepare(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Ask the worker to gather what is held about the child."""
    asked = consult(request, FamilyRequest.objects.decidable_by(request.user), pk=pk)
    carry_out(request, lambda: prepare_file(request=asked, by=request.user), "Le fichier est en préparation.")
    return redirect("pre_cases:request_detail", pk=pk)


def _to_decide(request: SignedInRequest, pk: UUID) -> SubjectFile:
    scope = SubjectFile.objects.decidable_by(request.user).defer("archive")
    return consult(request, scope.select_related("request__child", "prepared_by"), pk=pk, data_kind="subject-access")


@require_safe
def file_detail(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The content as it was gathered, each passage with its decision; or where the file stands."""
    file = _to_decide(request, pk)
    return _reading(request, file, SubmitForm())


@require_http_methods(FORM)
def file_submit(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Once read whole, the file goes to who approves it."""
    file = _to_decide(request, pk)
    form = SubmitForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and attempt(form, lambda: submit_file(file=file, by=request.user, **form.cleaned_data)):
        messages.success(request, "Le fichier est soumis au délégué à la protection des données.")
        return redirect("pre_cases:request_detail", pk=file.request_id)
    return _reading(request, file, form)


def _reading(request: SignedInRequest, file: SubjectFile, form: SubmitForm) -> HttpResponse:
    is_reading = file.state == FileState.READING
    decisions = list(file.decisions.select_related("professional"))
    context = {
        "file": file,
        "asked": file.request,
        "form": form,
        "is_reading": is_reading,
        "is_ready": file.state == FileState.READY,
        "sections": readable(file.gathered, decisions) if is_reading else [],
        "readers": file.gathered["readers"],
        "left": undecided(file) if is_reading else [],
        "professionals": _professionals(file, decisions) if is_reading else [],
    }
    return render(request, "pre_cases/file_detail.html", context, status=422 if form.is_bound else 200)


def readable(content: dict[str, Any], decisions: list[FileDecision]) -> list[dict[str, Any]]:
    """The sections as the page shows them: each passage with its decision and what the family will read."""
    by_passage = {decision.passage: decision for decision in decisions if decision.passage is not None}
    return [
        section
        | {
            "items": [
                {
                    "title": item["title"],
                    "facts": [(label, told(value, {})) for label, value in item["facts"]],
                    "texts": [_with_decision(text, by_passage.get(text["number"])) for text in item["texts"]],
                }
                for item in section["items"]
            ]
        }
        for section in content["sections"]
    ]


def _with_decision(text: dict[str, Any], decision: FileDecision | None) -> dict[str, Any]:
    is_masked = decision is not None and decision.kind == FileDecision.Kind.MASK
    words = words_of(decision) if decision is not None and is_masked else []
    shown = {"is_masked": is_masked, "is_whole": is_masked and not words, "shown": without(text["text"], words)}
    return text | {"decision": decision} | shown


def _professionals(file: SubjectFile, decisions: list[FileDecision]) -> list[dict[str, Any]]:
    """Each professional whom the file names by function, and whether the name is told."""
    named = {decision.professional_id: decision for decision in decisions if decision.professional_id is not None}
    people = User.objects.filter(pk__in=professionals_of(file.gathered)).order_by("last_name", "first_name", "pk")
    return [{"person": person, "decision": named.get(person.pk)} for person in people]


@require_http_methods(FORM)
def passage_decide(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Mask a passage, or some of its words; or leave it as it is. Both buttons are on the page."""
    file = _to_decide(request, pk)
    text = next(
        (text for text in passages_of(file.gathered) if str(text["number"]) == request.GET.get("passage")), None
    )
    if text is None:
        return redirect("pre_cases:file_detail", pk=pk)
    number = text["number"]
    keeps = "keep" in request.POST
    form = MaskForm(request.POST if request.method == "POST" and not keeps else None, initial=_usual(text))
    back = f"{reverse('pre_cases:file_detail', args=[pk])}#passage-{number}"
    if keeps:
        done = "Le passage est laissé comme il est."
        carry_out(request, lambda: keep_passage(file=file, passage=number, by=request.user), done)
        return redirect(back)
    if form.is_valid() and attempt(
        form, lambda: mask_passage(file=file, passage=number, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le passage est masqué.")
        return redirect(back)
    context = {"file": file, "text": text, "form": form, "back_url": back}
    return render(request, "pre_cases/passage_decide.html", context, status=422 if form.is_bound else 200)


def _usual(text: dict[str, Any]) -> dict[str, str]:
    """The names found in a passage are proposed to be masked, and nothing else of it."""
    return {"words": ", ".join(found_in(text["text"], text["flags"]))}


@require_http_methods(FORM)
def professional_name(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Tell the name of a professional who appears in the file, for a reason."""
    file = _to_decide(request, pk)
    people = {str(number): number for number in professionals_of(file.gathered)}
    person = User.objects.filter(pk=people.get(request.GET.get("compte", ""))).first()
    if person is None:
        return redirect("pre_cases:file_detail", pk=pk)
    form = NameForm(request.POST or None)
    if form.is_valid() and attempt(
        form, lambda: name_professional(file=file, professional=person, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le nom sera communiqué, si le fichier est approuvé.")
        return redirect("pre_cases:file_detail", pk=pk)
    context = {"file": file, "person": person, "form": form}
    return render(request, "pre_cases/professional_name.html", context, status=422 if form.is_bound else 200)


@require_http_methods(FORM)
def file_review(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """For the data protection officer: numbers, what is masked and why, never the content. Approve, or give back."""
    scope = SubjectFile.objects.overseen_by(request.user).defer("content", "archive")
    file = consult(request, scope.select_related("request__team", "prepared_by", "submitted_by"), pk=pk)
    gives_back = "return" in request.POST
    form = ReturnForm(request.POST if gives_back else None)
    home = "pre_cases:protection"
    if request.method == "POST" and not gives_back:
        carry_out(request, lambda: approve_file(file=file, by=request.user), "Le fichier est approuvé.")
        return redirect(home)
    if form.is_valid() and attempt(form, lambda: return_file(file=file, by=request.user, **form.cleaned_data)):
        messages.success(request, "Le fichier est rendu à la coordination.")
        return redirect(home)
    context = {
        "file": file,
        "form": form,
        "is_waiting": file.state == FileState.APPROVAL,
        "decisions": file.decisions.exclude(kind=FileDecision.Kind.KEEP).order_by("kind", "passage", "pk"),
        "kept": file.decisions.filter(kind=FileDecision.Kind.KEEP).count(),
    }
    return render(request, "pre_cases/file_review.html", context, status=422 if form.is_bound else 200)


def _file_page(request: SignedInRequest, pk: UUID) -> str:
    return reverse("pre_cases:file_detail", args=[pk])


@require_POST
@second_factor_again(back_to=_file_page)
def file_download(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The archive, once: afterwards nothing of it is kept here."""
    file = _to_decide(request, pk)
    try:
        archive = take_file(file=file, by=request.user)
    except Refused as refusal:
        messages.warning(request, str(refusal))
        return redirect("pre_cases:request_detail", pk=file.request_id)
    name = f"donnees-{file.request.reference}.zip"
    return HttpResponse(
        archive,
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
