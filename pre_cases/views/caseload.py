"""A référent's whole caseload: passing it on, answering, and replacing somebody who is away."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.journal.consult import consult, consult_page
from audit.services import Refused
from pre_cases.forms.access import RefusalForm
from pre_cases.forms.caseload import HandOverAcceptForm, HandOverForm, StandInForm
from pre_cases.models import HandOver, Parcours, Saisine, Task
from pre_cases.querysets.parcours import ParcoursQuerySet
from pre_cases.services.hand_over import accept_hand_over, ask_hand_over, cancel_hand_over, refuse_hand_over
from pre_cases.views.parcours import FORM
from referents.models import Membership, Role, StandIn, User
from referents.requests import SignedInRequest
from referents.services.stand_in import end_stand_in, start_stand_in
from referents.views.answer import attempt, carry_out, note_foreign_choice

CASELOAD = 300  # parcours of one référent in one team, a number that nobody reaches


def caseload_of(membership: Membership) -> ParcoursQuerySet:
    """The open parcours that a référent follows in one team."""
    return Parcours.objects.in_team(membership.team_id or 0).open().assigned_to(membership.user_id)


def managed_caseload(request: SignedInRequest, pk: int) -> Membership:
    scope = Membership.objects.caseloads_managed_by(request.user).select_related("user", "team")
    return consult(request, scope, pk=pk)


# -- passing on ---------------------------------------------------------------------------------------------------


@require_http_methods(FORM)
def caseload_hand_over(request: SignedInRequest, pk: int) -> HttpResponse:
    """Choose whom and which parcours, look at what it will change, then ask; nothing changes before the answer."""
    membership = managed_caseload(request, pk)
    caseload = caseload_of(membership)
    people = User.objects.holding(Role.REFERENT, membership.team_id or 0).exclude(pk=membership.user_id)
    form = HandOverForm(request.POST or None, parcours_list=caseload, people=people)
    seen = "confirm" in request.POST
    if (
        form.is_valid()
        and seen
        and attempt(form, lambda: ask_hand_over(from_referent=membership.user, by=request.user, **form.cleaned_data))
    ):
        messages.success(request, "Le relais est proposé : rien ne change avant la réponse.")
        return redirect("pre_cases:my_accesses")
    note_foreign_choice(form, request.user, HandOver._meta.label_lower)
    page = consult_page(request, caseload.with_card(), size=CASELOAD)
    context: dict[str, Any] = {
        "membership": membership,
        "form": form,
        "page": page,
        "ticked": request.POST.getlist("parcours_list") if form.is_bound else [str(found.pk) for found in page],
        "saisines": Saisine.objects.in_team(membership.team_id or 0).waiting().filter(assignee=membership.user).count(),
    }
    if form.is_valid() and not seen:
        return render(request, "pre_cases/caseload_preview.html", context | preview(membership, form.cleaned_data))
    status = 422 if form.is_bound else 200
    return render(request, "pre_cases/caseload_hand_over.html", context, status=status)


def preview(membership: Membership, chosen: dict[str, Any]) -> dict[str, Any]:
    """What the hand-over would change: the load of the one who receives, what is late, the tasks that follow."""
    today = timezone.localdate()
    passed, receiver = chosen["parcours_list"], chosen["to_referent"]
    load = Parcours.objects.in_team(membership.team_id or 0).open().assigned_to(receiver.pk).count()
    counts = passed.aggregate(count=Count("pk"), late=Count("pk", filter=Q(due_on__lt=today)))
    tasks = Task.objects.open().filter(parcours__in=passed, assignee=membership.user).count()
    return counts | {"receiver": receiver, "load": load, "load_after": load + counts["count"], "tasks": tasks}


@require_POST
def hand_over_accept(request: SignedInRequest) -> HttpResponse:
    """Take on the ticked parcours; each on its own: those that a rule refuses are said, the others are done.

    Who passes several on has one letter, not one for each.
    """
    form = HandOverAcceptForm(request.POST, offered=HandOver.objects.answerable_by(request.user))
    note_foreign_choice(form, request.user, HandOver._meta.label_lower)
    taken, refused = 0, [str(error) for errors in form.errors.values() for error in errors]
    told: set[tuple[int, int]] = set()
    for hand_over in form.cleaned_data.get("hand_over_list", []):
        people = (hand_over.asked_by_id, hand_over.from_referent_id)
        try:
            accept_hand_over(hand_over=hand_over, tell=people not in told, by=request.user)
            taken += 1
            told.add(people)
        except Refused as refusal:
            refused.append(str(refusal))
    if taken:
        messages.success(request, f"Vous suivez désormais {taken} parcours de plus : ils sont dans « Mes parcours ».")
    for sentence in dict.fromkeys(refused):
        messages.warning(request, sentence)
    return redirect("pre_cases:my_accesses")


@require_http_methods(FORM)
def hand_over_refuse(request: SignedInRequest, pk: UUID) -> HttpResponse:
    scope = HandOver.objects.answerable_by(request.user).select_related("parcours", "from_referent")
    hand_over = consult(request, scope, pk=pk)
    form = RefusalForm(request.POST or None)
    if form.is_valid() and attempt(
        form, lambda: refuse_hand_over(hand_over=hand_over, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le refus est enregistré : le référent reste le même, et lira pourquoi.")
        return redirect("pre_cases:my_accesses")
    context = {"hand_over": hand_over, "form": form}
    return render(request, "pre_cases/hand_over_refuse.html", context, status=422 if form.is_bound else 200)


@require_POST
def hand_over_cancel(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Take the request back before its answer."""
    scope = HandOver.objects.cancellable_by(request.user).select_related("parcours")
    hand_over = consult(request, scope, pk=pk)
    carry_out(
        request, lambda: cancel_hand_over(hand_over=hand_over, by=request.user), "La proposition de relais est retirée."
    )
    return redirect("pre_cases:my_accesses")


# -- replacing ----------------------------------------------------------------------------------------------------


@require_safe
def stood_in_parcours(request: SignedInRequest) -> HttpResponse:
    """*Remplacements*: the parcours of the référents whom the person replaces today."""
    page = consult_page(request, Parcours.objects.stood_in_by(request.user).with_card())
    context = {"page": page, "replacements": request.user.replacements}
    return render(request, "pre_cases/stood_in_parcours.html", context)


@require_http_methods(FORM)
def stand_in_create(request: SignedInRequest, pk: int) -> HttpResponse:
    """Have somebody of the team hold the caseload of an absent référent, from a day to another."""
    membership = managed_caseload(request, pk)
    team_id = membership.team_id or 0
    holders = User.objects.holding(Role.REFERENT, team_id) | User.objects.holding(Role.COORDINATOR, team_id)
    form = StandInForm(request.POST or None, people=holders.exclude(pk=membership.user_id))
    if form.is_valid() and attempt(
        form, lambda: start_stand_in(membership=membership, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le remplacement est enregistré : les deux personnes sont prévenues.")
        return redirect("pre_cases:my_accesses")
    note_foreign_choice(form, request.user, StandIn._meta.label_lower)
    context = {"membership": membership, "form": form, "caseload": caseload_of(membership).count()}
    return render(request, "pre_cases/stand_in_create.html", context, status=422 if form.is_bound else 200)


@require_POST
def stand_in_end(request: SignedInRequest, pk: int) -> HttpResponse:
    """The référent is back: the replacement ends now."""
    stand_in = consult(request, StandIn.objects.editable_by(request.user), pk=pk)
    carry_out(
        request,
        lambda: end_stand_in(stand_in=stand_in, by=request.user),
        "Le remplacement est terminé : il n’ouvre plus rien.",
    )
    return redirect("pre_cases:my_accesses")
