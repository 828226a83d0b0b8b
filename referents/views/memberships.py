"""Roles of one account: giving one, ending one."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from audit.journal.consult import consult
from referents.forms.accounts import EndForm, MembershipForm
from referents.models import Membership, Team, User
from referents.requests import SignedInRequest
from referents.services.memberships import end_membership, grant_membership, roles_given_by
from referents.views.accounts import FORM
from referents.views.answer import attempt


@require_http_methods(FORM)
def membership_grant(request: SignedInRequest, pk: int) -> HttpResponse:
    account = consult(request, User.objects.staffed_by(request.user), pk=pk)
    teams = Team.objects.staffed_by(request.user)
    form = MembershipForm(request.POST or None, roles=roles_given_by(request.user), teams=teams)
    if form.is_valid() and attempt(form, lambda: grant_membership(user=account, by=request.user, **form.cleaned_data)):
        messages.success(request, "Le rôle est donné.")
        return redirect("account_detail", pk=pk)
    context = {"form": form, "account": account}
    return render(request, "referents/membership_grant.html", context, status=422 if form.is_bound else 200)


@require_http_methods(FORM)
def membership_end(request: SignedInRequest, pk: int) -> HttpResponse:
    roles = Membership.objects.endable_by(request.user).select_related("user", "team")
    membership = consult(request, roles, pk=pk)
    form = EndForm(request.POST or None)
    if membership.is_to_come:
        form.initial["ends_on"] = membership.starts_on
    if form.is_valid() and attempt(
        form, lambda: end_membership(membership=membership, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "La fin du rôle est enregistrée.")
        return redirect("account_detail", pk=membership.user_id)
    context = {"form": form, "membership": membership}
    return render(request, "referents/membership_end.html", context, status=422 if form.is_bound else 200)
