"""How allauth and axes behave here: accounts are made by the administration, and attempts are counted per account."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from audit.journal.middleware import remote_address
from referents.models import User
from referents.second_factor import FRESH_SECONDS, has_factor, signed_in_within, used_within


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

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that the journal and axes know too."""
        return remote_address(request)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Before one's factors are touched: a recent second factor, or a recent sign-in while there is none."""
        request = context.request
        if has_factor(request.user):
            return not used_within(request, FRESH_SECONDS)
        return not signed_in_within(request, FRESH_SECONDS)

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """Whoever has a second factor confirms with it: a password that leaked must not be enough."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        factors = [method for method in methods if method["id"] != "reauthenticate"]
        return factors or methods


def login_fingerprint(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """What axes counts attempts by: a keyed digest of the address typed, so that no address is stored."""
    typed = (credentials or {}).get("email") or request.POST.get("login", "")
    return salted_hmac("referents.login", str(typed).strip().lower()).hexdigest()
