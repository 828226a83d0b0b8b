"""Production by default: what is refused without keys, and what every answer carries."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from tests.cast import Cast

ROOT = Path(settings.BASE_DIR)
COMPLETE = {
    "SECRET_KEY": "a" * 50,
    "MARELLE_KEY_PROVIDER": "env:A_KEY",
    "A_KEY": base64.b64encode(b"k" * 32).decode(),
    "MARELLE_SIGNING_KEY": "env:ANOTHER_KEY",
    "ANOTHER_KEY": base64.b64encode(b"s" * 32).decode(),
    "MARELLE_ENV_FILE": os.devnull,
}
START = "import config.wsgi"  # what a web server loads


def start(program: str = START, /, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Load the application as a web server does, in an environment of its own."""
    environment = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings", **COMPLETE, **changes}
    environment = {name: value for name, value in environment.items() if value is not None}
    environment["MARELLE_VAR_DIR"] = str(settings.VAR_DIR)
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


class TestStart:
    def test_succeeds_with_its_keys(self) -> None:
        done = start()
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize(
        "missing", ["SECRET_KEY", "MARELLE_KEY_PROVIDER", "A_KEY", "MARELLE_SIGNING_KEY", "ANOTHER_KEY"]
    )
    def test_is_refused_without_one_of_its_keys(self, missing: str) -> None:
        done = start(**{missing: None})
        assert done.returncode != 0
        assert missing in done.stderr

    def test_is_refused_with_a_short_secret(self) -> None:
        assert "40 characters" in start(SECRET_KEY="short").stderr

    def test_is_refused_with_a_key_that_is_none(self) -> None:
        assert start(A_KEY="not base64 of 32 bytes").returncode != 0
        assert "ANOTHER_KEY must hold" in start(ANOTHER_KEY="not base64 of 32 bytes").stderr


class TestProductionSettings:
    def test_are_those_of_the_tests(self) -> None:
        assert settings.DEMO is False
        assert settings.DEBUG is False
        assert settings.SESSION_COOKIE_NAME == "__Host-session"

    def test_have_neither_transactions_around_requests_nor_the_history_s_middleware(self) -> None:
        assert not settings.DATABASES["default"].get("ATOMIC_REQUESTS")
        assert not any("simple_history" in name for name in settings.MIDDLEWARE)


POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class TestHeaders:
    def answers(self, cast: Cast, signed_in) -> dict[str, object]:
        """One answer of each kind: page, form refused, download-less redirect, 404, sign-in page, plain HTTP."""
        benoit = signed_in(cast.benoit)
        anonymous = Client()
        return {
            "page": benoit.get(reverse("pre_cases:my_parcours")),
            "refused form": benoit.post(reverse("pre_cases:comment_create", args=[cast.ines_parcours.pk])),
            "404": benoit.get(reverse("pre_cases:parcours_detail", args=[cast.tom_parcours.pk])),
            "unknown address": benoit.get("/nulle-part/"),
            "sign-in page": anonymous.get(reverse("account_login"), secure=True),
            "redirect to the sign-in": anonymous.get(reverse("pre_cases:my_parcours"), secure=True),
            "redirect to HTTPS": anonymous.get(reverse("account_login")),
        }

    def test_protect_every_answer(self, cast: Cast, signed_in) -> None:
        for name, response in self.answers(cast, signed_in).items():
            policy = POLICY
            if name == "sign-in page":  # the only one that may lead to the identity provider
                policy = POLICY.replace("form-action 'self'", f"form-action 'self' {settings.OIDC_ISSUER}")
            assert sorted(response["Content-Security-Policy"].split("; ")) == sorted(policy.split("; ")), name
            assert response["X-Content-Type-Options"] == "nosniff", name
            assert response["Referrer-Policy"] == "same-origin", name
            assert response["Cross-Origin-Opener-Policy"] == "same-origin", name
            assert response["Cross-Origin-Resource-Policy"] == "same-origin", name
            assert response["X-Frame-Options"] == "DENY", name
            assert "no-store" in response["Cache-Control"], name
            assert "camera=()" in response["Permissions-Policy"], name

    def test_keep_browsers_on_https(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.benoit).get(reverse("pre_cases:my_parcours"))
        assert response["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
        assert Client().get(reverse("account_login")).status_code == 301

    def test_lock_the_cookies(self, cast: Cast) -> None:
        cast.benoit.set_password("correct-horse-battery")
        cast.benoit.save(update_fields=["password"])
        typed = {"login": cast.benoit.email, "password": "correct-horse-battery"}
        response = Client().post(reverse("account_login"), typed, secure=True)
        assert response.status_code == 302
        session = response.cookies["__Host-session"]
        assert session["secure"]
        assert session["httponly"]
        assert session["samesite"] == "Lax"
        assert not session["domain"]

    def test_empty_the_browser_at_sign_out(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.benoit).post(reverse("account_logout"))
        assert response["Clear-Site-Data"] == '"cache", "storage"'
