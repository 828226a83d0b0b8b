"""What a saisine says: going on with a draft, completing it, and the fiche de sollicitation on paper."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from audit.encryption.keys import load_keys_of
from audit.journal.consult import consult
from audit.journal.models import Action
from pre_cases.forms.saisine import CompletionForm, ContentForm
from pre_cases.instruction import adults_around
from pre_cases.models import Saisine
from pre_cases.printed.answer import printed
from pre_cases.printed.saisine import blank_sheet, saisine_sheet
from pre_cases.services.saisine_content import SaisineContent, ask_completion, change_saisine
from pre_cases.views.parcours import FORM
from pre_cases.views.saisine import answer, working_teams
from referents.requests import SignedInRequest
from referents.views.answer import attempt
from referents.views.reach import require

TYPED = ("received_on", "is_urgent", "situation", "child_words", "parents_words", "strengths", "already_done")


@require_http_methods(FORM)
def saisine_change(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Type a saisine again while it waits; the second button transmits a draft, or says that it is complete."""
    saisine = consult(request, Saisine.objects.editable_by(request.user).select_related("child"), pk=pk)
    form = ContentForm(request.POST or None, person=request.user, initial=_typed_before(saisine))
    if form.is_valid() and attempt(form, lambda: _change(request, saisine, form)):
        messages.success(request, _done(saisine) if "transmit" in request.POST else "La saisine est enregistrée.")
        return redirect("pre_cases:saisine_detail", pk=pk)
    return answer(request, "pre_cases/saisine_change.html", saisine, form)


def _typed_before(saisine: Saisine) -> dict[str, Any]:
    signs = list(saisine.signs.all())
    return {name: getattr(saisine, name) for name in TYPED} | {
        "source": saisine.source_id,
        "signs": [row.sign_id for row in signs],
        "main_sign": next((row.sign_id for row in signs if row.is_main), None),
    }


def _change(request: SignedInRequest, saisine: Saisine, form: ContentForm) -> Saisine:
    content = SaisineContent(**form.situation_values())
    return change_saisine(saisine=saisine, content=content, by=request.user, submit="transmit" in request.POST)


def _done(saisine: Saisine) -> str:
    return "La saisine est transmise à l’équipe." if saisine.is_draft else "La saisine est complétée."


@require_http_methods(FORM)
def saisine_complete(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Ask for what a saisine does not say."""
    saisine = consult(request, Saisine.objects.instructed_by(request.user).select_related("child"), pk=pk)
    form = CompletionForm(request.POST or None)
    if form.is_valid() and attempt(form, lambda: ask_completion(saisine=saisine, by=request.user, **form.cleaned_data)):
        messages.success(request, "La demande de complément est enregistrée.")
        return redirect("pre_cases:saisine_detail", pk=pk)
    return answer(request, "pre_cases/saisine_complete.html", saisine, form)


@require_safe
def saisine_sheet_blank(request: SignedInRequest) -> HttpResponse:
    """The fiche that a school fills in by hand."""
    require(request, bool(working_teams(request.user)), kind="pre_cases.saisine")
    return printed(blank_sheet, name="fiche-de-sollicitation")


@require_safe
def saisine_print(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The fiche as it was filled in."""
    scope = Saisine.objects.visible_to(request.user).with_stage()
    related = ("child__family", "team", "source")
    saisine = consult(request, scope.select_related(*related), pk=pk, action=Action.PRINT)
    load_keys_of(saisine.child)
    links = adults_around(saisine.child)
    return printed(lambda: saisine_sheet(saisine, links), name="fiche-de-sollicitation")
