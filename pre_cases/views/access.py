"""Shares of a parcours, requests for access, and the page where everybody finds one's own accesses."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from audit.journal.consult import consult, consult_page
from pre_cases.forms.access import AcceptAccessForm, AccessRequestForm, RefusalForm, ShareForm
from pre_cases.models import AccessRequest, ExceptionalAccess, HandOver, Parcours, ParcoursShare
from pre_cases.services.access import revoke_share, share_candidates, share_obstacle, share_parcours
from pre_cases.services.access_request import accept_access, ask_access, refuse_access
from pre_cases.views.parcours import FORM, answer
from referents.forms.confirm import ConfirmForm
from referents.models import Membership, Role, StandIn, User
from referents.requests import SignedInRequest
from referents.views.answer import attempt, note_foreign_choice
from referents.views.reach import require

LATELY = timedelta(days=30)
MOST_SHOWN = 50  # rows of each kind on the page of one's accesses

M = TypeVar("M", bound=Model)


@require_http_methods(FORM)
def share_create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Give a professional of the team the parcours to read, for a reason and until a day."""
    scope = Parcours.objects.editable_by(request.user).with_card().select_related("agreement")
    parcours = consult(request, scope, pk=pk)
    form = ShareForm(request.POST or None, people=share_candidates(parcours, request.user))
    if form.is_valid() and attempt(
        form, lambda: share_parcours(parcours=parcours, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Le parcours est partagé : la personne le lit dès maintenant.")
        return redirect("pre_cases:parcours_detail", pk=pk)
    note_foreign_choice(form, request.user, ParcoursShare._meta.label_lower)
    return answer(request, "pre_cases/share_create.html", parcours, form, obstacle=share_obstacle(parcours))


@require_http_methods(FORM)
def share_revoke(request: SignedInRequest, pk: UUID) -> HttpResponse:
    scope = ParcoursShare.objects.editable_by(request.user).select_related("content_object", "user", "granted_by")
    share = consult(request, scope, pk=pk)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and attempt(form, lambda: revoke_share(share=share, by=request.user)):
        messages.success(request, "Le partage est retiré : la personne ne voit plus le parcours.")
        return redirect("pre_cases:parcours_detail", pk=share.content_object_id)
    parcours = Parcours.objects.with_card().get(pk=share.content_object_id)
    return answer(request, "pre_cases/share_revoke.html", parcours, form, share=share)


@require_safe
def colleague_list(request: SignedInRequest) -> HttpResponse:
    """The limited cards of the person's teams: first name, référent, team, and nothing else."""
    teams = request.user.standing.team_ids(Role.REFERENT, Role.COORDINATOR)
    require(request, bool(teams), kind="pre_cases.parcours")
    cards = Parcours.objects.listed_to(request.user).with_card()
    page = consult_page(request, cards, order=("team_id", "id"), data_kind="card")
    return render(request, "pre_cases/colleague_list.html", {"page": page})


@require_http_methods(FORM)
def parcours_card(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The limited card of a colleague's parcours, and *ask for access*."""
    parcours = consult(request, Parcours.objects.listed_to(request.user).with_card(), pk=pk, data_kind="card")
    if request.user.has_perm("pre_cases.view_parcours", parcours):
        return redirect("pre_cases:parcours_detail", pk=pk)
    waiting = AccessRequest.objects.pending().filter(parcours=parcours, asked_by=request.user).first()
    form = AccessRequestForm(request.POST or None)
    if form.is_valid() and attempt(form, lambda: ask_access(parcours=parcours, by=request.user, **form.cleaned_data)):
        messages.success(request, "La demande est envoyée : la réponse apparaîtra dans « Accès et relais ».")
        return redirect("pre_cases:parcours_card", pk=pk)
    context = {"parcours": parcours, "form": form, "waiting": waiting}
    return render(request, "pre_cases/parcours_card.html", context, status=422 if form.is_bound else 200)


@require_http_methods(FORM)
def access_answer(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Open the parcours to who asked, until a day; or refuse, and say why. Both buttons are on the page."""
    scope = AccessRequest.objects.answerable_by(request.user).select_related("parcours", "asked_by")
    asked = consult(request, scope, pk=pk)
    refused = "refuse" in request.POST
    accept = AcceptAccessForm(request.POST if request.method == "POST" and not refused else None)
    refuse = RefusalForm(request.POST if refused else None)
    if refuse.is_valid() and attempt(
        refuse, lambda: refuse_access(request=asked, by=request.user, **refuse.cleaned_data)
    ):
        messages.success(request, "Le refus est enregistré : la personne lira pourquoi.")
        return redirect("pre_cases:my_accesses")
    if accept.is_valid() and attempt(
        accept, lambda: accept_access(request=asked, by=request.user, **accept.cleaned_data)
    ):
        messages.success(request, "Le parcours est ouvert en lecture jusqu’au jour choisi.")
        return redirect("pre_cases:my_accesses")
    parcours = Parcours.objects.with_card().get(pk=asked.parcours_id)
    context = {"asked": asked, "accept": accept, "refuse": refuse}
    return answer(request, "pre_cases/access_answer.html", parcours, refuse if refused else accept, **context)


@require_safe
def my_accesses(request: SignedInRequest) -> HttpResponse:
    """What waits for the person's answer, and every access held or given beside one's own role, with its end."""
    person = request.user
    child = "parcours__child"
    waiting = HandOver.objects.answerable_by(person).select_related(child, "from_referent")
    requests = AccessRequest.objects.answerable_by(person).select_related(child, "asked_by")
    own_requests = AccessRequest.objects.asked_by(person).select_related(child, "share")
    passed = HandOver.objects.seen_by(person).exclude(pk__in=waiting.values("pk"))
    shares = ParcoursShare.objects.select_related("content_object__child", "user", "granted_by")
    exceptional = ExceptionalAccess.objects.held_by(person).select_related("content_object__child")
    stand_ins = StandIn.objects.not_over().select_related("user", "content_object__user", "content_object__team")
    caseloads = Membership.objects.current().caseloads_managed_by(person).filter(user=person)
    context = {
        "hand_overs": listed(request, waiting, "asked_at"),
        "requests": listed(request, requests, "asked_at"),
        "own_requests": listed(request, own_requests, "-asked_at"),
        "passed": listed(request, passed.select_related(child, "from_referent", "to_referent"), "-asked_at"),
        "received": listed(request, shares.held_by(person), "ends_on"),
        "given": listed(request, shares.in_force().editable_by(person).filter(granted_by=person), "ends_on"),
        "exceptional": listed(request, exceptional, "granted_at"),
        "replaces": list(stand_ins.filter(user=person).order_by("starts_on", "pk")),
        "replaced": list(stand_ins.of_person(person).order_by("starts_on", "pk")),
        "may_open": person.standing.holds(Role.COORDINATOR),
        "caseloads": list(caseloads.select_related("team")),
        "ended": ended_lately(person),
    }
    return render(request, "pre_cases/my_accesses.html", context)


@dataclass(frozen=True)
class Ended:
    """A grant that is over, without the child's name: whoever has lost an access no longer reads it here."""

    kind: str
    given_by: str
    given_at: datetime
    on: date


def ended_lately(person: User) -> list[Ended]:
    """What was opened to the person and has ended for a month at most, the latest first."""
    since = timezone.localdate() - LATELY
    found = []
    for model in (ParcoursShare, ExceptionalAccess, StandIn):
        over = model.objects.over().filter(user=person).select_related("granted_by", "membership")
        for grant in over.order_by("-granted_at", "-pk")[:MOST_SHOWN]:
            if grant.ended_on > since:
                kind = str(model._meta.verbose_name)
                found.append(Ended(kind, grant.granted_by.get_full_name(), grant.granted_at, grant.ended_on))
    return sorted(found, key=lambda ended: ended.on, reverse=True)


def listed(request: SignedInRequest, records: QuerySet[M], order: str) -> list[M]:
    """The first rows of a list that may hold a child's name, with their event; nothing, and no event, when empty."""
    if not records.exists():
        return []
    return consult_page(request, records, order=(order, "id"), cursor="", size=MOST_SHOWN).records
