"""What stands between signing in and reading: the idle time-out, a current membership, a valid charter."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin

SEEN_AT = "seen_at"
SIGNED_IN_AT = "signed_in_at"
WRITE_AT_MOST_EVERY = 60  # seconds; the session is not written at each page


class IdleTimeoutMiddleware:
    """Sign out after thirty minutes without a request, and twelve hours after the sign-in whatever was done since;
    come back to the same page.

    Django counts ``SESSION_COOKIE_AGE`` from the last write of the session, and this one is written each minute.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            seen_at = request.session.get(SEEN_AT, now)
            signed_in_at = request.session.get(SIGNED_IN_AT, now)
            if now - seen_at > settings.IDLE_TIMEOUT_SECONDS or now - signed_in_at >= settings.SESSION_COOKIE_AGE:
                return self._sign_out(request)
            if SIGNED_IN_AT not in request.session:
                request.session[SIGNED_IN_AT] = now
            if SEEN_AT not in request.session or now - seen_at >= WRITE_AT_MOST_EVERY:
                request.session[SEEN_AT] = now
        return self.get_response(request)

    def _sign_out(self, request: HttpRequest) -> HttpResponse:
        logout(request)
        target = request.path if request.method == "GET" else "/"
        response = HttpResponseRedirect(f"{reverse('account_login')}?next={target}")
        if request.headers.get("HX-Request"):
            response = HttpResponse(status=204, headers={"HX-Redirect": response.url})  # type: ignore[assignment]
        return response


class StandingMiddleware(MiddlewareMixin):
    """Whoever holds no current role, or has not signed the charter, gets an explanation instead of a page."""

    ALWAYS_OPEN = {"account_logout", "account_change_password", "charter_sign", "no_access", "account_reauthenticate"}

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
        if request.user.standing.needs_charter:
            return redirect("charter_sign")
        return None
