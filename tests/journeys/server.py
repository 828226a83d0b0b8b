"""The site that the journeys visit: Marelle over plain HTTP, served by a thread of the tests.

The settings are those of production, except what only makes sense behind HTTPS. On SQLite in memory the thread uses
the very connection of the test, so requests are answered one at a time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from pytest_django.live_server_helper import LiveServer

PLAIN_HTTP = {
    "SECURE_SSL_REDIRECT": False,
    "SECURE_HSTS_SECONDS": 0,
    "SESSION_COOKIE_SECURE": False,
    "CSRF_COOKIE_SECURE": False,
    "SESSION_COOKIE_NAME": "session",
    "CSRF_COOKIE_NAME": "csrf",
}

_turn = RLock()


class OneAtATimeMiddleware:
    """The outermost: a request waits until the one before is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with _turn:
            return self.get_response(request)


@contextmanager
def between_requests() -> Iterator[None]:
    """The test may read and write the data: the site answers afterwards."""
    with _turn:
        yield


@contextmanager
def served() -> Iterator[str]:
    """The address of the site, until the end of the block."""
    first = f"{OneAtATimeMiddleware.__module__}.{OneAtATimeMiddleware.__qualname__}"
    with override_settings(**PLAIN_HTTP, MIDDLEWARE=[first, *settings.MIDDLEWARE]):
        server = LiveServer("127.0.0.1")
        try:
            yield server.url
        finally:
            server.stop()
