"""Signing in and out, as the journal keeps it: ids only; of a failed attempt, nothing that was typed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from audit.journal.models import Action
from audit.journal.record import record_event


def connect() -> None:
    user_logged_in.connect(record_sign_in, dispatch_uid="audit.sign_in")
    user_logged_out.connect(record_sign_out, dispatch_uid="audit.sign_out")
    user_login_failed.connect(record_failure, dispatch_uid="audit.sign_in_failed")


def record_sign_in(user: Any, **kwargs: Any) -> None:
    record_event(Action.SIGN_IN, kind=user._meta.label_lower, ids=[user.pk], actor=user)


def record_sign_out(request: HttpRequest | None, user: Any = None, **kwargs: Any) -> None:
    """Also when the session's guard ends it, which then leaves a code; the response tells the browser to forget the
    pages.
    """
    if request is not None:
        request.has_signed_out = True  # type: ignore[attr-defined]
    if user is not None and user.is_authenticated:
        end = getattr(request, "session_end", "asked")
        record_event(Action.SIGN_OUT, kind=user._meta.label_lower, ids=[user.pk], actor=user, detail={"end": end})


def record_failure(**kwargs: Any) -> None:
    """Neither the e-mail typed nor whether it opens an account."""
    record_event(Action.SIGN_IN_FAILED, kind=get_user_model()._meta.label_lower)
