"""An erasure from its dry run to its certificate: prepared by a coordination, decided by the DPO, followed by both."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from audit.journal.consult import consult, consult_page
from audit.journal.models import Action
from pre_cases.forms.retention import DecisionForm, ErasureForm
from pre_cases.mentions import mentions_of
from pre_cases.models import Child, Erasure, ErasureStep
from pre_cases.search.words import plain
from pre_cases.services.erasure import erasure_obstacle, plan_erasure
from pre_cases.services.erasure_job import OBSTACLES
from pre_cases.services.erasure_request import approve_erasure, refuse_erasure, request_erasure, term_obstacle
from pre_cases.views.parcours import FORM
from referents.models import Role, Team
from referents.requests import SignedInRequest
from referents.views.answer import attempt
from referents.views.reach import require
from referents.views.step_up import second_factor_again

PEOPLE = ("team", "requested_by", "decided_by")
UNDER_WAY = (Erasure.State.APPROVED, Erasure.State.RUNNING)
FORMS = {"pdf": "application/pdf", "json": "application/json"}
HEAVY = ("certificate", "certificate_pdf", "plan", "facts")


@require_http_methods(FORM)
@second_factor_again
def erasure_request(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The dry run: what would leave, what forbids it, what has to be read first; then the request and its reason."""
    child = consult(request, Child.objects.retained_by(request.user), pk=pk)
    form = ErasureForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        erasure = attempt(form, lambda: request_erasure(child=child, by=request.user, **form.cleaned_data))
        if erasure is not None:
            messages.success(request, "L’effacement est demandé : la protection des données décidera.")
            return redirect("pre_cases:erasure_detail", pk=erasure.pk)
    plan = plan_erasure(child)
    own = {team.pk for team in request.user.standing.teams(Role.COORDINATOR)}
    context = {
        "child": child,
        "form": form,
        "team": Team.objects.get(pk=child.last_team_id),
        "counts": _in_order(plan.counts()),
        "files": len(plan.files),
        "keys": len(plan.data_keys),
        "obstacle": erasure_obstacle(child),
        "term_obstacle": term_obstacle(child),
        "mentions": _mentions(child, own),
    }
    return render(request, "pre_cases/erasure_request.html", context, status=422 if form.is_bound else 200)


def _in_order(counts: dict[str, int]) -> list[tuple[str, int]]:
    """By name, accents aside."""
    return sorted(counts.items(), key=lambda row: plain(row[0]))


def _mentions(child: Child, own_teams: set[int]) -> list[dict[str, Any]]:
    """Whose texts to read; a brother or sister of another team is not named."""
    found = mentions_of(child)
    teams = Child.objects.with_retention().filter(pk__in=[mention.sibling.pk for mention in found])
    team_of = {sibling.pk: sibling.last_team_id for sibling in teams}
    return [
        {"mention": mention, "sibling": mention.sibling if team_of[mention.sibling.pk] in own_teams else None}
        for mention in found
    ]


@require_safe
def erasure_list(request: SignedInRequest) -> HttpResponse:
    """Every erasure asked for, the latest first: of one's teams, or all for the data protection officer."""
    standing = request.user.standing
    require(request, standing.holds(Role.COORDINATOR) or standing.holds(Role.DPO), kind="pre_cases.erasure")
    erasures = Erasure.objects.visible_to(request.user).select_related(*PEOPLE).defer(*HEAVY)
    waiting = erasures.decidable_by(request.user)
    context = {
        "page": consult_page(request, erasures, order=("-id",)),
        "waiting": {erasure.pk for erasure in waiting},
        "decides": standing.holds(Role.DPO),
    }
    return render(request, "pre_cases/erasure_list.html", context)


@require_safe
def erasure_detail(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Where the erasure stands. The page asks again every two seconds while it runs; it writes one event."""
    reachable = Erasure.objects.visible_to(request.user).select_related(*PEOPLE).defer(*HEAVY)
    asks_again: bool = request.htmx  # type: ignore[attr-defined]
    erasure = reachable.filter(pk=pk, state__in=UNDER_WAY).first() if asks_again else None
    erasure = erasure or consult(request, reachable, pk=pk)
    template = "pre_cases/erasure_progress.html" if asks_again else "pre_cases/erasure_detail.html"
    return render(request, template, _progress(request, erasure))


def _progress(request: SignedInRequest, erasure: Erasure) -> dict[str, Any]:
    return {
        "erasure": erasure,
        "counts": _in_order(erasure.counts),
        "steps": [{"label": step.label, "is_done": erasure.has_done(step)} for step in ErasureStep],
        "is_under_way": erasure.state in UNDER_WAY,
        "is_done": erasure.state == Erasure.State.DONE,
        "obstacle": OBSTACLES.get(erasure.obstacle, ""),
        "may_decide": Erasure.objects.decidable_by(request.user).filter(pk=erasure.pk).exists(),
        "is_own": erasure.requested_by_id == request.user.pk,
    }


@require_http_methods(FORM)
@second_factor_again
def erasure_decide(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Approve, and the job begins; or refuse, with a reason."""
    erasure = consult(request, Erasure.objects.decidable_by(request.user).select_related(*PEOPLE).defer(*HEAVY), pk=pk)
    form = DecisionForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        approves = form.cleaned_data["decision"] == DecisionForm.APPROVE
        done = attempt(
            form,
            lambda: (
                approve_erasure(erasure=erasure, by=request.user)
                if approves
                else refuse_erasure(erasure=erasure, reason=form.cleaned_data["reason"], by=request.user)
            ),
        )
        if done is not None:
            messages.success(request, "L’effacement commence." if approves else "L’effacement est refusé.")
            return redirect("pre_cases:erasure_detail", pk=pk)
    context = {"erasure": erasure, "counts": _in_order(erasure.counts), "form": form}
    return render(request, "pre_cases/erasure_decide.html", context, status=422 if form.is_bound else 200)


@require_safe
def erasure_certificate(request: SignedInRequest, pk: UUID, form: str = "pdf") -> HttpResponse:
    """The signed certificate of an erasure that is over, to print or to verify; it names nobody."""
    done = Erasure.objects.visible_to(request.user).filter(state=Erasure.State.DONE)
    erasure = consult(request, done, pk=pk, action=Action.DOWNLOAD, data_kind="certificate")
    day = timezone.localdate(erasure.decided_at).isoformat()
    content = bytes(erasure.certificate_pdf or b"") if form == "pdf" else erasure.certificate.encode()
    name = f"marelle-effacement-{day}-{erasure.pk}.{form}"
    return HttpResponse(
        content,
        content_type=FORMS[form],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
