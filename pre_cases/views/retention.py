"""What is due and why, for the coordination with names, for the data protection officer without; and keeping longer."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.journal.consult import consult, consult_page
from pre_cases.forms.retention import HoldForm
from pre_cases.models import Child, RetentionHold
from pre_cases.querysets.family import ChildQuerySet
from pre_cases.retention import RetentionState, annotated, rules
from pre_cases.services.retention import end_hold, place_hold
from pre_cases.views.parcours import FORM
from referents.models import Role, Team
from referents.requests import SignedInRequest
from referents.views.answer import attempt, carry_out
from referents.views.reach import require

LISTED = {
    RetentionState.READY: "À effacer",
    RetentionState.ANNOUNCED: "Annoncés",
    RetentionState.DUE: "Au terme",
    RetentionState.ON_HOLD: "Prolongés",
    RetentionState.ERASING: "Effacement demandé",
}
KIND = "pre_cases.child"


@require_safe
def retention_list(request: SignedInRequest) -> HttpResponse:
    """The files that have come to their term: of the teams that one coordinates, or of all as numbers for the DPO."""
    standing = request.user.standing
    is_coordinator = standing.holds(Role.COORDINATOR)
    require(request, is_coordinator or standing.holds(Role.DPO), kind=KIND)
    reached = Child.objects.retained_by(request.user) if is_coordinator else Child.objects.with_retention()
    listed = reached.filter(Q(retention_code__in=[state.value for state in LISTED]))
    chosen = next((state for state in LISTED if state.value == request.GET.get("filtre")), None)
    shown = listed if chosen is None else listed.filter(Q(retention_code=chosen.value))
    page = consult_page(request, shown.with_retention_card(), order=("id",), data_kind="retention")
    teams = Team.objects.in_bulk([child.last_team_id for child in page])
    context = {
        "page": page,
        "rows": [
            {
                "child": child,
                "team": teams[child.last_team_id],
                "held_last_day": _day_before(annotated(child, "held_until")),
            }
            for child in page
        ],
        "filters": _filters(request, listed, chosen),
        "is_coordinator": is_coordinator,
        "today": timezone.localdate(),
    }
    return render(request, "pre_cases/retention_list.html", context)


def _day_before(day: date | None) -> date | None:
    return None if day is None else day - timedelta(days=1)


def _filters(request: SignedInRequest, listed: ChildQuerySet, chosen: RetentionState | None) -> list[dict[str, Any]]:
    counts = listed.count_by_state()
    everything = {"label": "Tous", "url": request.path, "count": counts.total(), "active": chosen is None}
    return [everything] + [
        {
            "label": label,
            "url": f"{request.path}?{urlencode({'filtre': state.value})}",
            "count": counts[state.value],
            "active": state is chosen,
        }
        for state, label in LISTED.items()
    ]


@require_safe
def retention_rules(request: SignedInRequest) -> HttpResponse:
    """Every period, where it comes from, and whether the data protection officer has confirmed it."""
    standing = request.user.standing
    require(request, standing.holds(Role.COORDINATOR) or standing.holds(Role.DPO), kind=KIND)
    return render(request, "pre_cases/retention_rules.html", {"rules": rules()})


@require_http_methods(FORM)
def hold_create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Keep a file past its term, for a reason and up to a day."""
    child = consult(request, Child.objects.retained_by(request.user), pk=pk)
    form = HoldForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and attempt(form, lambda: place_hold(child=child, by=request.user, **form.cleaned_data)):
        messages.success(request, "La conservation est prolongée.")
        return redirect("pre_cases:retention_list")
    holds = list(child.holds.select_related("author").order_by("-starts_on"))
    context = {"child": child, "form": form, "holds": holds, "today": timezone.localdate()}
    return render(request, "pre_cases/hold_create.html", context, status=422 if form.is_bound else 200)


@require_POST
def hold_end(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The reason to keep the file has gone."""
    hold = consult(request, RetentionHold.objects.editable_by(request.user), pk=pk)
    carry_out(request, lambda: end_hold(hold=hold, by=request.user), "La prolongation est finie.")
    return redirect(reverse("pre_cases:hold_create", args=[hold.child_id]))
