"""A référent's day, and the quick entry about several children."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Model
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from audit.encryption.keys import load_keys_of
from audit.journal.consult import consult_lists
from pre_cases.day import own_figures, tiles_of, waiting_for
from pre_cases.forms.day import SeveralEntryForm
from pre_cases.models import Appointment, Draft, EntryKind, EntryTemplate, EntryWith, EpreSession, Parcours, Task
from pre_cases.querysets.parcours import ParcoursQuerySet
from pre_cases.services.entries import SEVERAL, add_entries
from pre_cases.views.drafts import answer_draft, draft_of
from pre_cases.views.parcours import FORM
from referents.models import Role
from referents.requests import SignedInRequest
from referents.views.answer import attempt
from referents.views.reach import require

MOST_CHILDREN = 150  # offered by the quick entry: far more than a référent follows
MOST_SHOWN = 20  # tasks, and meetings
FIRST_ONES = 10  # parcours


@require_safe
def my_day(request: SignedInRequest) -> HttpResponse:
    """Where a référent begins: note an exchange, then what is to be done, met, answered and looked after."""
    person, today = request.user, timezone.localdate()
    require(request, person.standing.holds(Role.REFERENT), kind="pre_cases.parcours")
    waiting, watched = tiles_of(person, waiting_for(person), own_figures(person))
    draft = Draft.objects.of(person).filter(parcours=None, form=SEVERAL).first()
    soon = today + timedelta(days=1)
    mine, tasks, meetings = consult_lists(
        request,
        _own(request).with_card(today)[:MOST_CHILDREN],
        Task.objects.of(person)
        .due_by(soon)
        .select_related("parcours__child", "saisine__child")
        .order_by("due_on", "id")[:MOST_SHOWN],
        Appointment.objects.of(person)
        .this_week(today)
        .select_related("parcours__child")
        .order_by("on", "starts_at", "id")[:MOST_SHOWN],
        about=_files,
        model=Parcours,
        also=[draft] if draft else [],
    )
    context = {
        "today": today,
        "tasks": tasks,
        "week": _in_order(meetings, EpreSession.objects.prepared_by(person).this_week(today)),
        "waiting": waiting,
        "watched": watched,
        "parcours_list": mine[:FIRST_ONES],
        "more": len(mine) > FIRST_ONES,
        "form": SeveralEntryForm(initial=draft.content if draft else None, parcours_list=mine) if mine else None,
        "draft": draft,
    }
    return render(request, "pre_cases/my_day.html", context)


def _in_order(*dated: Iterable[Any]) -> list[Any]:
    """Meetings and sessions of the EPRE together, by day and hour; a session is about no parcours."""
    return sorted((each for some in dated for each in some), key=lambda each: (each.on, each.starts_at))


def _own(request: SignedInRequest) -> ParcoursQuerySet:
    return Parcours.objects.followed_by(request.user).open().order_by("due_on", "id")


def _files(record: Model) -> Iterator[UUID | None]:
    """The file that a row of the page shows the name of."""
    if isinstance(record, Parcours):
        yield record.pk
    else:
        yield getattr(record, "parcours_id", None) or getattr(record, "saisine_id", None)


@require_http_methods(FORM)
def entry_several(request: SignedInRequest) -> HttpResponse:
    """Note the same exchange for one or several of one's own children; a template fills it in."""
    person = request.user
    require(request, person.standing.holds(Role.REFERENT), kind="pre_cases.parcours")
    own = _own(request).with_card()[:MOST_CHILDREN]
    [mine] = consult_lists(request, own, about=_files, model=Parcours)
    kept = answer_draft(
        request, SeveralEntryForm(parcours_list=mine), name=SEVERAL, back=reverse("pre_cases:entry_several")
    )
    if kept is not None:
        return kept
    templates = list(EntryTemplate.objects.of(person).order_by("created_at", "pk"))
    load_keys_of(*templates)
    draft = draft_of(request, SEVERAL)
    first = (draft.content if draft else {}) | _of_template(request, templates)
    form = SeveralEntryForm(_sent(request), initial=first, parcours_list=mine)
    if form.is_valid() and attempt(form, lambda: add_entries(by=person, **form.cleaned_data)):
        messages.success(request, _done(len(form.cleaned_data["parcours_list"])))
        return redirect("pre_cases:my_day")
    context = {"form": form, "draft": draft, "templates": templates}
    return render(request, "pre_cases/entry_several.html", context, status=422 if form.is_bound else 200)


def _sent(request: SignedInRequest) -> QueryDict | None:
    """What was sent; « Tentative sans réponse » says the kind by itself."""
    return tried(request.POST) if request.method == "POST" else None


def tried(sent: QueryDict) -> QueryDict:
    """What was sent, or what the button « Tentative sans réponse » means: an attempt, today if no day is said."""
    if "attempt" not in sent:
        return sent
    typed = sent.copy()
    typed["kind"] = EntryKind.ATTEMPT
    typed["with_whom"] = typed.get("with_whom") or EntryWith.FAMILY
    typed["on"] = typed.get("on") or timezone.localdate().isoformat()
    return typed


def _of_template(request: SignedInRequest, templates: list[EntryTemplate]) -> dict[str, Any]:
    """What the template of the address fills in; nothing for one that is not the person's."""
    chosen = next((each for each in templates if str(each.pk) == request.GET.get("modele")), None)
    if chosen is None:
        return {}
    return {"kind": chosen.kind, "with_whom": chosen.with_whom, "text": chosen.text}


def _done(count: int) -> str:
    return "L’échange est enregistré." if count == 1 else f"L’échange est enregistré pour {count} enfants."
