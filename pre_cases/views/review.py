"""Point d'étape and bilan."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from audit.journal.consult import consult
from pre_cases.forms.review import BilanForm, ReviewForm
from pre_cases.models import Parcours
from pre_cases.services.review import record_review, write_bilan
from pre_cases.views.drafts import answer_draft, draft_of
from pre_cases.views.parcours import FORM, answer
from referents.requests import SignedInRequest
from referents.views.answer import attempt


@require_http_methods(FORM)
def review_create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    parcours = consult(request, Parcours.objects.editable_by(request.user).with_card(), pk=pk)
    back = reverse("pre_cases:parcours_detail", args=[pk])
    kept = answer_draft(request, ReviewForm(), name="review", back=back, parcours=parcours)
    if kept is not None:
        return kept
    draft = draft_of(request, "review", parcours)
    form = ReviewForm(request.POST or None, initial=draft.content if draft else None)
    if form.is_valid() and attempt(
        form, lambda: record_review(parcours=parcours, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le point d’étape est enregistré.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    return answer(request, "pre_cases/review_create.html", parcours, form, draft=draft)


@require_http_methods(FORM)
def bilan_write(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Write the bilan, or correct it until the coordination closes the parcours."""
    scope = Parcours.objects.editable_by(request.user).with_card().select_related("bilan")
    parcours = consult(request, scope, pk=pk)
    bilan = getattr(parcours, "bilan", None)
    typed_before = ("on", "text", "family_word", "relay")
    initial = (
        {name: getattr(bilan, name) for name in typed_before} | {"exit_reason": bilan.exit_reason_id} if bilan else None
    )
    objectives = list(parcours.objectives.order_by("set_on", "id"))
    back = reverse("pre_cases:parcours_detail", args=[pk])
    kept = answer_draft(request, BilanForm(objectives=objectives), name="bilan", back=back, parcours=parcours)
    if kept is not None:
        return kept
    draft = draft_of(request, "bilan", parcours)
    form = BilanForm(request.POST or None, initial=draft.content if draft else initial, objectives=objectives)
    if form.is_valid() and attempt(
        form, lambda: write_bilan(parcours=parcours, by=request.user, **form.service_arguments())
    ):
        messages.success(request, "Le bilan est enregistré : la coordination peut clore le parcours.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    return answer(request, "pre_cases/bilan_write.html", parcours, form, bilan=bilan, draft=draft)
