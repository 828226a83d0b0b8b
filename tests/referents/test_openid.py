"""Signing in by an identity provider, a real one on the loopback address: whom it opens to, and what is refused."""

import logging
import warnings
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.conf import settings as project
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from audit.history import acting_as, system_account
from audit.journal.models import Event
from referents.models import User
from tests.cast import PASSWORD, Cast
from tests.conftest import SecureClient
from tests.second_factor import code, enrol

with warnings.catch_warnings():  # what the provider of the tests says of its own libraries
    from authlib.deprecate import AuthlibDeprecationWarning

    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from oidc_provider_mock import run_server_in_thread

pytestmark = pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning")  # the same
LEAVE, BACK = "/connexion/identite/", "/connexion/identite/retour/"


class Provider:
    """The provider's side: it knows people, and each one agrees to sign in when asked."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def knows(self, sub: str, **claims: object) -> None:
        requests.put(f"{self.issuer}/users/{sub}", json=claims, timeout=5).raise_for_status()

    def agrees(self, asked: str, sub: str) -> str:
        """Where the browser of this person is sent back to."""
        answer = requests.post(asked, data={"sub": sub}, allow_redirects=False, timeout=5)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with run_server_in_thread() as running:
        yield f"http://localhost:{running.server_port}"


@pytest.fixture
def provider(server: str, settings) -> Provider:
    configure(settings, server)
    return Provider(server)


def configure(settings, issuer: str) -> None:
    settings.OIDC_ISSUER = issuer
    app = project.OIDC_APP | {"settings": project.OIDC_APP["settings"] | {"server_url": issuer}}
    provider_class = "referents.openid.IdentityProvider"
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"provider_class": provider_class, "APPS": [app]}}


def leave(client: Client, **typed: str) -> str:
    """The address of the provider that the button leads to."""
    return client.post(LEAVE, typed)["Location"]


def come_back(client: Client, address: str):
    parts = urlsplit(address)
    assert parts.path == BACK
    return client.get(f"{parts.path}?{parts.query}")


def round_trip(client: Client, provider: Provider, sub: str):
    return come_back(client, provider.agrees(leave(client), sub))


def sentence(client: Client, answer) -> str:
    """What the sign-in page says after a refusal."""
    assert answer["Location"] == reverse("account_login")
    return str(client.get(answer["Location"]).text)


def why() -> list[str]:
    return [event.detail["why"] for event in Event.objects.filter(action="sign_in_failed")]


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


class TestButton:
    def test_stands_on_the_sign_in_page(self, db) -> None:
        page = SecureClient().get(reverse("account_login"))
        assert "S’identifier avec ProConnect" in page.text
        assert f"form-action 'self' {project.OIDC_ISSUER}" in page["Content-Security-Policy"]

    def test_is_a_form_and_nothing_else(self, db) -> None:
        assert SecureClient().get(LEAVE).status_code == 405

    def test_asks_for_no_more_than_an_address_with_a_state_a_nonce_and_a_challenge(self, db, provider) -> None:
        asked = parse_qs(urlsplit(leave(SecureClient())).query)
        assert set(asked["scope"][0].split()) == {"openid", "email"}
        assert asked["code_challenge_method"] == ["S256"]
        for name in ("state", "nonce", "code_challenge"):
            assert len(asked[name][0]) >= 16, name
        assert asked["redirect_uri"] == [f"https://testserver{BACK}"]

    def test_takes_nothing_else_from_the_address(self, db, provider) -> None:
        client = SecureClient()
        plain = parse_qs(urlsplit(leave(client)).query)
        forged = client.post(f"{LEAVE}?scope=phone&process=connect&auth_params=prompt%3Dnone")["Location"]
        assert set(parse_qs(urlsplit(forged).query)) == set(plain)
        assert "phone" not in forged


class TestRoundTrip:
    def test_opens_the_account_of_a_verified_address_once_the_factor_is_given(self, cast: Cast, provider) -> None:
        enrol(cast.benoit)
        provider.knows("sub-benoit", email=cast.benoit.email.upper(), email_verified=True)
        client = SecureClient()
        answer = come_back(client, provider.agrees(leave(client, next="/taches/"), "sub-benoit"))
        assert answer["Location"] == reverse("mfa_authenticate")
        assert not is_in(client)
        waiting = str(dict(client.session.items()))
        assert cast.benoit.email.lower() not in waiting.lower()
        assert "password" not in waiting
        assert client.post(reverse("mfa_authenticate"), {"code": code()})["Location"] == "/taches/"
        assert client.get("/parcours/").status_code == 200
        assert Event.objects.filter(action="grant", purpose="openid_identity", actor_id=cast.benoit.pk).exists()

    def test_enrols_a_second_factor_at_the_first_time(self, cast: Cast, provider) -> None:
        provider.knows("sub-benoit", email=cast.benoit.email, email_verified=True)
        client = SecureClient()
        round_trip(client, provider, "sub-benoit")
        assert client.get("/parcours/")["Location"] == reverse("second_factor")
        assert client.get(reverse("mfa_activate_totp")).status_code == 200

    def test_remembers_the_identity_and_not_the_address(self, cast: Cast, provider) -> None:
        provider.knows("sub-benoit", email=cast.benoit.email, email_verified=True)
        round_trip(SecureClient(), provider, "sub-benoit")
        provider.knows("sub-benoit", email=cast.amina.email, email_verified=True)  # changed at the provider
        client = SecureClient()
        round_trip(client, provider, "sub-benoit")
        assert client.session["_auth_user_id"] == str(cast.benoit.pk)
        assert SocialAccount.objects.get().user == cast.benoit

    def test_keeps_nothing_of_what_the_provider_tells(self, cast: Cast, provider) -> None:
        provider.knows("sub-benoit", email=cast.benoit.email, email_verified=True, phone_number="0687654321")
        round_trip(SecureClient(), provider, "sub-benoit")
        (identity,) = SocialAccount.objects.values()
        assert (identity["uid"], identity["extra_data"]) == ("sub-benoit", {})
        assert not SocialToken.objects.exists()

    def test_takes_the_place_of_whoever_was_signed_in(self, cast: Cast, provider, signed_in) -> None:
        provider.knows("sub-benoit", email=cast.benoit.email, email_verified=True)
        client = signed_in(cast.amina)
        round_trip(client, provider, "sub-benoit")
        assert client.session["_auth_user_id"] == str(cast.benoit.pk)
        assert client.get("/equipes/a/")["Location"] == reverse("second_factor")

    def test_goes_nowhere_else_afterwards(self, cast: Cast, provider) -> None:
        provider.knows("sub-benoit", email=cast.benoit.email, email_verified=True)
        client = SecureClient()
        answer = come_back(client, provider.agrees(leave(client, next="https://ailleurs.example/"), "sub-benoit"))
        assert answer["Location"] == "/"


class TestRefusal:
    def test_of_somebody_unknown_makes_no_account(self, cast: Cast, provider) -> None:
        provider.knows("sub-zoe", email="zoe@ailleurs.example", email_verified=True)
        client, accounts = SecureClient(), User.objects.count()
        assert "Aucun compte de Marelle" in sentence(client, round_trip(client, provider, "sub-zoe"))
        assert User.objects.count() == accounts
        assert why() == ["unknown"]
        assert not is_in(client)

    @pytest.mark.parametrize("verified", [False, None, "true", 0])
    def test_of_an_address_not_verified(self, cast: Cast, provider, verified: object) -> None:
        provider.knows("sub-benoit", email=cast.benoit.email, email_verified=verified)
        client = SecureClient()
        assert "vérifié votre adresse" in sentence(client, round_trip(client, provider, "sub-benoit"))
        assert why() == ["unverified"]
        assert not SocialAccount.objects.exists()

    def test_of_no_address_at_all(self, cast: Cast, provider, settings) -> None:
        settings.OIDC_EMAILS_ARE_VERIFIED = True
        provider.knows("sub-nobody")
        client = SecureClient()
        assert "Aucun compte" in sentence(client, round_trip(client, provider, "sub-nobody"))

    def test_of_an_address_given_to_somebody_else(self, cast: Cast, provider) -> None:
        provider.knows("sub-benoit", email=cast.benoit.email, email_verified=True)
        round_trip(SecureClient(), provider, "sub-benoit")
        provider.knows("sub-other", email=cast.benoit.email, email_verified=True)
        client = SecureClient()
        assert "une autre identité" in sentence(client, round_trip(client, provider, "sub-other"))
        assert why() == ["other_identity"]

    @pytest.mark.parametrize("linked", [False, True])
    def test_of_a_closed_account(self, cast: Cast, provider, linked: bool) -> None:
        provider.knows("sub-benoit", email=cast.benoit.email, email_verified=True)
        if linked:
            round_trip(SecureClient(), provider, "sub-benoit")
        with acting_as(system_account()):
            cast.benoit.is_active = False
            cast.benoit.save()
        client = SecureClient()
        assert "Ce compte est fermé" in sentence(client, round_trip(client, provider, "sub-benoit"))
        event = Event.objects.get(action="sign_in_failed")
        assert event.record_ids == [str(cast.benoit.pk)]
        assert SocialAccount.objects.exists() is linked

    def test_of_a_state_that_was_never_given(self, cast: Cast, provider) -> None:
        client = SecureClient()
        leave(client)
        assert "n’a pas abouti" in sentence(client, client.get(BACK, {"state": "forged", "code": "x"}))
        assert "n’a pas abouti" in sentence(client, client.get(BACK))

    def test_of_the_state_of_another_browser(self, cast: Cast, provider) -> None:
        """Signing somebody into the account of the attacker begins like this."""
        provider.knows("sub-benoit", email=cast.benoit.email, email_verified=True)
        address = provider.agrees(leave(SecureClient()), "sub-benoit")
        victim = SecureClient()
        assert "n’a pas abouti" in sentence(victim, come_back(victim, address))
        assert not is_in(victim)

    def test_of_an_answer_played_twice(self, cast: Cast, provider) -> None:
        provider.knows("sub-benoit", email=cast.benoit.email, email_verified=True)
        client = SecureClient()
        address = provider.agrees(leave(client), "sub-benoit")
        come_back(client, address)
        client.post(reverse("account_logout"))
        assert "n’a pas abouti" in sentence(client, come_back(client, address))
        assert not is_in(client)

    def test_of_a_code_played_twice_under_another_state(self, cast: Cast, provider) -> None:
        provider.knows("sub-benoit", email=cast.benoit.email, email_verified=True)
        client = SecureClient()
        used = parse_qs(urlsplit(provider.agrees(leave(client), "sub-benoit")).query)["code"][0]
        client.get(BACK, {"state": parse_qs(urlsplit(leave(client)).query)["state"][0], "code": used})
        client.post(reverse("account_logout"))
        state = parse_qs(urlsplit(leave(client)).query)["state"][0]
        assert "n’a pas abouti" in sentence(client, client.get(BACK, {"state": state, "code": used}))

    def test_of_a_token_asked_for_another_sign_in(self, cast: Cast, provider) -> None:
        """A code of one round trip, pasted into another: the nonce tells."""
        provider.knows("sub-benoit", email=cast.benoit.email, email_verified=True)
        stolen = parse_qs(urlsplit(provider.agrees(leave(SecureClient()), "sub-benoit")).query)["code"][0]
        client = SecureClient()
        state = parse_qs(urlsplit(leave(client)).query)["state"][0]
        assert "n’a pas abouti" in sentence(client, client.get(BACK, {"state": state, "code": stolen}))
        assert why() == ["nonce"]

    def test_of_a_sign_in_given_up(self, db, provider) -> None:
        client = SecureClient()
        state = parse_qs(urlsplit(leave(client)).query)["state"][0]
        assert "abandonnée" in sentence(client, client.get(BACK, {"state": state, "error": "access_denied"}))

    def test_of_a_signature_that_proves_nothing(self, cast: Cast, provider, monkeypatch) -> None:
        import jwt

        token = jwt.encode({"sub": "sub-benoit", "iss": provider.issuer, "aud": "marelle"}, "", algorithm="none")
        monkeypatch.setattr(
            "allauth.socialaccount.providers.oauth2.client.OAuth2Client.get_access_token",
            lambda self, code, pkce_code_verifier=None: {"access_token": "x", "id_token": token},
        )
        client = SecureClient()
        state = parse_qs(urlsplit(leave(client)).query)["state"][0]
        assert "n’a pas abouti" in sentence(client, client.get(BACK, {"state": state, "code": "x"}))

    def test_of_a_configuration_that_names_another_issuer(self, db, provider, settings) -> None:
        settings.OIDC_ISSUER = "https://ailleurs.example"
        client = SecureClient()
        assert "n’a pas abouti" in sentence(client, client.post(LEAVE))


class TestProviderAway:
    def test_is_said_before_leaving(self, db) -> None:
        client = SecureClient()
        assert "ne répond pas" in sentence(client, client.post(LEAVE))
        assert why() == ["away"]

    def test_is_said_on_the_way_back(self, cast: Cast, provider, settings) -> None:
        provider.knows("sub-benoit", email=cast.benoit.email, email_verified=True)
        client = SecureClient()
        address = provider.agrees(leave(client), "sub-benoit")
        configure(settings, "http://localhost:9")
        text = sentence(client, come_back(client, address))
        assert "ne répond pas" in text or "n’a pas abouti" in text
        assert not is_in(client)

    def test_leaves_the_password(self, cast: Cast, settings) -> None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        cast.benoit.set_password(PASSWORD)
        cast.benoit.save(update_fields=["password"])
        client = SecureClient()
        client.post(LEAVE)
        client.post(reverse("account_login"), {"login": cast.benoit.email, "password": PASSWORD})
        assert is_in(client)
        assert not Authenticator.objects.exists()


class TestNoProvider:
    def test_mounts_nothing(self) -> None:
        """Another process, without the variables: neither its pages, nor its tables, nor the button."""
        from tests.config.test_settings import start

        done = start(MARELLE_OIDC_ISSUER=None)
        assert done.returncode == 0, done.stderr
        asked = (
            "import config.wsgi; from django.apps import apps; from django.urls import reverse, NoReverseMatch\n"
            "assert not apps.is_installed('allauth.socialaccount')\n"
            "try: reverse('openid_connect_login')\n"
            "except NoReverseMatch: print('none')\n"
        )
        assert start(asked).stdout == "none\n"
