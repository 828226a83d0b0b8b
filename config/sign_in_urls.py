"""The pages of django-allauth that Marelle uses, under allauth's own names, and a few of ours in their place."""

from collections.abc import Callable

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.webauthn import views as webauthn
from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpResponse
from django.urls import path, re_path

from referents.views import second_factor

SignInPage = Callable[..., HttpResponse]


def sign_in_page() -> SignInPage:
    """allauth's page; when an identity provider is configured, its button may lead there, and no other page may."""
    if not settings.OIDC_ISSUER:
        return account.login
    leads_to: Callable[[SignInPage], SignInPage] = csp_update({"form-action": settings.OIDC_ORIGINS})
    return leads_to(account.login)


urlpatterns = [
    path("connexion/", sign_in_page(), name="account_login"),
    path("connexion/second-facteur/", mfa.authenticate, name="mfa_authenticate"),
    path("deconnexion/", account.logout, name="account_logout"),
    path("compte/inactif/", account.account_inactive, name="account_inactive"),
    path("compte/creation/", account.signup, name="account_signup"),
    path("compte/confirmation/", account.reauthenticate, name="account_reauthenticate"),
    path("compte/mot-de-passe/", account.password_change, name="account_change_password"),
    path("compte/mot-de-passe/premier/", second_factor.password_first, name="account_set_password"),
    path("mot-de-passe-oublie/", account.password_reset, name="account_reset_password"),
    path("mot-de-passe-oublie/envoye/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^mot-de-passe-oublie/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "mot-de-passe-oublie/change/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("compte/second-facteur/", second_factor.factor_index, name="mfa_index"),
    path("compte/second-facteur/confirmation/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path(
        "compte/second-facteur/confirmation/cle/", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"
    ),
    path("compte/second-facteur/application/", second_factor.totp_activate, name="mfa_activate_totp"),
    path("compte/second-facteur/application/retirer/", second_factor.factor_remove, name="mfa_deactivate_totp"),
    path("compte/second-facteur/cle/", webauthn.add_webauthn, name="mfa_add_webauthn"),
    path("compte/second-facteur/cle/<int:pk>/retirer/", second_factor.factor_remove, name="mfa_remove_webauthn"),
    path("compte/second-facteur/codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "compte/second-facteur/codes/nouveaux/",
        recovery_codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
]

if settings.OIDC_ISSUER:
    from referents.views import openid  # its models exist only then

    identity = {"provider_id": settings.OIDC_ID}
    urlpatterns += [
        path("connexion/identite/", openid.openid_login, identity, name="openid_connect_login"),
        path("connexion/identite/retour/", openid.openid_callback, identity, name="openid_connect_callback"),
    ]
