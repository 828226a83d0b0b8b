"""Around each request: an id and a network for its events, and reading pages that cannot write."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.conf import settings
from django.db import connections
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from audit.journal import trace
from audit.journal.models import Event

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

# django-allauth's own views, the only ones that may write in answer to a safe method.
EXEMPT_URL_NAMES = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_signup",
    "account_reauthenticate",
    "account_change_password",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_activate_totp",  # the first secret of the installation makes the key that seals it
    "mfa_view_recovery_codes",  # notes that they were seen
    "openid_connect_callback",  # the identity provider sends people back by a GET: it signs them in
}

READING = re.compile(r"\(*SELECT\b", re.IGNORECASE)
LOCKING = re.compile(r"\bFOR\s+(NO\s+KEY\s+UPDATE|UPDATE|KEY\s+SHARE|SHARE)\b|\bINTO\b", re.IGNORECASE)
TRANSACTION = re.compile(
    r"(BEGIN( (DEFERRED|IMMEDIATE|EXCLUSIVE))?|SAVEPOINT \S+|RELEASE (SAVEPOINT )?\S+|ROLLBACK TO (SAVEPOINT )?\S+)",
    re.IGNORECASE,
)
EVENT = re.compile(rf'INSERT INTO "{Event._meta.db_table}" \((?!.*\bON CONFLICT\b)', re.IGNORECASE | re.DOTALL)

GetResponse = Callable[[HttpRequest], HttpResponse]


class WriteInReadingView(RuntimeError):
    """A view answering a safe method tried to write; only the event of the journal may be."""


class RequestTraceMiddleware:
    """Gives each request its id, repeated in the ``X-Request-ID`` header, and keeps its truncated address."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with trace.tracing(remote_address(request)) as request_id:
            response = self.get_response(request)
        response["X-Request-ID"] = str(request_id)
        return response


def remote_address(request: HttpRequest) -> str:
    """The address that the last trusted machine saw: behind our proxy, the last one it wrote itself."""
    if settings.SECURE_PROXY_SSL_HEADER:
        return str(request.headers.get("X-Forwarded-For", "")).rsplit(",", maxsplit=1)[-1].strip()
    return str(request.META.get("REMOTE_ADDR") or "")


class ReadOnlyMiddleware:
    """The innermost: a view that answers a safe method, and the rendering of its page, read only, on every database.

    What the other middlewares write (the session, at most once a minute) is outside.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with ExitStack() as stack:
            request.reading = stack  # type: ignore[attr-defined]
            response = self.get_response(request)
        if getattr(request, "is_reading", False) and not isinstance(response, FileResponse):
            _guard_stream(response)
        return response

    def process_view(self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any) -> None:
        if request.method in SAFE_METHODS and not _is_exempt(request):
            request.is_reading = True  # type: ignore[attr-defined]
            request.reading.enter_context(reading_only())  # type: ignore[attr-defined]


@contextmanager
def reading_only() -> Iterator[None]:
    """Inside, every database refuses what is neither a reading nor an event of the journal."""
    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(_refuse_writes))
        yield


def _is_exempt(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and match.view_name in EXEMPT_URL_NAMES


def _refuse_writes(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    if not _is_allowed(str(sql).strip()):
        verb = str(sql).split(maxsplit=1)[0] if str(sql).split() else ""
        raise WriteInReadingView(f"{verb} on {context['connection'].alias} in a view that answers a safe method.")
    return execute(sql, params, many, context)


def _is_allowed(sql: str) -> bool:
    if ";" in sql.rstrip("; "):  # several statements in one
        return False
    if READING.match(sql):
        return not LOCKING.search(_without_names(sql))
    return bool(TRANSACTION.fullmatch(sql) or EVENT.match(sql))


def _without_names(sql: str) -> str:
    """The statement without its quoted names and literals, which may well read « into » or « for update »."""
    return re.sub(r"\"[^\"]*\"|'[^']*'", "_", sql)


def _guard_stream(response: HttpResponseBase) -> None:
    """A streamed body is read after the view: each part is made under the same rule."""
    if isinstance(response, StreamingHttpResponse) and not response.is_async:
        response.streaming_content = _read_parts(iter(response.streaming_content))  # type: ignore[arg-type]


def _read_parts(parts: Iterator[bytes]) -> Iterator[bytes]:
    while True:
        with reading_only():
            try:
                part = next(parts)
            except StopIteration:
                return
        yield part
