"""Whom an identity provider may sign in: somebody who has an account already, and nobody else."""

from __future__ import annotations

from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare

from audit.journal.models import Action
from audit.journal.record import record_event
from audit.services import Refused
from referents.models import User
from referents.services.identities import link_identity

SENTENCES = {
    "away": "{label} ne répond pas. Réessayez dans quelques minutes, ou tapez votre mot de passe.",
    "cancelled": "La connexion par {label} a été abandonnée.",
    "failed": "La connexion par {label} n’a pas abouti. Recommencez.",
    "inactive": "Ce compte est fermé. Si vous devez encore entrer dans Marelle, demandez à la coordination.",
    "other_identity": "Ce compte s’ouvre avec une autre identité de {label}. Demandez à l’administration technique.",
    "unknown": "Aucun compte de Marelle n’est ouvert à l’adresse donnée par {label}. Demandez à la coordination.",
    "unverified": "{label} n’a pas vérifié votre adresse électronique. Tapez votre mot de passe.",
}


class IdentityAccountAdapter(DefaultSocialAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """The account of the ``sub`` known; the first time, that of the verified e-mail, to which it is then linked."""
        nonce = sociallogin.state.get("nonce")
        if not nonce or not constant_time_compare(str(sociallogin.nonce), nonce):
            refuse(request, "failed", why="nonce")
        user = sociallogin.user if sociallogin.is_existing else self._account_of(request, sociallogin)
        if not user.is_active:
            refuse(request, "inactive", user=user)
        if not sociallogin.is_existing:
            try:
                link_identity(user=user, identity=sociallogin.account, by=user)
            except Refused:
                refuse(request, "other_identity", user=user)
            sociallogin.user = user
        sociallogin.token, sociallogin.email_addresses = None, []  # of no more use, and the session would keep them

    def serialize_instance(self, instance: Model) -> dict[str, Any]:
        """While the second factor is awaited, the session holds ids: allauth would write the whole account in it."""
        return {"pk": instance.pk}

    def deserialize_instance(self, model: type[Model], data: dict[str, Any]) -> Model:
        try:
            return model._default_manager.get(pk=data["pk"])
        except model.DoesNotExist as error:  # type: ignore[attr-defined]
            raise ValueError from error

    def _account_of(self, request: HttpRequest, sociallogin: SocialLogin) -> User:
        if not sociallogin.is_email_verified:
            refuse(request, "unverified")
        user: User | None = (
            User.objects.filter(email=sociallogin.told_email).first() if sociallogin.told_email else None
        )
        if user is None:
            refuse(request, "unknown")
        return user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """A state that this session never asked for, a code that has served, a token that proves nothing."""
        refuse(request, "cancelled" if error == "cancelled" else "failed", why=str(error or "error"))


def refuse(request: HttpRequest, code: str, *, user: User | None = None, why: str = "") -> NoReturn:
    """Back to the sign-in page with a sentence, and an event that says which."""
    with transaction.atomic():
        record_event(
            Action.SIGN_IN_FAILED,
            kind=User._meta.label_lower,
            ids=[user.pk] if user else [],
            detail={"by": "openid", "why": why or code},
        )
    messages.error(request, SENTENCES[code].format(label=settings.OIDC_LABEL))
    raise ImmediateHttpResponse(redirect("account_login"))
