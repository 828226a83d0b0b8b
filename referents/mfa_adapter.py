"""How allauth's second factor behaves here: secrets sealed, French sentences, no account left without a factor."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from allauth.account.internal.stagekit import unstash_login
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator

from audit.encryption.sign_in import key_of, open_secret, seal_secret
from referents.models import User
from referents.second_factor import factors_of

SEALED = ("secret", "seed")  # what an authenticator keeps sealed


class MFAAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "Ce code n’est pas le bon. Attendez le suivant et tapez-le.",
        "cannot_delete_authenticator": "C’est votre seul second facteur : ajoutez-en un autre d’abord.",
    }

    def encrypt(self, text: str) -> str:
        return seal_secret(text, owner=owner_of_request())

    def decrypt(self, encrypted_text: str) -> str:
        return open_secret(encrypted_text, owner=owner_of_request())

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return factors_of(authenticator.user).exclude(pk=authenticator.pk).exists()

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002 - allauth's name
        keys = Authenticator.objects.filter(user=user, type=type).count()
        return f"Clé d’accès {keys + 1}" if keys else "Clé d’accès"

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        """What the person's own device shows when it offers the key."""
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return entity | {"display_name": user.get_full_name()}

    def _get_site_name(self) -> str:
        return "Marelle"


def owner_of_request() -> int:
    """Whose secrets this request may seal and open: who is signed in, or who has just given a password."""
    request = context.request
    if request is None:
        raise LookupError("The secrets of an account are opened in its own requests; see seal_secret().")
    if request.user.is_authenticated:
        return int(request.user.pk)
    login = unstash_login(request, peek=True)
    if login is None or login.user is None:
        raise LookupError("Nobody is signing in.")
    return int(login.user.pk)


def keys_of_secrets() -> set[UUID]:
    """The data keys that the secrets of the accounts name, for ``check_keys``."""
    found: set[UUID] = set()
    for data in Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).values_list("data", flat=True):
        for name in SEALED:
            with suppress(ValueError):
                found.add(key_of(str(data.get(name, ""))))
    return found
