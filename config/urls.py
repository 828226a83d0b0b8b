"""All addresses. Only the sign-in pages that Marelle uses are mounted."""

from allauth.account import views as account
from django.conf import settings
from django.urls import include, path, re_path

from config import views
from partners.admin import reference

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("pre_cases.urls")),
    path("", include("partners.urls")),
    path("", include("referents.urls")),
    path("administration/donnees/", reference.urls),
    path("connexion/", account.login, name="account_login"),
    path("deconnexion/", account.logout, name="account_logout"),
    path("compte/inactif/", account.account_inactive, name="account_inactive"),
    path("compte/creation/", account.signup, name="account_signup"),
    path("compte/confirmation/", account.reauthenticate, name="account_reauthenticate"),
    path("compte/mot-de-passe/", account.password_change, name="account_change_password"),
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
]

if settings.DEMO:
    urlpatterns.append(path("composants/", views.gallery, name="gallery"))
