"""Exceptional access: opening one from a number given by telephone, the list of them, their end and their review."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.journal.consult import capped_counts, consult, consult_page
from audit.services import Refused
from pre_cases.forms.access import ExceptionalForm, ReviewForm
from pre_cases.models import ExceptionalAccess
from pre_cases.querysets.access import ExceptionalAccessQuerySet
from pre_cases.services.exceptional import (
    UnknownNumber,
    end_exceptional_access,
    note_wrong_number,
    open_exceptional_access,
    review_exceptional_access,
)
from pre_cases.views.parcours import FORM
from referents.models import Role, Team
from referents.requests import SignedInRequest
from referents.views.answer import attempt, carry_out
from referents.views.reach import require
from referents.views.step_up import second_factor_again

TO_REVIEW = "a-examiner"
KIND = "pre_cases.exceptionalaccess"
PEOPLE = ("user", "membership__team", "content_object__team", "reviewed_by")


@require_safe
def exceptional_list(request: SignedInRequest) -> HttpResponse:
    """For the coordination: those on its teams' parcours, and its own; for the data protection officer: all."""
    standing = request.user.standing
    require(request, standing.holds(Role.COORDINATOR) or standing.holds(Role.DPO), kind=KIND)
    visible = ExceptionalAccess.objects.visible_to(request.user).select_related(*PEOPLE)
    team = next((team for team in standing.teams(Role.COORDINATOR) if team.code == request.GET.get("equipe")), None)
    if team is not None:
        visible = visible.filter(content_object__team=team)
    waits = request.GET.get("filtre") == TO_REVIEW
    own = ExceptionalAccess.objects.held_by(request.user).select_related("content_object__child")
    context = {
        "page": consult_page(request, visible.to_review() if waits else visible, order=("-granted_at", "-id")),
        "filters": _filters(request, visible, waits, team),
        "own": consult_page(request, own, order=("-granted_at", "-id"), cursor="").records if own.exists() else [],
        "may_open": standing.holds(Role.COORDINATOR),
        "now": timezone.now(),
    }
    return render(request, "pre_cases/exceptional_list.html", context)


def _filters(
    request: SignedInRequest, visible: ExceptionalAccessQuerySet, waits: bool, team: Team | None
) -> list[dict[str, Any]]:
    """« Tous » and « À examiner », with what each holds; a chosen team stays chosen."""
    kept = {"equipe": team.code} if team else {}
    counts = capped_counts(visible, {"all": Q(), "waiting": Q(outcome="")})
    return [
        {"label": "Tous", "url": _address(request, kept), "count": counts["all"], "active": not waits},
        {
            "label": "À examiner",
            "url": _address(request, {"filtre": TO_REVIEW} | kept),
            "count": counts["waiting"],
            "active": waits,
        },
    ]


def _address(request: SignedInRequest, query: dict[str, str]) -> str:
    return f"{request.path}?{urlencode(query)}" if query else request.path


@require_http_methods(FORM)
@second_factor_again
def exceptional_open(request: SignedInRequest) -> HttpResponse:
    """Open a parcours of another team for 24 hours: its number, the situation, the reason; everybody is told."""
    require(request, request.user.standing.holds(Role.COORDINATOR), kind=KIND, asked="grant")
    form = ExceptionalForm(request.POST or None)
    if form.is_valid():
        try:
            access = open_exceptional_access(by=request.user, **form.cleaned_data)
            messages.success(request, "Le parcours vous est ouvert pour 24 heures. Son équipe est prévenue.")
            return redirect("pre_cases:parcours_detail", pk=access.content_object_id)
        except Refused as refusal:  # closed between the look-up and the lock, among others
            if isinstance(refusal, UnknownNumber):
                note_wrong_number(request.user)
            form.add_error(refusal.field, str(refusal))
    return render(request, "pre_cases/exceptional_open.html", {"form": form}, status=422 if form.is_bound else 200)


@require_POST
def exceptional_end(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The reader has finished, or the team ends it before its 24 hours."""
    access = consult(request, ExceptionalAccess.objects.endable_by(request.user), pk=pk)
    done = "L’accès exceptionnel est terminé."
    carry_out(request, lambda: end_exceptional_access(access=access, by=request.user), done)
    reviews = ExceptionalAccess.objects.visible_to(request.user).filter(pk=pk).exists()
    return redirect("pre_cases:exceptional_list" if reviews else "pre_cases:my_accesses")


@require_http_methods(FORM)
def exceptional_review(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Say whether the access was justified, once its reason is read."""
    access = consult(request, ExceptionalAccess.objects.reviewable_by(request.user).select_related(*PEOPLE), pk=pk)
    form = ReviewForm(request.POST or None)
    if form.is_valid() and attempt(
        form, lambda: review_exceptional_access(access=access, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "L’examen est enregistré.")
        return redirect("pre_cases:exceptional_list")
    context = {"access": access, "form": form}
    return render(request, "pre_cases/exceptional_review.html", context, status=422 if form.is_bound else 200)
