from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.urls import reverse
from django.utils import timezone

from tests.cast import Cast
from tests.second_factor import code, enrol, enrol_key, give_recovery_codes


class TestSecondFactor:
    def test_explains_and_offers_both(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.benoit, second_factor=False).get(reverse("second_factor"))
        for words in ("Application de codes", "Clé d’accès", "Téléphone partagé", "codes de secours", "trois minutes"):
            assert words in page.text

    def test_goes_on_once_it_was_used(self, cast: Cast, signed_in) -> None:
        assert signed_in(cast.benoit).get(reverse("second_factor"))["Location"] == reverse("account_security")

    def test_asks_a_passkey_of_who_has_no_application(self, cast: Cast, signed_in) -> None:
        enrol_key(cast.benoit)
        asked = signed_in(cast.benoit, second_factor=False).get(reverse("second_factor"))["Location"]
        assert asked.startswith(reverse("mfa_reauthenticate_webauthn"))


class TestAccountSecurity:
    def test_shows_the_factors_and_what_is_left(self, cast: Cast, signed_in) -> None:
        enrol(cast.benoit)
        codes = give_recovery_codes(cast.benoit)
        codes.data["used_mask"] = 0b101
        codes.save()
        page = signed_in(cast.benoit).get(reverse("account_security"))
        assert "Application de codes" in page.text
        assert "Il vous reste 8 codes de secours" in page.text
        assert reverse("mfa_deactivate_totp") not in page.text

    def test_offers_to_remove_one_of_several(self, cast: Cast, signed_in) -> None:
        enrol(cast.benoit)
        key = enrol_key(cast.benoit, "Clé <b>USB</b>")
        page = signed_in(cast.benoit).get(reverse("account_security"))
        assert reverse("mfa_remove_webauthn", args=[key.pk]) in page.text
        assert "Clé &lt;b&gt;USB" in page.text

    def test_says_when_no_code_is_left(self, cast: Cast, signed_in) -> None:
        enrol(cast.benoit)
        assert "aucun code de secours" in signed_in(cast.benoit).get(reverse("account_security")).text


class TestPasswordFirst:
    def test_is_chosen_by_a_link(self, cast: Cast, signed_in) -> None:
        """Somebody whom an identity provider signs in has no password to change."""
        client = signed_in(cast.benoit)
        page = client.get(reverse("account_change_password"), follow=True)
        assert page.redirect_chain[-1][0] == reverse("account_reset_password")


class TestFactorRemove:
    @pytest.mark.parametrize("kind", ["totp", "webauthn"])
    def test_confirms_then_removes(self, cast: Cast, signed_in, kind: str) -> None:
        enrol(cast.benoit)
        key = enrol_key(cast.benoit)
        url = reverse("mfa_deactivate_totp") if kind == "totp" else reverse("mfa_remove_webauthn", args=[key.pk])
        client = signed_in(cast.benoit)
        assert client.get(url).status_code == 200
        assert Authenticator.objects.count() == 2
        assert client.post(url)["Location"] == reverse("account_security")
        assert not Authenticator.objects.filter(type=kind).exists()

    def test_refuses_the_last_one_with_a_sentence(self, cast: Cast, signed_in) -> None:
        enrol(cast.benoit)
        answer = signed_in(cast.benoit).post(reverse("mfa_deactivate_totp"))
        assert answer.status_code == 422
        assert "seul second facteur" in answer.text
        assert Authenticator.objects.exists()

    def test_knows_only_one_s_own_keys(self, cast: Cast, signed_in) -> None:
        enrol(cast.benoit)
        theirs = enrol_key(cast.amina)
        client = signed_in(cast.benoit)
        for method in ("get", "post", "head"):
            foreign = getattr(client, method)(reverse("mfa_remove_webauthn", args=[theirs.pk]))
            nothing = getattr(client, method)(reverse("mfa_remove_webauthn", args=[987654]))
            assert (foreign.status_code, foreign.content) == (404, nothing.content)
        assert Authenticator.objects.filter(pk=theirs.pk).exists()

    def test_asks_the_second_factor_again(self, cast: Cast, signed_in) -> None:
        enrol(cast.benoit), enrol_key(cast.benoit)
        client = signed_in(cast.benoit)
        with time_machine.travel(timezone.now() + timedelta(minutes=11)):
            asked = client.get(reverse("mfa_deactivate_totp"))["Location"]
            assert asked.startswith(reverse("mfa_reauthenticate"))


class TestSignOutEverywhere:
    def test_ends_the_others_and_goes_on(self, cast: Cast, signed_in) -> None:
        here, elsewhere = signed_in(cast.benoit), signed_in(cast.benoit)
        assert here.post(reverse("sign_out_everywhere"))["Location"] == reverse("account_security")
        assert "Celle-ci continue" in here.get(reverse("account_security")).text
        assert here.get("/parcours/").status_code == 200
        page = elsewhere.get("/parcours/", follow=True)
        assert "Toutes vos sessions ont été fermées" in page.text

    def test_is_a_button_only(self, cast: Cast, signed_in) -> None:
        assert signed_in(cast.benoit).get(reverse("sign_out_everywhere")).status_code == 405


class TestRecoveryCodes:
    def test_are_made_anew_and_the_former_ones_forgotten(self, cast: Cast, signed_in) -> None:
        enrol(cast.benoit)
        client = signed_in(cast.benoit)
        assert client.post(reverse("mfa_generate_recovery_codes"))["Location"] == reverse("mfa_view_recovery_codes")
        first = client.get(reverse("mfa_view_recovery_codes")).context["unused_codes"]
        assert "ne serviront plus" in client.get(reverse("mfa_generate_recovery_codes")).text
        client.post(reverse("mfa_generate_recovery_codes"))
        assert set(first).isdisjoint(client.get(reverse("mfa_view_recovery_codes")).context["unused_codes"])

    def test_are_shown_after_a_fresh_second_factor(self, cast: Cast, signed_in) -> None:
        enrol(cast.benoit), give_recovery_codes(cast.benoit)
        client = signed_in(cast.benoit)
        with time_machine.travel(timezone.now() + timedelta(minutes=11)):
            url = reverse("mfa_view_recovery_codes")
            assert client.get(url)["Location"].startswith(reverse("mfa_reauthenticate"))
            client.post(reverse("mfa_reauthenticate"), {"code": code(), "next": url})
            assert client.get(url).status_code == 200
