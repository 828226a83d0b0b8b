"""Closing an account, for a time or for good, and opening it again: by the technical administration only."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from audit.journal.consult import consult
from referents.forms.accounts import EndForm, ReactivateForm, SuspendForm
from referents.forms.confirm import ConfirmForm
from referents.models import User
from referents.requests import SignedInRequest
from referents.services.accounts import end_account, reactivate_account, suspend_account
from referents.services.second_factor import reset_second_factor
from referents.views.accounts import FORM
from referents.views.answer import attempt
from referents.views.step_up import second_factor_again


def _closing(
    request: SignedInRequest, pk: int, form_class: type[forms.Form], change: Callable[..., Any], page: str, done: str
) -> HttpResponse:
    account = consult(request, User.objects.administered_by(request.user), pk=pk)
    form = form_class(request.POST if request.method == "POST" else None)
    if form.is_valid() and attempt(form, lambda: change(user=account, by=request.user, **form.cleaned_data)):
        messages.success(request, done)
        return redirect("account_detail", pk=pk)
    return render(request, page, {"form": form, "account": account}, status=422 if form.is_bound else 200)


@require_http_methods(FORM)
@second_factor_again
def second_factor_reset(request: SignedInRequest, pk: int) -> HttpResponse:
    """The person has lost every factor: the next sign-in chooses one anew. One's own is refused."""
    done = "Le second facteur est réinitialisé : la personne en choisira un autre à sa prochaine connexion."
    return _closing(request, pk, ConfirmForm, reset_second_factor, "referents/second_factor_reset.html", done)


@require_http_methods(FORM)
def account_suspend(request: SignedInRequest, pk: int) -> HttpResponse:
    """Shut at once, roles kept: every session of the person ends at its next request."""
    done = "Le compte est suspendu."
    return _closing(request, pk, SuspendForm, suspend_account, "referents/account_suspend.html", done)


@require_http_methods(FORM)
def account_reactivate(request: SignedInRequest, pk: int) -> HttpResponse:
    done = "Le compte est réactivé."
    return _closing(request, pk, ReactivateForm, reactivate_account, "referents/account_reactivate.html", done)


@require_http_methods(FORM)
def account_end(request: SignedInRequest, pk: int) -> HttpResponse:
    """The person leaves: every role closes on the same day."""
    done = "La fin de tous les rôles est enregistrée."
    return _closing(request, pk, EndForm, end_account, "referents/account_end.html", done)
