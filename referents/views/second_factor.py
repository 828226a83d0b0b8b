"""One's own account: the second factor, chosen at the first sign-in, and what protects the account afterwards."""

from __future__ import annotations

from typing import Any

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import activate_totp
from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.services import Refused
from referents.models import Role
from referents.requests import SignedInRequest
from referents.second_factor import factors_of, has_factor, has_used_factor, proof_url
from referents.services.second_factor import remove_factor
from referents.services.sessions import sign_out_everywhere as end_every_session
from referents.sessions import renew
from referents.views.step_up import second_factor_again

NAMES = {Authenticator.Type.TOTP: "Application de codes", Authenticator.Type.WEBAUTHN: "Clé d’accès"}


@require_safe
def second_factor(request: SignedInRequest) -> HttpResponse:
    """What a second factor is, and the choice of one; who has one gives it, and who has given it may go on."""
    if has_used_factor(request):
        return redirect("account_security")
    if has_factor(request.user):
        return redirect(proof_url(request.user, reverse("home")))
    return render(request, "referents/second_factor.html")


def totp_activate(request: SignedInRequest) -> HttpResponse:
    """allauth's page; sent twice at once, it enrols once."""
    try:
        response: HttpResponse = activate_totp(request)
    except IntegrityError:
        return redirect("account_security")
    return response


@require_safe
def account_security(request: SignedInRequest) -> HttpResponse:
    """The factors of one's account, the recovery codes left, the password, and the end of every session."""
    factors = list(factors_of(request.user))
    recovery = Authenticator.objects.filter(user=request.user, type=Authenticator.Type.RECOVERY_CODES).first()
    used = recovery.data.get("used_mask", 0).bit_count() if recovery else app_settings.RECOVERY_CODE_COUNT
    context = {
        "factors": [_line_of(factor) for factor in factors],
        "has_totp": any(factor.type == Authenticator.Type.TOTP for factor in factors),
        "is_removable": len(factors) > 1,
        "works_in_a_team": bool(request.user.standing.team_ids(Role.REFERENT, Role.COORDINATOR)),
        "codes_left": app_settings.RECOVERY_CODE_COUNT - used,
    }
    return render(request, "referents/account_security.html", context)


@require_safe
def factor_index(request: SignedInRequest) -> HttpResponse:
    """Where allauth comes back to."""
    return redirect("account_security")


@require_safe
def password_first(request: SignedInRequest) -> HttpResponse:
    """Who has no password yet (an identity provider signs them in) gets a first one by a link, like a lost one."""
    return redirect("account_reset_password")


@require_http_methods(["GET", "HEAD", "POST"])
@second_factor_again
def factor_remove(request: SignedInRequest, pk: int | None = None) -> HttpResponse:
    """Give up one of one's factors: the application of codes, or the passkey of this id."""
    mine = factors_of(request.user)
    factor = get_object_or_404(mine.filter(pk=pk) if pk else mine.filter(type=Authenticator.Type.TOTP))
    context: dict[str, Any] = {"factor": _line_of(factor), "error": ""}
    if request.method == "POST":
        try:
            remove_factor(user=request.user, factor=factor, by=request.user)
        except Refused as refusal:
            context["error"] = str(refusal)
            return render(request, "referents/factor_remove.html", context, status=422)
        messages.success(request, "Ce second facteur est retiré.")
        return redirect("account_security")
    return render(request, "referents/factor_remove.html", context)


@require_POST
def sign_out_everywhere(request: SignedInRequest) -> HttpResponse:
    """End one's sessions on every other device; this one goes on."""
    end_every_session(user=request.user, by=request.user)
    renew(request, request.user)
    messages.success(request, "Vos autres sessions sont fermées. Celle-ci continue.")
    return redirect("account_security")


def _line_of(factor: Authenticator) -> dict[str, Any]:
    is_key = factor.type == Authenticator.Type.WEBAUTHN
    return {
        "name": factor.wrap().name if is_key else NAMES[Authenticator.Type.TOTP],
        "kind": NAMES[Authenticator.Type(factor.type)] if is_key else "",
        "added_at": factor.created_at,
        "used_at": factor.last_used_at,
        "remove_url": reverse("mfa_remove_webauthn", args=[factor.pk]) if is_key else reverse("mfa_deactivate_totp"),
    }
