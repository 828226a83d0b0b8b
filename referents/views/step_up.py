"""Before a sensitive page the second factor is asked again: a session left open, or stolen, is not enough."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render

from audit.encryption.middleware import typed_texts
from referents.middleware import moved
from referents.requests import SignedInRequest
from referents.second_factor import FRESH_SECONDS, proof_url, used_within

FORM_SECONDS = 30 * 60  # to fill in a form whose page was asked for with a fresh second factor
FORM_ASKED = "step_up_form"  # in the session: the form that a fresh factor opened, and when
SAFE = {"GET", "HEAD"}

View = Callable[..., HttpResponse]
BackTo = Callable[..., str]


def second_factor_again(view: View | None = None, *, back_to: BackTo | None = None) -> Any:
    """A decorator: the view opens when the second factor was used within ten minutes; a password never counts.

    Otherwise the person gives it, and comes back. For a page with a form, a POST is accepted for thirty minutes after a
    GET that a fresh factor opened, and what it held is given back if it comes later. For what is only a button or a
    download, ``back_to(request, **kwargs)`` names the page that holds it, where one comes back to press again.
    Nothing of what was typed goes into the session or the address.
    """

    def decorate(guarded: View) -> View:
        @wraps(guarded)
        def run(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            is_form = back_to is None and request.method not in SAFE
            if used_within(request, FRESH_SECONDS):
                if back_to is None and request.method in SAFE:
                    request.session[FORM_ASKED] = {request.path: int(time.time())}  # of the last form only
                return guarded(request, *args, **kwargs)
            if is_form and time.time() - request.session.get(FORM_ASKED, {}).get(request.path, 0) < FORM_SECONDS:
                return guarded(request, *args, **kwargs)
            here = back_to(request, **kwargs) if back_to else request.path
            url = proof_url(request.user, here)
            if is_form:
                context = {"proof_url": url, "typed": typed_texts(request)}
                return render(request, "referents/step_up.html", context, status=403)
            messages.info(request, _sentence(has_to_press=back_to is not None))
            return moved(request, url)

        return run

    return decorate(view) if view is not None else decorate


def _sentence(*, has_to_press: bool) -> str:
    sentence = "Avant cette action, donnez encore une fois votre second facteur."
    return f"{sentence} Vous reviendrez à la page, et recommencerez." if has_to_press else sentence
