"""Accounts: who may sign in, as what, until when. Everybody for the administration, their teams for coordinations."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Prefetch, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from audit.journal.consult import capped_counts, consult, consult_page
from referents.forms.accounts import AccountSearchForm, IdentityForm, InviteForm
from referents.models import Membership, Team, User
from referents.models.charter import charter_until
from referents.models.user import UserQuerySet
from referents.past import past_of
from referents.requests import SignedInRequest
from referents.services.accounts import change_identity
from referents.services.invitations import invite
from referents.services.memberships import roles_given_by
from referents.states import AccountState, in_state
from referents.views.answer import attempt
from referents.views.reach import require
from referents.views.step_up import second_factor_again

FORM = ["GET", "HEAD", "POST"]
ORDER = ("search_name", "id")
KIND = "referents.user"


def shown_accounts(user: User) -> UserQuerySet:
    """The accounts in reach, each with its charter and the current or coming roles that the reader sees."""
    memberships = Membership.objects.visible_to(user).lasting().select_related("team").order_by("role", "team__code")
    accounts: UserQuerySet = User.objects.visible_to(user)
    return accounts.annotate(charter_until=charter_until("pk")).prefetch_related(
        Prefetch("memberships", queryset=memberships, to_attr="lasting_memberships"),
    )


@require_safe
def account_list(request: SignedInRequest) -> HttpResponse:
    """The accounts by name, by state; twenty-five a page."""
    require(request, User.objects.may_be_listed_by(request.user), kind=KIND)
    states = {state.name: in_state(state, Membership.objects.visible_to(request.user)) for state in AccountState}
    chosen = next((state for state in AccountState if state == request.GET.get("etat")), None)
    accounts = shown_accounts(request.user)
    page = consult_page(request, accounts.filter(states[chosen.name]) if chosen else accounts, order=ORDER)
    counts = capped_counts(User.objects.visible_to(request.user), {"all": Q(), **states})
    context = _list_context(request) | {"page": page, "filters": _filters(counts, chosen), "chosen": chosen}
    return render(request, "referents/account_list.html", context)


@require_http_methods(FORM)
def account_search(request: SignedInRequest) -> HttpResponse:
    """The accounts whose name answers. Sent by POST: no name stands in an address, nor in a log."""
    require(request, User.objects.may_be_listed_by(request.user), kind=KIND)
    if request.method != "POST":
        return redirect("account_list")
    form = AccountSearchForm(request.POST)
    text = form.cleaned_data["name"] if form.is_valid() else ""
    accounts = shown_accounts(request.user).matching(text) if text else User.objects.none()
    page = consult_page(request, accounts, order=ORDER, cursor="", action="search")
    context = _list_context(request) | {"page": page, "search": form, "searched": True}
    return render(request, "referents/account_list.html", context, status=422 if form.errors else 200)


def _list_context(request: SignedInRequest) -> dict[str, Any]:
    return {
        "search": AccountSearchForm(),
        "today": timezone.localdate(),
        "is_whole": User.objects.may_be_wholly_listed_by(request.user),
        "may_invite": User.objects.may_be_invited_by(request.user),
    }


def _filters(counts: dict[str, int], chosen: AccountState | None) -> list[dict[str, Any]]:
    address = reverse("account_list")
    everybody = {"label": "Tous", "url": address, "count": counts["all"], "active": chosen is None}
    return [everybody] + [
        {
            "label": state.label.capitalize(),
            "url": f"{address}?{urlencode({'etat': state})}",
            "count": counts[state.name],
            "active": state == chosen,
        }
        for state in AccountState
    ]


@require_safe
def account_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One account: who, as what and when, its charter and its invitation, and what was changed by whom."""
    account = consult(request, shown_accounts(request.user), pk=pk)
    roles = Membership.objects.visible_to(request.user)
    administers = User.objects.administered_by(request.user).filter(pk=pk).exists()
    reads_all = User.objects.may_be_wholly_listed_by(request.user)
    endable = set(Membership.objects.endable_by(request.user).filter(user=pk).values_list("pk", flat=True))
    rows = list(roles.filter(user=pk).select_related("team").order_by("-starts_on", "-pk"))
    may_invite = User.objects.invited_by(request.user).filter(pk=pk).exists()
    context = {
        "account": account,
        "memberships": [(row, row.pk in endable and not row.is_over) for row in rows],
        "has_lasting_role": any(not row.is_over for row in rows),
        "invitation": account.invitations.order_by("-pk").first(),
        "past": past_of(account, roles, in_full=reads_all),
        "administers": administers,
        "reads_all": reads_all,
        "may_grant": User.objects.staffed_by(request.user).filter(pk=pk).exists() and pk != request.user.pk,
        "may_send": may_invite and account.is_active and not account.has_entered,
        "is_self": pk == request.user.pk,
        "today": timezone.localdate(),
    }
    return render(request, "referents/account_detail.html", context)


@require_http_methods(FORM)
def account_invite(request: SignedInRequest) -> HttpResponse:
    """Somebody new, with a first role. The answer never says whether the address already opened an account."""
    require(request, User.objects.may_be_invited_by(request.user), kind=KIND, asked="invite")
    teams = Team.objects.staffed_by(request.user)
    form = InviteForm(request.POST or None, roles=roles_given_by(request.user), teams=teams)
    if form.is_valid():
        attempt(form, lambda: invite(by=request.user, **form.cleaned_data))
    if form.is_bound and not form.errors:
        messages.success(request, "C’est enregistré : la personne reçoit un courriel.")
        return redirect("account_list")
    return render(request, "referents/account_invite.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(FORM)
@second_factor_again
def account_change(request: SignedInRequest, pk: int) -> HttpResponse:
    account = consult(request, User.objects.administered_by(request.user), pk=pk)
    form = IdentityForm(request.POST or None, instance=User.objects.get(pk=pk))
    if form.is_valid() and attempt(form, lambda: change_identity(user=account, by=request.user, **form.cleaned_data)):
        messages.success(request, "L’identité est corrigée.")
        return redirect("account_detail", pk=pk)
    context = {"form": form, "account_id": pk}
    return render(request, "referents/account_change.html", context, status=422 if form.is_bound else 200)
