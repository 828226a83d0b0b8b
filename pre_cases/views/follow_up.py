"""An exchange corrected by who wrote it, and what the coordination asks about one."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from audit.encryption.keys import load_keys_of
from audit.journal.consult import consult, consult_page
from pre_cases.day import UNANSWERED
from pre_cases.forms.day import AnswerForm, CorrectionForm, QuestionForm
from pre_cases.models import Entry, FollowUp, Parcours
from pre_cases.services.entries import correct_entry
from pre_cases.services.follow_up import answer_follow_up, ask_follow_up
from pre_cases.views.board import coordinated_team
from pre_cases.views.parcours import FORM, answer
from referents.requests import SignedInRequest
from referents.views.answer import attempt

OF_AN_ENTRY = ("entry__parcours__child", "asked_by", "answered_by")


@require_http_methods(FORM)
def entry_correct(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Write one's own exchange again; when it was noted for several children, the others are offered."""
    scope = Entry.objects.correctable_by(request.user).select_related("parcours__child")
    entry = consult(request, scope, pk=pk)
    others = scope.filter(group_id=entry.group_id).exclude(pk=entry.pk) if entry.group_id else scope.none()
    load_keys_of(*others)
    first = {name: getattr(entry, name) for name in ("kind", "with_whom", "on", "text")}
    form = CorrectionForm(request.POST or None, initial=first, others=others)
    if form.is_valid() and attempt(form, lambda: correct_entry(entry=entry, by=request.user, **form.cleaned_data)):
        messages.success(request, "L’échange est corrigé. L’historique garde ce qu’il disait.")
        return redirect("pre_cases:parcours_detail", pk=entry.parcours_id)
    return answer(request, "pre_cases/entry_correct.html", _parcours_of(entry), form)


@require_http_methods(FORM)
def follow_up_ask(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The coordination asks for a follow-up of an exchange."""
    scope = Entry.objects.questionable_by(request.user).select_related("parcours", "author")
    entry = consult(request, scope, pk=pk)
    form = QuestionForm(request.POST or None)
    if form.is_valid() and attempt(form, lambda: ask_follow_up(entry=entry, by=request.user, **form.cleaned_data)):
        messages.success(request, "La question est posée : le référent la verra dans sa journée.")
        return redirect("pre_cases:parcours_detail", pk=entry.parcours_id)
    return answer(request, "pre_cases/follow_up_ask.html", _parcours_of(entry), form, entry=entry)


@require_http_methods(FORM)
def follow_up_answer(request: SignedInRequest, pk: UUID) -> HttpResponse:
    scope = FollowUp.objects.answerable_by(request.user).select_related("entry__parcours", "entry__author", "asked_by")
    follow_up = consult(request, scope, pk=pk)
    form = AnswerForm(request.POST or None)
    if form.is_valid() and attempt(
        form, lambda: answer_follow_up(follow_up=follow_up, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "La réponse est envoyée : la coordination la voit dès maintenant.")
        return redirect("pre_cases:my_questions")
    parcours = _parcours_of(follow_up.entry)
    return answer(request, "pre_cases/follow_up_answer.html", parcours, form, follow_up=follow_up)


@require_safe
def my_questions(request: SignedInRequest) -> HttpResponse:
    """What the coordination asks about exchanges, and that waits for the person's answer; the oldest first."""
    waiting = FollowUp.objects.answerable_by(request.user).select_related(*OF_AN_ENTRY)
    page = consult_page(request, waiting, order=("asked_at", "id"))
    return render(request, "pre_cases/my_questions.html", {"page": page})


@require_safe
def team_questions(request: SignedInRequest, code: str) -> HttpResponse:
    """The questions asked in a team: those that wait, and those answered within a month."""
    team = coordinated_team(request, code)
    asked = FollowUp.objects.overseen_by(request.user).filter(entry__parcours__team=team)
    is_waiting = request.GET.get("filtre") == UNANSWERED
    shown = asked.waiting() if is_waiting else asked.recent()
    page = consult_page(request, shown.select_related(*OF_AN_ENTRY), order=("-asked_at", "-id"))
    context = {"team": team, "page": page, "is_waiting": is_waiting, "unanswered": UNANSWERED}
    return render(request, "pre_cases/team_questions.html", context)


def _parcours_of(entry: Entry) -> Parcours:
    assert entry.parcours is not None  # noqa: S101 - the scopes hold those of a parcours only
    return Parcours.objects.with_card().get(pk=entry.parcours.pk)
