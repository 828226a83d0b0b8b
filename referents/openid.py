"""Signing in by an OpenID Connect provider: allauth's, with the checks of the specification that it leaves out.

allauth checks the state (once, ten minutes, in the session that asked), PKCE (S256), and in the id token the issuer,
the audience and the end. Added here: the nonce, the signature, the issuer of the configuration, the same ``sub`` in the
id token and in the user's information, which may come as a signed token (ProConnect). Nothing is taken from the address
of the request but where to come back to.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Any

import jwt
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse

SIGNATURES = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"}  # never a shared secret
CLOCKS_DIFFER = 60  # seconds


class IdentityAdapter(OpenIDConnectOAuth2Adapter):
    """What is asked of the provider, and what is believed of its answers."""

    @property
    def openid_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().openid_config
        if str(config.get("issuer", "")).rstrip("/") != settings.OIDC_ISSUER:
            raise OAuth2Error("The configuration is that of another issuer.")
        return config

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        id_token = self._decode_id_token(app, str(kwargs["response"].get("id_token") or ""))
        told = self._fetch_user_info(token.token)
        if not id_token.get("sub") or told.get("sub") != id_token["sub"]:
            raise OAuth2Error("The information is about somebody else.")
        login: SocialLogin = self.get_provider().sociallogin_from_response(
            request, {"userinfo": told, "id_token": id_token}
        )
        login.nonce = id_token.get("nonce")
        return login

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        return self._verified(id_token, app.client_id, ["iss", "aud", "sub", "exp"])

    def _fetch_user_info(self, access_token: str) -> dict[str, Any]:
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.profile_url, headers={"Authorization": f"Bearer {access_token}"})
            answer.raise_for_status()
        if answer.headers.get("Content-Type", "").startswith("application/jwt"):
            return self._verified(answer.text, self.get_provider().app.client_id, ["iss", "aud", "sub"])
        told: dict[str, Any] = answer.json()
        return told

    def _verified(self, token: str, audience: str, required: list[str]) -> dict[str, Any]:
        """The claims of a token that the provider signed for us; raises OAuth2Error."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in SIGNATURES:
                raise OAuth2Error("This signature proves nothing.")
            for key in self._keys(header.get("kid")):
                with suppress(jwt.InvalidSignatureError):
                    return jwt.decode(
                        token,
                        key.key,
                        algorithms=[header["alg"]],
                        issuer=self.openid_config["issuer"],
                        audience=audience,
                        leeway=CLOCKS_DIFFER,
                        options={"require": required},
                    )
        except jwt.PyJWTError as error:
            raise OAuth2Error(f"This token is not good: {type(error).__name__}.") from error
        raise OAuth2Error("None of the provider's keys signed this token.")

    def _keys(self, key_id: str | None) -> list[jwt.PyJWK]:
        """The provider's public keys, or the one that a token names."""
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
        return [key for key in jwt.PyJWKSet.from_dict(answer.json()).keys if key_id in (None, key.key_id)]


class IdentityProvider(OpenIDConnectProvider):
    """The provider of the configuration; it only ever signs in, and nothing of what it tells is kept but ``sub``."""

    oauth2_adapter_class = IdentityAdapter

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        return {"process": AuthProcess.LOGIN, "next_url": get_next_redirect_url(request)}

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponse:
        nonce = secrets.token_urlsafe(32)
        parameters = self.get_auth_params() | {"nonce": nonce}
        response: HttpResponse = super().redirect(
            request, process, next_url, data, auth_params=parameters, nonce=nonce, **kwargs
        )
        return response

    def sociallogin_from_response(self, request: HttpRequest, response: dict[str, Any]) -> SocialLogin:
        login: SocialLogin = super().sociallogin_from_response(request, response)
        told = response["userinfo"]
        login.told_email = str(told.get("email") or "").strip().lower()
        login.is_email_verified = told.get("email_verified") is True or settings.OIDC_EMAILS_ARE_VERIFIED
        return login

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}
