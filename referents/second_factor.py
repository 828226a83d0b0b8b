"""Whether this session has used a second factor, and how long ago: read from what allauth records in the session."""

from __future__ import annotations

import time

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from referents.models import User

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)  # recovery codes only replace one of them
FRESH_SECONDS = 10 * 60  # before a sensitive page, the factor is asked again when it is older

# What a session without its second factor may open: nothing about anybody.
ENROLMENT_PAGES = {"second_factor", "mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate"}
PROOF_PAGES = {"second_factor", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"}


def factors_of(user: User) -> QuerySet[Authenticator]:
    """The factors that open a session, the oldest first; recovery codes are not one."""
    factors: QuerySet[Authenticator] = Authenticator.objects.filter(user=user, type__in=FACTORS).order_by("pk")
    return factors


def has_factor(user: User) -> bool:
    return factors_of(user).exists()


def has_used_factor(request: HttpRequest) -> bool:
    """Having one is not enough: the session itself must have used it, at the sign-in or since."""
    return last_used_at(request) is not None


def used_within(request: HttpRequest, seconds: int) -> bool:
    used_at = last_used_at(request)
    return used_at is not None and 0 <= time.time() - used_at < seconds


def last_used_at(request: HttpRequest) -> float | None:
    """When this session last used a second factor, in seconds of the epoch; a password counts for nothing."""
    records = get_authentication_records(request, request.user)
    return max((record["at"] for record in records if record["method"] == "mfa"), default=None)


def signed_in_within(request: HttpRequest, seconds: int) -> bool:
    """Whether a first factor, password or identity provider, was given lately: enough to choose a second one."""
    records = get_authentication_records(request, request.user)
    return any(record["method"] != "mfa" and 0 <= time.time() - record["at"] < seconds for record in records)


def mark_used(request: HttpRequest, factor: Authenticator) -> None:
    """A factor that this session has just enrolled was proved by it: its code typed, or its key touched."""
    record_authentication(request, factor.user, "mfa", id=factor.pk, type=factor.type)


def proof_url(user: User, come_back_to: str) -> str:
    """The page that asks for the second factor again; afterwards one is back at this path."""
    with_codes = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()
    name = "mfa_reauthenticate" if with_codes else "mfa_reauthenticate_webauthn"
    return f"{reverse(name)}?{urlencode({'next': come_back_to})}"
