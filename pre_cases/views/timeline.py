"""Quick entry with its draft, comments and tasks."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.journal.consult import consult, consult_page
from audit.services import Refused
from pre_cases.forms.timeline import CommentForm, EntryForm, TaskForm
from pre_cases.models import AccessRequest, HandOver, Parcours, Task
from pre_cases.services.draft import discard_draft, save_draft
from pre_cases.services.timeline import add_comment, add_entry, add_task, complete_task
from pre_cases.views.appointment import entry_to_write
from pre_cases.views.day import tried
from pre_cases.views.drafts import draft_of
from pre_cases.views.parcours import FORM, answer
from referents.models import Role, User
from referents.requests import SignedInRequest
from referents.views.answer import attempt, carry_out


@require_http_methods(FORM)
def entry_create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Note an exchange; « Garder en brouillon » keeps it for later, on the server."""
    parcours = consult(request, Parcours.objects.editable_by(request.user).with_card(), pk=pk)
    if request.method == "POST" and "draft" in request.POST:
        return _kept(request, parcours)
    if request.method == "POST" and "discard" in request.POST:
        discard_draft(parcours=parcours, form="entry", by=request.user)
        messages.success(request, "Le brouillon est jeté.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    draft = draft_of(request, "entry", parcours)
    first = (draft.content if draft else {}) | entry_to_write(request)
    form = EntryForm(tried(request.POST) if request.method == "POST" else None, initial=first)
    if form.is_valid() and attempt(form, lambda: add_entry(parcours=parcours, by=request.user, **form.cleaned_data)):
        messages.success(request, "L’échange est enregistré.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    return answer(request, "pre_cases/entry_create.html", parcours, form, draft=draft)


def _kept(request: SignedInRequest, parcours: Parcours) -> HttpResponse:
    try:
        save_draft(parcours=parcours, form="entry", content=_typed(request), by=request.user)
        messages.success(request, "Le brouillon est enregistré.")
    except Refused as refusal:
        messages.warning(request, str(refusal))
    return redirect("pre_cases:parcours_detail", pk=parcours.pk)


def _typed(request: SignedInRequest) -> dict[str, str]:
    """What was typed so far, right or wrong, within what a draft may hold."""
    return {name: request.POST.get(name, "")[:1000] for name in EntryForm.base_fields}


@require_POST
def draft_save(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Keep the quick entry while it is typed; answers with the hour, to be shown beside the form."""
    parcours = consult(request, Parcours.objects.editable_by(request.user), pk=pk)
    try:
        draft = save_draft(parcours=parcours, form="entry", content=_typed(request), by=request.user)
    except Refused as refusal:
        return render(request, "pre_cases/draft_save.html", {"refusal": str(refusal)}, status=409)
    return render(request, "pre_cases/draft_save.html", {"draft": draft})


@require_http_methods(FORM)
def comment_create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    parcours = consult(request, Parcours.objects.editable_by(request.user).with_card(), pk=pk)
    form = CommentForm(request.POST or None)
    if form.is_valid() and attempt(form, lambda: add_comment(parcours=parcours, by=request.user, **form.cleaned_data)):
        messages.success(request, "Le commentaire est enregistré.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    return answer(request, "pre_cases/comment_create.html", parcours, form)


@require_http_methods(FORM)
def task_create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    parcours = consult(request, Parcours.objects.editable_by(request.user).with_card(), pk=pk)
    people = User.objects.holding(Role.REFERENT, parcours.team_id) | User.objects.holding(
        Role.COORDINATOR, parcours.team_id
    )
    form = TaskForm(request.POST or None, people=people, initial={"assignee": request.user.pk})
    if form.is_valid() and attempt(form, lambda: add_task(parcours=parcours, by=request.user, **form.cleaned_data)):
        messages.success(request, "La tâche est enregistrée.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    return answer(request, "pre_cases/task_create.html", parcours, form)


@require_safe
def my_tasks(request: SignedInRequest) -> HttpResponse:
    """What the person has to do, the latest first; one click says it is done."""
    person = request.user
    tasks = Task.objects.of(person).open().select_related("parcours__child", "saisine__child")
    page = consult_page(request, tasks)
    context = {
        "page": page,
        "today": timezone.localdate(),
        "hand_overs": HandOver.objects.answerable_by(person).count(),
        "requests": AccessRequest.objects.answerable_by(person).count(),
    }
    return render(request, "pre_cases/my_tasks.html", context)


@require_POST
def task_complete(request: SignedInRequest, pk: UUID) -> HttpResponse:
    task = consult(request, Task.objects.reached_by(request.user).select_related("parcours"), pk=pk)
    carry_out(request, lambda: complete_task(task=task, by=request.user), "C’est fait.")
    if request.POST.get("next") == "day":
        return redirect("pre_cases:my_day")
    if request.POST.get("next") == "tasks" or task.parcours_id is None:
        return redirect("pre_cases:my_tasks")
    return redirect("pre_cases:parcours_detail", pk=task.parcours_id)
