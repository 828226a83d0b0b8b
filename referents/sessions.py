"""What a session is bound to, and why it may end before its time: what the guard asks at each request."""

from __future__ import annotations

import time

from django.conf import settings
from django.db import models
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from referents.models import User

SEEN_AT = "seen_at"
SIGNED_IN_AT = "signed_in_at"
ROUND = "session_round"
BROWSER = "browser"


class SessionEnd(models.TextChoices):
    """The code that the journal keeps, and what the sign-in page then says."""

    IDLE = "idle", "Votre session s’est fermée, faute d’action. Reconnectez-vous : vous reviendrez à la même page."
    TOO_LONG = "too_long", "Une session dure douze heures au plus. Reconnectez-vous : vous reviendrez à la même page."
    EVERYWHERE = "everywhere", "Toutes vos sessions ont été fermées, par vous-même ou par l’administration."
    OTHER_BROWSER = "other_browser", "Cette session venait d’un autre navigateur : par prudence, elle est fermée."


def bind(request: HttpRequest, user: User) -> None:
    """At the sign-in: the session belongs to this browser, and to the present round of the account's sessions."""
    request.session[SIGNED_IN_AT] = request.session[SEEN_AT] = int(time.time())
    request.session[BROWSER] = browser_of(request.headers.get("User-Agent", ""))
    renew(request, user)


def renew(request: HttpRequest, user: User) -> None:
    """This session goes on when every other one is ended."""
    request.session[ROUND] = user.session_round


def browser_of(user_agent: str) -> str:
    """A keyed digest: enough to see that the browser is another one, without keeping what it says of itself."""
    return salted_hmac("referents.browser", user_agent, algorithm="sha256").hexdigest()


def why_ended(request: HttpRequest, user: User, now: int) -> SessionEnd | None:
    """None while the session may go on. One that was never bound ends too: nobody can tell whose it is."""
    session = request.session
    browser = browser_of(request.headers.get("User-Agent", ""))
    if not constant_time_compare(session.get(BROWSER, ""), browser):
        return SessionEnd.OTHER_BROWSER
    if session.get(ROUND) != user.session_round:
        return SessionEnd.EVERYWHERE
    if now - session.get(SIGNED_IN_AT, 0) >= settings.SESSION_COOKIE_AGE:
        return SessionEnd.TOO_LONG
    if now - session.get(SEEN_AT, 0) > settings.IDLE_TIMEOUT_SECONDS:
        return SessionEnd.IDLE
    return None
