"""What happens while signing in, as Django and allauth announce it: the journal is told, and the session is bound."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import authentication_step_completed, password_changed, password_reset
from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_used
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from audit.history import actor_or_none
from audit.journal.models import Action
from audit.journal.record import record_event
from referents.models import User
from referents.second_factor import FACTORS, mark_used
from referents.sessions import bind


def connect() -> None:
    user_logged_in.connect(bind_session, dispatch_uid="referents.bind")
    post_save.connect(record_added, sender=Authenticator, dispatch_uid="referents.factor_added")
    post_delete.connect(record_removed, sender=Authenticator, dispatch_uid="referents.factor_removed")
    authenticator_used.connect(record_used, dispatch_uid="referents.factor_used")
    authentication_step_completed.connect(record_password_again, dispatch_uid="referents.password_again")
    for signal in (password_changed, password_reset):
        signal.connect(record_new_password, dispatch_uid="referents.new_password")


def bind_session(request: HttpRequest, user: User, **kwargs: Any) -> None:
    bind(request, user)


def record_added(instance: Authenticator, created: bool, raw: bool, **kwargs: Any) -> None:
    """In the transaction that adds it; the session that adds a factor has just proved it."""
    if not created or raw:
        return
    _record(Action.SECOND_FACTOR_ADDED, instance.user, instance.type)
    request = context.request
    if request is not None and request.user == instance.user and instance.type in FACTORS:
        mark_used(request, instance)


def record_removed(instance: Authenticator, **kwargs: Any) -> None:
    _record(Action.SECOND_FACTOR_REMOVED, instance.user, instance.type)


def record_used(user: User, authenticator: Authenticator, reauthenticated: bool = False, **kwargs: Any) -> None:
    _record(Action.SECOND_FACTOR, user, authenticator.type, again=reauthenticated)


def record_password_again(method: str, user: User, reauthenticated: bool = False, **kwargs: Any) -> None:
    if method == "password" and reauthenticated:
        _record(Action.SIGN_IN, user, "password", again=True)


def record_new_password(user: User, **kwargs: Any) -> None:
    _record(Action.PASSWORD_CHANGED, user, "")


def _record(action: str, user: User, data_kind: str, *, again: bool = False) -> None:
    record_event(
        action,
        kind=user._meta.label_lower,
        ids=[user.pk],
        actor=actor_or_none() or user,
        data_kind=data_kind,
        detail={"again": True} if again else None,
    )
