"""One key ring for each request, and a neutral page when something stored cannot be read."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

from audit.encryption.errors import KeyProviderUnavailable, UnreadableKey, UnreadableValue
from audit.encryption.keys import key_ring

logger = logging.getLogger(__name__)


class KeyRingMiddleware:
    """The data keys of a request die with it. A streamed body is written after that: it must hold clear values."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with key_ring():
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """503 without any content of ours, never an empty value shown as if it were one."""
        if not isinstance(exception, UnreadableValue | UnreadableKey | KeyProviderUnavailable):
            return None
        logger.error("%s: %s", type(exception).__name__, exception)
        response = HttpResponse(render_to_string("503.html"), status=503)
        response["Cache-Control"] = "no-store"
        return response
