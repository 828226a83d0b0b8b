"""Headers of privacy that Django's own settings do not give, on every page."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class PrivacyHeadersMiddleware:
    """No page is kept by the browser or embedded elsewhere, and signing out empties what it kept.

    Static files keep their own caching, and so does what a view has marked ``may_be_kept`` because it names nobody.
    Cookies are not cleared: the answer to a sign-out sets some.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not (request.path.startswith(settings.STATIC_URL) or getattr(response, "may_be_kept", False)):
            response["Cache-Control"] = "no-store, private"
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        if getattr(request, "has_signed_out", False):  # set by audit.journal.sign_in
            response["Clear-Site-Data"] = '"cache", "storage"'
        return response
