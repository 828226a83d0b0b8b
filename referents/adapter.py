"""How allauth and axes behave here: accounts are made by the administration, and attempts are counted per account."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from referents.models import User


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "Ce courriel et ce mot de passe ne correspondent à aucun compte.",  # nosec B105
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def set_password(self, user: User, password: str) -> None:
        """Only the password is written: it is not part of the account's history."""
        user.set_password(password)
        user.save(update_fields=["password"])


def login_fingerprint(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """What axes counts attempts by: a keyed digest of the address typed, so that no address is stored."""
    typed = (credentials or {}).get("email") or request.POST.get("login", "")
    return salted_hmac("referents.login", str(typed).strip().lower()).hexdigest()
