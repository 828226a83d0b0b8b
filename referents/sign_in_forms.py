"""The forms of the second factor: allauth's, with our rules on codes and sentences that say what to do."""

from __future__ import annotations

from typing import Any

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from allauth.mfa.utils import decrypt, encrypt
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm, ReauthenticateWebAuthnForm
from django import forms
from django.conf import settings

from audit.encryption.errors import UnreadableValue
from audit.services import Refused
from referents.services.second_factor import code_of_the_moment, record_failed_key, verify_code

MALFORMED = (AttributeError, KeyError, IndexError, TypeError, ValueError)  # what a forged credential may raise
CODE_WIDGET = forms.TextInput(
    attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "maxlength": 20}
)


def code_field(help_text: str) -> forms.CharField:
    return forms.CharField(label="Code", max_length=20, help_text=help_text, widget=CODE_WIDGET)


class _Checked:
    """A code is checked by the service, and in a demonstration written in advance."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = code_field(  # type: ignore[attr-defined]
            "Les 6 chiffres que montre votre application, ou l’un de vos codes de secours."
        )
        self.demo_code = code_of_the_moment(self.user) if settings.DEMO else ""  # type: ignore[attr-defined]
        self.initial["code"] = self.demo_code  # type: ignore[attr-defined]

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]  # type: ignore[attr-defined]
        try:
            self.authenticator = verify_code(self.user, code)  # type: ignore[attr-defined]
        except Refused as refusal:
            raise forms.ValidationError(str(refusal)) from None
        self.authenticator.user = self.user  # type: ignore[attr-defined]
        return code


class CodeForm(_Checked, AuthenticateForm):
    """At the sign-in."""


class CodeAgainForm(_Checked, ReauthenticateForm):
    """Before a sensitive page."""


class _Touched:
    """A passkey answers, or does not; what is not even an answer of one is refused alike."""

    def clean_credential(self) -> Authenticator:
        try:
            factor: Authenticator = super().clean_credential()  # type: ignore[misc]
        except (forms.ValidationError, *MALFORMED):
            record_failed_key(self.user)  # type: ignore[attr-defined]
            raise forms.ValidationError(
                "Cette clé d’accès n’a pas été reconnue. Réessayez, ou tapez un code."
            ) from None
        return factor


class KeyForm(_Touched, AuthenticateWebAuthnForm):
    """At the sign-in."""


class KeyAgainForm(_Touched, ReauthenticateWebAuthnForm):
    """Before a sensitive page."""


class AddKeyForm(AddWebAuthnForm):
    name = forms.CharField(
        label="Nom de la clé",
        max_length=40,
        required=False,
        help_text="Pour la reconnaître plus tard : « téléphone », « ordinateur du bureau »…",
    )

    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
        except (forms.ValidationError, *MALFORMED):
            raise forms.ValidationError("Cette clé d’accès n’a pas pu être enregistrée. Recommencez.") from None
        return cleaned


class ActivateCodesForm(ActivateTOTPForm):
    """The secret waits in the session, sealed like the one that is kept, and stays the same until it is enrolled."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.user = kwargs.pop("user")
        super(ActivateTOTPForm, self).__init__(*args, **kwargs)
        self.fields["code"] = code_field("Les 6 chiffres que l’application montre à présent.")
        self.secret = self._pending_secret()

    def _pending_secret(self) -> str:
        session = context.request.session
        try:
            return str(decrypt(session[SECRET_SESSION_KEY]))
        except (KeyError, UnreadableValue):
            secret: str = generate_totp_secret()
            session[SECRET_SESSION_KEY] = encrypt(secret)
            return secret

    @property
    def spaced_secret(self) -> str:
        """By groups of four letters, to be typed by hand."""
        return " ".join(self.secret[start : start + 4] for start in range(0, len(self.secret), 4))

    def clean_code(self) -> str:
        self.cleaned_data["code"] = "".join(self.cleaned_data["code"].split())
        code: str = super().clean_code()
        return code
