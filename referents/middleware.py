"""What stands between signing in and reading: the session's guard, a second factor, a current role, a valid charter."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin

from audit.journal.models import Action
from audit.journal.record import record_event
from referents.models import User
from referents.second_factor import ENROLMENT_PAGES, PROOF_PAGES, has_factor, has_used_factor
from referents.sessions import SEEN_AT, SessionEnd, why_ended

WRITE_AT_MOST_EVERY = 60  # seconds; the session is not written at each page
SIGN_OUT = "account_logout"


class SessionGuardMiddleware:
    """End a session after thirty minutes without a request, twelve hours after the sign-in whatever was done since,
    once its person has signed out everywhere, and as soon as it comes from another browser; say why on the sign-in
    page, and come back to the same page.

    Django counts ``SESSION_COOKIE_AGE`` from the last write of the session, and this one is written each minute.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            end = why_ended(request, request.user, now)
            if end is not None:
                return self._sign_out(request, end)
            if now - request.session[SEEN_AT] >= WRITE_AT_MOST_EVERY:
                request.session[SEEN_AT] = now
        return self.get_response(request)

    def _sign_out(self, request: HttpRequest, end: SessionEnd) -> HttpResponse:
        if end == SessionEnd.OTHER_BROWSER:  # by whom, nobody can tell
            with transaction.atomic():
                record_event(
                    Action.REFUSAL,
                    kind=User._meta.label_lower,
                    ids=[request.user.pk],
                    detail={"asked": "session", "why": end.value},
                )
        request.session_end = end.value  # type: ignore[attr-defined]
        logout(request)
        messages.info(request, end.label)
        target = request.path if request.method == "GET" else "/"
        return moved(request, f"{reverse('account_login')}?next={quote(target)}")


def moved(request: HttpRequest, url: str) -> HttpResponse:
    """A redirection; htmx, which would put the page inside a fragment, is told to leave its own."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


class SecondFactorMiddleware(MiddlewareMixin):
    """Whoever holds a role today opens nothing before this session has used a second factor.

    Without one, only the pages that enrol are open; with one, only those that ask for it. Whoever holds no role is
    left to the explanation of StandingMiddleware.
    """

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if not request.user.is_authenticated or match is None or not getattr(view, "login_required", True):
            return None
        if match.view_name == SIGN_OUT or has_used_factor(request) or not request.user.standing.is_active:
            return None
        open_pages = PROOF_PAGES if has_factor(request.user) else ENROLMENT_PAGES
        return None if match.view_name in open_pages else moved(request, reverse("second_factor"))


class StandingMiddleware(MiddlewareMixin):
    """Whoever holds no current role, or has not signed the charter, gets an explanation instead of a page."""

    ALWAYS_OPEN = {SIGN_OUT, "account_change_password", "charter_sign", "no_access", "account_reauthenticate"}
    BEFORE_THE_CHARTER = {"account_security", "sign_out_everywhere"}

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if not request.user.is_authenticated or not getattr(view, "login_required", True):
            return None
        match = request.resolver_match
        if match is None or match.view_name in self.ALWAYS_OPEN:
            return None
        if not request.user.standing.is_active:
            return redirect("no_access")
        if request.user.standing.needs_charter and not self._may_wait(match.view_name):
            return redirect("charter_sign")
        return None

    def _may_wait(self, name: str) -> bool:
        """One's own account and second factor come before the charter."""
        return name in self.BEFORE_THE_CHARTER or name == "second_factor" or name.startswith("mfa_")
