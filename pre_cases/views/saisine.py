"""Saisines: the list of those that wait, recording one, who follows it, and how it ends."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from audit.encryption.keys import load_keys_of
from audit.journal.consult import CURSOR_PARAMETER, capped_counts, consult, consult_page
from audit.journal.models import Action
from pre_cases.day import URGENT
from pre_cases.forms.saisine import (
    AssigneeForm,
    ChildSearchForm,
    NewChildForm,
    OutcomeForm,
    SiblingForm,
    SituationForm,
    ToldForm,
)
from pre_cases.forms.timeline import EntryForm
from pre_cases.instruction import ENDED, page_of
from pre_cases.models import Child, Parcours, Saisine
from pre_cases.querysets.saisine import WAITING
from pre_cases.search.proof import proof_of_search, proves_search
from pre_cases.services.duplicates import Known, look_for_child
from pre_cases.services.family import KnownAdult, NewAdult, is_unusual_age
from pre_cases.services.saisine import (
    SAISINE_DRAFT,
    NewChild,
    assign_saisine,
    decide_outcome,
    is_followed,
    receive_saisine,
    record_told,
)
from pre_cases.services.timeline import add_entry
from pre_cases.stages import SaisineStage
from pre_cases.views.drafts import answer_draft, draft_of
from pre_cases.views.family import UNUSUAL_AGE
from pre_cases.views.parcours import FORM
from referents.models import Role, Team, User
from referents.requests import SignedInRequest
from referents.views.answer import attempt
from referents.views.reach import require

MOST_KNOWN = 50  # parcours shown of children who may be the one sought
RECORDED = "La saisine est enregistrée."
ALL, UNFOLLOWED, OVER = "", "sans-suivi", "sans-parcours"
# value in the address: (label, condition); the first one shows every saisine that waits
FILTERS: dict[str, tuple[str, Q]] = {
    ALL: ("Toutes", Q(stage_code__in=[stage.value for stage in WAITING])),
    URGENT: ("Urgentes", Q(is_urgent=True, stage_code__in=[stage.value for stage in WAITING])),
    SaisineStage.DRAFT.value: ("Brouillons", Q(stage_code=SaisineStage.DRAFT.value)),
    SaisineStage.RECEIVED.value: ("Reçues", Q(stage_code=SaisineStage.RECEIVED.value)),
    SaisineStage.TO_COMPLETE.value: ("À compléter", Q(stage_code=SaisineStage.TO_COMPLETE.value)),
    SaisineStage.AGREEMENT_AWAITED.value: ("Accord attendu", Q(stage_code=SaisineStage.AGREEMENT_AWAITED.value)),
    SaisineStage.AGREEMENT_SIGNED.value: (
        "Accord signé, à ouvrir",
        Q(stage_code=SaisineStage.AGREEMENT_SIGNED.value),
    ),
    UNFOLLOWED: (
        "Sans personne pour la suivre",
        Q(assignee__isnull=True, stage_code__in=[stage.value for stage in WAITING]),
    ),
    SaisineStage.AGREEMENT_REFUSED.value: (
        "Accord refusé ou retiré",
        Q(stage_code=SaisineStage.AGREEMENT_REFUSED.value),
    ),
    OVER: ("Sans parcours", Q(stage_code__in=[stage.value for stage in ENDED])),
}


@require_safe
def saisine_list(request: SignedInRequest) -> HttpResponse:
    """What waits in the person's teams: urgent ones first, then the oldest."""
    person = request.user
    teams = working_teams(person)
    require(request, bool(teams), kind="pre_cases.saisine")
    team = next((team for team in teams if team.code == request.GET.get("equipe")), None)
    scope = Saisine.objects.visible_to(person).at_stage(*WAITING, SaisineStage.AGREEMENT_REFUSED, *ENDED)
    if team is not None:
        scope = scope.in_team(team.pk)
    chosen = request.GET.get("filtre", ALL)
    chosen = chosen if chosen in FILTERS else ALL
    counts = capped_counts(scope, {f"f{number}": condition for number, (_, condition) in enumerate(FILTERS.values())})
    rows = scope.filter(FILTERS[chosen][1]).select_related("child", "source", "assignee", "team")
    order = ("-received_on", "-id") if chosen == OVER else ("-is_urgent", "received_on", "id")
    page = consult_page(request, rows, order=order)
    context = {
        "page": page,
        "next_url": f"?{_query(chosen, team, page.next_cursor)}" if page.has_next else "",
        "first_url": "" if page.is_first else f"?{_query(chosen, team)}",
        "filters": _filter_links(request, counts, chosen, team),
        "chosen": chosen,
        "latest_first": chosen == OVER,
        "chosen_label": FILTERS[chosen][0],
        "team": team,
        "several_teams": len(teams) > 1,
    }
    return render(request, "pre_cases/saisine_list.html", context)


def _query(chosen: str, team: Team | None, cursor: str = "") -> str:
    values = {"filtre": chosen, "equipe": team.code if team else "", CURSOR_PARAMETER: cursor}
    return urlencode({name: value for name, value in values.items() if value})


def working_teams(person: User) -> list[Team]:
    """The teams in which the person records and follows saisines."""
    standing = person.standing
    teams = {team.pk: team for role in (Role.REFERENT, Role.COORDINATOR) for team in standing.teams(role)}
    return list(teams.values())


def _filter_links(
    request: SignedInRequest, counts: dict[str, int], chosen: str, team: Team | None
) -> list[dict[str, Any]]:
    links = []
    for number, (value, (label, _)) in enumerate(FILTERS.items()):
        query = _query(value, team)
        url = f"{request.path}?{query}" if query else request.path
        links.append({"label": label, "url": url, "count": counts[f"f{number}"], "active": value == chosen})
    return links


@require_http_methods(FORM)
def saisine_search(request: SignedInRequest) -> HttpResponse:
    """Before a child is recorded: is it known already? Then the whole form, with what was typed."""
    require(request, bool(working_teams(request.user)), kind="pre_cases.saisine", asked=Action.CREATE)
    form = ChildSearchForm(request.POST or None, person=request.user, initial=_initial(request))
    if form.is_valid():
        known = attempt(form, lambda: look_for_child(by=request.user, **form.cleaned_data))
        if known is not None:
            typed = form.cleaned_data | {"team": form.cleaned_data["team"].pk}
            whole = NewChildForm(
                person=request.user, initial=typed | {"searched": proof_of_search(request.user, form.cleaned_data)}
            )
            context = {"form": whole, "known": known, "known_children": _known_children(request, known)}
            context["just_searched"] = True
            return render(request, "pre_cases/saisine_create.html", context)
    context = {"form": form, "draft": draft_of(request, SAISINE_DRAFT)}
    return render(request, "pre_cases/saisine_search.html", context, status=422 if form.is_bound else 200)


def _known_children(request: SignedInRequest, known: Known) -> list[dict[str, Any]]:
    """The children in reach, each with the latest parcours that the person may read, if any."""
    if not known.children:
        return []
    carried = Parcours.objects.carried_by(request.user).with_card().filter(child__in=known.children)
    read = consult_page(request, carried, order=("opened_on", "id"), cursor="", size=MOST_KNOWN, action=Action.READ)
    cards = {parcours.child_id: parcours for parcours in read}
    return [{"child": child, "parcours": cards.get(child.pk)} for child in known.children]


@require_http_methods(FORM)
def saisine_create(request: SignedInRequest) -> HttpResponse:
    """A saisine about a child whom nobody in the team knows yet; it begins by a search, or by the draft of one."""
    require(request, bool(working_teams(request.user)), kind="pre_cases.saisine", asked=Action.CREATE)
    back = reverse("pre_cases:saisine_search")
    kept = answer_draft(request, NewChildForm(person=request.user), name=SAISINE_DRAFT, back=back)
    if kept is not None:
        return kept
    draft = draft_of(request, SAISINE_DRAFT)
    if request.method != "POST" and draft is None:
        return redirect(back)
    if request.method != "POST" and draft is not None:
        form = NewChildForm(person=request.user, initial=draft.content)
        return render(request, "pre_cases/saisine_create.html", {"form": form, "draft": draft})
    form = NewChildForm(request.POST, person=request.user)
    return _record(
        request, form, "pre_cases/saisine_create.html", lambda: {"new_child": _new_child(form)}, {"draft": draft}
    )


@require_http_methods(FORM)
def saisine_again(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """A new saisine about a child already known."""
    child = consult(request, Child.objects.referable_by(request.user), pk=pk)
    form = SituationForm(request.POST or None, person=request.user, initial=_initial(request))
    context = {"child": child, "is_followed": is_followed(child.pk)}
    return _record(request, form, "pre_cases/saisine_again.html", lambda: {"child": child}, context)


@require_http_methods(FORM)
def saisine_sibling(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """A saisine about a sister or brother of a known child; only the adults around that child are offered."""
    sibling = consult(request, Child.objects.referable_by(request.user).select_related("family"), pk=pk)
    links = list(sibling.adult_links.current().select_related("adult").order_by("starts_on", "id"))
    load_keys_of(*(link.adult for link in links))
    residence = sibling.residences.current().first()
    initial = _initial(request) | {
        "family_name": sibling.family_name,
        "address": residence.address if residence else "",
    }
    form = SiblingForm(request.POST or None, person=request.user, links=links, initial=initial)
    return _record(
        request,
        form,
        "pre_cases/saisine_sibling.html",
        lambda: {"new_child": _new_child(form, sibling)},
        {"sibling": sibling},
    )


def _initial(request: SignedInRequest) -> dict[str, Any]:
    teams = working_teams(request.user)
    return {"team": teams[0].pk} if len(teams) == 1 else {}


def _new_child(form: NewChildForm, sibling: Child | None = None) -> NewChild:
    typed = form.cleaned_data
    return NewChild(
        **{name: typed[name] for name in ("first_name", "family_name", "birth_date", "sex", "address", "level")},
        school=typed["school"],
        family=sibling.family if sibling else None,
        adults=[NewAdult(**adult) for adult in form.adults_typed()],
        known_adults=_known_adults(form) if isinstance(form, SiblingForm) else [],
    )


def _known_adults(form: SiblingForm) -> list[KnownAdult]:
    return [KnownAdult(adult=link.adult, **facts) for link, facts in form.known_ticked()]


def _record(
    request: SignedInRequest,
    form: SituationForm,
    template: str,
    about: Callable[[], dict[str, Any]],
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """Record the saisine typed and show it, or the page again with everything that was typed.

    A new child is looked for first, unless that was just done under these very names.
    """
    context = context or {}
    known = _known_before(request, form) if form.is_valid() and isinstance(form, NewChildForm) else None
    if known:
        context |= {"known": known, "known_children": _known_children(request, known)}
    elif form.is_valid():
        typed = {"is_draft": "unsent" in request.POST} | form.situation_values()
        saisine = attempt(form, lambda: receive_saisine(by=request.user, **about(), **typed))
        if saisine:
            done = "Le brouillon est gardé : il reste à le transmettre." if saisine.is_draft else RECORDED
            messages.success(request, done)
            if is_unusual_age(form.cleaned_data.get("birth_date"), saisine.received_on):
                messages.warning(request, UNUSUAL_AGE)
            return redirect("pre_cases:saisine_detail", pk=saisine.pk)
    return render(request, template, {"form": form} | context, status=422 if form.is_bound else 200)


def _known_before(request: SignedInRequest, form: NewChildForm) -> Known | None:
    """What a search finds of the child typed, which the next sending shows to have been seen; None when it was."""
    if proves_search(form.cleaned_data["searched"], request.user, form.cleaned_data):
        return None
    wanted = {name: form.cleaned_data[name] for name in ("first_name", "family_name", "birth_date", "team")}
    known: Known | None = attempt(form, lambda: look_for_child(by=request.user, **wanted))
    if known is not None:
        sent = request.POST.copy()
        sent["searched"] = proof_of_search(request.user, form.cleaned_data)
        form.data = sent
    return known


@require_safe
def saisine_detail(request: SignedInRequest, pk: UUID) -> HttpResponse:
    scope = Saisine.objects.visible_to(request.user).with_stage()
    related = ("child__family", "team", "source", "assignee", "author", "outcome_by")
    saisine = consult(request, scope.select_related(*related), pk=pk)
    return render(request, "pre_cases/saisine_detail.html", page_of(saisine, request.user))


@require_http_methods(FORM)
def saisine_assign(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The coordination chooses who follows the saisine; a référent takes one that nobody follows."""
    saisine = consult(request, Saisine.objects.editable_by(request.user).select_related("child"), pk=pk)
    form = AssigneeForm(
        request.POST or None, people=_possible_assignees(request, saisine), initial={"assignee": saisine.assignee_id}
    )
    if form.is_valid() and attempt(form, lambda: assign_saisine(saisine=saisine, by=request.user, **form.cleaned_data)):
        messages.success(request, "La personne qui suit la saisine est enregistrée.")
        return redirect("pre_cases:saisine_detail", pk=pk)
    return answer(request, "pre_cases/saisine_assign.html", saisine, form)


def _possible_assignees(request: SignedInRequest, saisine: Saisine) -> Any:
    if not request.user.has_perm("pre_cases.decide_saisine", saisine):
        return User.objects.filter(pk=request.user.pk)
    referents = User.objects.holding(Role.REFERENT, saisine.team_id)
    return referents | User.objects.holding(Role.COORDINATOR, saisine.team_id)


@require_http_methods(FORM)
def saisine_outcome(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """How a saisine ends without a parcours; afterwards, the days on which it was told."""
    saisine = consult(request, Saisine.objects.decidable_by(request.user).select_related("child"), pk=pk)
    form: ToldForm
    change: Callable[..., Saisine]
    if saisine.outcome:
        told = {"family_told_on": saisine.family_told_on, "requester_told_on": saisine.requester_told_on}
        form, change = ToldForm(request.POST or None, initial=told), record_told
    else:
        form, change = OutcomeForm(request.POST or None, is_followed=is_followed(saisine.child_id)), decide_outcome
    if form.is_valid() and attempt(form, lambda: change(saisine=saisine, by=request.user, **form.cleaned_data)):
        messages.success(request, "La suite donnée est enregistrée.")
        return redirect("pre_cases:saisine_detail", pk=pk)
    return answer(request, "pre_cases/saisine_outcome.html", saisine, form)


@require_http_methods(FORM)
def saisine_entry(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """An exchange before the opening; it follows the saisine into the parcours."""
    saisine = consult(request, Saisine.objects.instructed_by(request.user).select_related("child"), pk=pk)
    form = EntryForm(request.POST or None)
    if form.is_valid() and attempt(form, lambda: add_entry(saisine=saisine, by=request.user, **form.cleaned_data)):
        messages.success(request, "L’échange est enregistré.")
        return redirect("pre_cases:saisine_detail", pk=pk)
    return answer(request, "pre_cases/saisine_entry.html", saisine, form)


def answer(request: SignedInRequest, template: str, saisine: Saisine, form: Any, **context: Any) -> HttpResponse:
    """A form page of a saisine: what was typed, and 422 when it was refused."""
    context |= {"saisine": saisine, "form": form}
    return render(request, template, context, status=422 if form.is_bound else 200)
