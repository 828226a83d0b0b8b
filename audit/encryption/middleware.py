"""One key ring for each request, and a neutral page when something stored cannot be read."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

from audit.encryption.errors import EncryptionError, KeyProviderUnavailable, UnreadableKey, UnreadableValue
from audit.encryption.keys import key_ring
from audit.encryption.witness import require_same_keys
from audit.journal import trace
from audit.journal.models import Action
from audit.journal.record import record_event

logger = logging.getLogger(__name__)

KEPT_APART = ("csrfmiddlewaretoken", "password")  # of what was sent: never shown again
WORTH_KEEPING = 3  # characters typed; a choice or a tick is quickly made again


class KeyRingMiddleware:
    """The data keys of a request die with it. A streamed body is written after that: it must hold clear values."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with key_ring():
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """503 without any stored content, never an empty value shown as if it were one.

        What the person had just sent is given back, and to no one else: it was not recorded.
        """
        if not isinstance(exception, UnreadableValue | UnreadableKey | KeyProviderUnavailable):
            return None
        logger.error("%s: %s", type(exception).__name__, exception)
        if isinstance(exception, UnreadableValue):
            _record_unreadable(request, exception)
        _say_whether_the_key_is_wrong()
        context = {
            "keys_are_away": isinstance(exception, KeyProviderUnavailable),
            "reference": trace.request_id(),
            "typed": typed_texts(request),
        }
        response = HttpResponse(render_to_string("503.html", context), status=503)
        response["Cache-Control"] = "no-store"
        return response


def _say_whether_the_key_is_wrong() -> None:
    """One line for the operator, when every value is unreadable because the key-encryption key is another one."""
    try:
        require_same_keys()
    except (EncryptionError, DatabaseError) as error:
        logger.error("%s: %s", type(error).__name__, error)


def typed_texts(request: HttpRequest) -> list[str]:
    """The texts that a person had typed in the form just sent, to be copied from the page of the error."""
    if request.method != "POST":
        return []
    sent = [
        value
        for name, values in request.POST.lists()
        if not any(part in name.lower() for part in KEPT_APART)
        for value in values
        if isinstance(value, str)
    ]
    return [text for text in sent if len(text.strip()) >= WORTH_KEEPING and " " in text.strip()]


def _record_unreadable(request: HttpRequest, exception: UnreadableValue) -> None:
    """A value that does not open may have been tampered with: the journal keeps whose, and who met it."""
    user = getattr(request, "user", None)
    with transaction.atomic():
        record_event(
            Action.REFUSAL,
            ids=[exception.record_id],
            actor=user if user is not None and user.is_authenticated else None,
            detail={"unreadable": exception.field},
        )
