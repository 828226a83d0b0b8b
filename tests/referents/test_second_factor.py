"""No role opens anything before its session has used a second factor; codes serve once, and wrong ones lock."""

import json
import time
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from referents.models import User
from tests.cast import PASSWORD, Cast, make_user
from tests.conftest import SecureClient
from tests.leaks.canaries import found_in
from tests.leaks.test_leaks import everything_stored
from tests.second_factor import SECRET, code, enrol, enrol_key, give_recovery_codes, wrong_code

LOGIN, FACTOR = "/connexion/", "/connexion/second-facteur/"
ROLES = ["amina", "benoit", "chloe", "david", "esther", "farid", "gaelle", "hugo"]
PERIOD = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def _alone(settings):
    """What the sign-in pages count in the cache stays in this test; a password is digested quickly."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    yield
    cache.clear()


def with_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    return user


def waiting_for_code(user: User) -> Client:
    """A client whose password was right, before the page that asks for a code."""
    client = SecureClient()
    answer = client.post(LOGIN, {"login": with_password(user).email, "password": PASSWORD})
    assert answer["Location"] == FACTOR
    return client


def give(client: Client, typed: str):
    return client.post(FACTOR, {"code": typed})


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def errors_of(answer) -> str:
    return " ".join(answer.context["form"].errors.get("code", []))


def actions(user: User) -> list[tuple[str, str]]:
    return list(Event.objects.filter(actor_id=user.pk).order_by("at", "id").values_list("action", "data_kind"))


class TestSecondFactorMiddleware:
    @pytest.mark.parametrize("name", ROLES)
    def test_sends_every_role_to_the_enrolment(self, cast: Cast, signed_in, name: str) -> None:
        client = signed_in(getattr(cast, name), second_factor=False)
        for page in (reverse("home"), reverse("partners:school_list"), reverse("charter_sign")):
            assert client.get(page)["Location"] == reverse("second_factor"), page
        assert client.get(reverse("second_factor")).status_code == 200

    def test_closes_every_page_but_those_that_enrol(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit, second_factor=False)
        for name in (
            "account_change_password",
            "account_security",
            "mfa_view_recovery_codes",
            "mfa_index",
            "no_access",
        ):
            assert client.get(reverse(name))["Location"] == reverse("second_factor"), name
        comment = reverse("pre_cases:comment_create", args=[cast.ines_parcours.pk])
        assert client.post(comment, {"text": "Non"})["Location"] == reverse("second_factor")
        assert not cast.ines_parcours.comments.exists()
        assert client.post(reverse("account_logout")).status_code == 302

    def test_hides_the_menu_until_then(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.benoit, second_factor=False).get(reverse("second_factor"))
        assert page.context["navigation"] == []

    def test_leaves_whom_holds_no_role_to_the_explanation(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.yann, second_factor=False)
        assert client.get(reverse("home"))["Location"] == reverse("no_access")
        assert client.get(reverse("no_access")).status_code == 200

    def test_comes_before_the_charter(self, cast: Cast, signed_in) -> None:
        with acting_as(system_account()):
            cast.benoit.charters.all().delete()
        page = reverse("pre_cases:my_parcours")
        assert signed_in(cast.benoit, second_factor=False).get(page)["Location"] == reverse("second_factor")
        assert signed_in(cast.benoit).get(page)["Location"] == reverse("charter_sign")
        assert signed_in(cast.benoit).get(reverse("account_security")).status_code == 200

    def test_asks_the_factor_of_a_session_older_than_the_enrolment(self, cast: Cast, signed_in) -> None:
        """Somebody who knew the password was signed in already: having a factor is not having used it."""
        client = signed_in(cast.benoit, second_factor=False)
        enrol(cast.benoit)
        assert client.get(reverse("home"))["Location"] == reverse("second_factor")
        proof = client.get(reverse("second_factor"))["Location"]
        assert proof == f"{reverse('mfa_reauthenticate')}?next=%2F"
        for name in ("mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate", "account_change_password"):
            assert client.get(reverse(name))["Location"] == reverse("second_factor"), name
        assert client.post(reverse("mfa_reauthenticate"), {"code": code(), "next": "/"})["Location"] == "/"
        assert client.get(reverse("pre_cases:my_parcours")).status_code == 200

    def test_does_not_take_the_record_of_another_person(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        session = client.session
        session["account_authentication_methods_user"] = str(cast.chloe.pk)
        session.save()
        assert client.get(reverse("home"))["Location"] == reverse("second_factor")

    def test_moves_a_fragment_as_a_whole_page(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit, second_factor=False)
        answer = client.get(reverse("pre_cases:my_parcours"), headers={"HX-Request": "true"})
        assert (answer.status_code, answer["HX-Redirect"]) == (204, reverse("second_factor"))


class TestSignInWithCode:
    def test_opens_after_the_password_and_the_code(self, cast: Cast) -> None:
        enrol(cast.benoit)
        client = waiting_for_code(cast.benoit)
        assert not is_in(client)
        assert client.get(reverse("home"))["Location"].startswith(LOGIN)
        assert give(client, code())["Location"] == "/"
        assert [action for action, _ in actions(cast.benoit)][-2:] == ["second_factor", "sign_in"]
        assert client.get(reverse("pre_cases:my_parcours")).status_code == 200

    def test_goes_on_to_the_page_asked_for(self, cast: Cast) -> None:
        enrol(with_password(cast.benoit))
        client = SecureClient()
        client.post(LOGIN, {"login": cast.benoit.email, "password": PASSWORD, "next": "/taches/"})
        assert give(client, code())["Location"] == "/taches/"

    @pytest.mark.parametrize("later", [-1, 0, 1])
    def test_takes_the_code_of_the_period_and_of_its_neighbours(self, cast: Cast, later: int) -> None:
        enrol(cast.benoit)
        assert is_in_after(waiting_for_code(cast.benoit), code(later=later))

    @pytest.mark.parametrize("later", [-2, 2])
    def test_refuses_an_older_or_a_later_code(self, cast: Cast, later: int) -> None:
        enrol(cast.benoit)
        assert not is_in_after(waiting_for_code(cast.benoit), code(later=later))

    def test_refuses_a_code_that_has_served(self, cast: Cast) -> None:
        enrol(cast.benoit)
        typed = code()
        assert is_in_after(waiting_for_code(cast.benoit), typed)
        answer = give(again := waiting_for_code(cast.benoit), typed)
        assert "a déjà servi" in errors_of(answer)
        assert not is_in(again)

    def test_refuses_an_earlier_code_than_the_last_one(self, cast: Cast) -> None:
        enrol(cast.benoit)
        assert is_in_after(waiting_for_code(cast.benoit), code(later=1))
        assert not is_in_after(waiting_for_code(cast.benoit), code())

    def test_remembers_what_has_served_in_the_database(self, cast: Cast) -> None:
        """Every process sees it: no cache is asked."""
        factor = enrol(cast.benoit)
        give(waiting_for_code(cast.benoit), code())
        factor.refresh_from_db()
        assert abs(factor.data["last_counter"] - time.time() // 30) <= 1

    def test_does_not_take_the_code_typed_to_enrol(self, cast: Cast) -> None:
        factor = enrol(cast.benoit)
        factor.created_at = timezone.now()
        factor.save()
        assert not is_in_after(waiting_for_code(cast.benoit), code())

    @pytest.mark.parametrize("typed", ["", "12345", "abcdef", "１２３４５６", "é" * 6, "0" * 500, "1 2", "-1"])
    def test_answers_anything_else_with_a_sentence(self, cast: Cast, typed: str) -> None:
        enrol(cast.benoit)
        answer = give(waiting_for_code(cast.benoit), typed)
        assert answer.status_code == 200
        assert errors_of(answer)

    def test_takes_a_code_written_with_a_space(self, cast: Cast) -> None:
        enrol(cast.benoit)
        shown = code()
        assert is_in_after(waiting_for_code(cast.benoit), f" {shown[:3]} {shown[3:]} ")

    @pytest.mark.parametrize(
        "credential", ["", "{", "[]", "5", '"x"', "{}", json.dumps({"id": "A", "response": {}}), "null"]
    )
    def test_answers_a_forged_passkey_with_a_sentence(self, cast: Cast, credential: str) -> None:
        enrol(cast.benoit)
        client = waiting_for_code(cast.benoit)
        client.get(FACTOR)
        answer = client.post(FACTOR, {"credential": credential})
        assert answer.status_code == 200
        assert answer.context["webauthn_form"].errors
        assert not is_in(client)

    def test_is_of_no_use_without_the_password(self, db) -> None:
        assert SecureClient().get(FACTOR)["Location"].startswith(LOGIN)

    def test_keeps_out_who_was_closed_meanwhile(self, cast: Cast) -> None:
        enrol(cast.benoit)
        client = waiting_for_code(cast.benoit)
        with acting_as(system_account()):
            cast.benoit.is_active = False
            cast.benoit.save()
        give(client, code())
        assert client.get(reverse("pre_cases:my_parcours"))["Location"].startswith(LOGIN)


class TestRecoveryCodes:
    def codes(self, user: User) -> list[str]:
        from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

        from audit.encryption.sign_in import open_secret

        kept = Authenticator.objects.get(user=user, type="recovery_codes")
        kept.data["seed"] = open_secret(kept.data["seed"], owner=user.pk)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("allauth.mfa.recovery_codes.internal.auth.decrypt", str)
            return RecoveryCodes(kept).generate_codes()

    def test_open_once_each(self, cast: Cast) -> None:
        enrol(cast.benoit)
        give_recovery_codes(cast.benoit)
        one, other, *_ = self.codes(cast.benoit)
        assert is_in_after(waiting_for_code(cast.benoit), one)
        assert not is_in_after(waiting_for_code(cast.benoit), one)
        assert is_in_after(waiting_for_code(cast.benoit), other)
        assert ("second_factor", "recovery_codes") in actions(cast.benoit)

    def test_open_to_who_has_lost_a_passkey(self, cast: Cast) -> None:
        enrol_key(cast.benoit)
        give_recovery_codes(cast.benoit)
        client = SecureClient()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("allauth.mfa.webauthn.internal.auth.get_credentials", lambda user: [])
            client.post(LOGIN, {"login": with_password(cast.benoit).email, "password": PASSWORD})
            assert is_in_after(client, self.codes(cast.benoit)[3])


class TestLock:
    def test_comes_after_five_wrong_codes(self, cast: Cast) -> None:
        enrol(cast.benoit)
        client = waiting_for_code(cast.benoit)
        for _ in range(5):
            assert "pas le bon" in errors_of(give(client, wrong_code()))
        assert "Trop d’essais" in errors_of(give(client, code()))
        assert not is_in(client)
        assert actions(cast.benoit).count(("second_factor_failed", "code")) == 5
        refusal = Event.objects.get(action="refusal")
        assert (refusal.record_ids, refusal.detail) == ([str(cast.benoit.pk)], {"why": "locked"})

    def test_holds_from_every_address_and_browser(self, cast: Cast) -> None:
        enrol(cast.benoit)
        for number in range(5):
            client = waiting_for_code(cast.benoit)
            client.post(FACTOR, {"code": wrong_code()}, REMOTE_ADDR=f"198.51.100.{number}")
        assert not is_in_after(waiting_for_code(cast.benoit), code())

    def test_leaves_the_rest_of_the_office_alone(self, cast: Cast) -> None:
        enrol(cast.benoit)
        enrol(cast.amina)
        client = waiting_for_code(cast.benoit)
        for _ in range(6):
            give(client, wrong_code())
        assert is_in_after(waiting_for_code(cast.amina), code())

    def test_ends_after_a_quarter_of_an_hour_even_if_one_insists(self, cast: Cast) -> None:
        enrol(cast.benoit)
        start = timezone.now()
        with time_machine.travel(start, tick=False) as clock:
            client = waiting_for_code(cast.benoit)
            for _ in range(5):
                give(client, wrong_code())
            clock.move_to(start + timedelta(minutes=14))
            assert not is_in_after(client, code())
            clock.move_to(start + timedelta(minutes=15, seconds=1))
            assert is_in_after(waiting_for_code(cast.benoit), code())

    def test_lasts_a_day_after_twenty(self, cast: Cast) -> None:
        enrol(cast.benoit)
        start = timezone.now()
        with time_machine.travel(start, tick=False) as clock:
            for hour in range(4):
                clock.move_to(start + timedelta(hours=hour))
                client = waiting_for_code(cast.benoit)
                for _ in range(5):
                    give(client, wrong_code())
            clock.move_to(start + timedelta(hours=12))
            assert not is_in_after(waiting_for_code(cast.benoit), code())
            clock.move_to(start + timedelta(hours=28))
            assert is_in_after(waiting_for_code(cast.benoit), code())

    def test_forgets_after_a_success(self, cast: Cast) -> None:
        enrol(cast.benoit)
        start = timezone.now()
        with time_machine.travel(start, tick=False) as clock:
            for turn in range(3):
                clock.move_to(start + turn * 3 * PERIOD)
                client = waiting_for_code(cast.benoit)
                for _ in range(4):
                    give(client, wrong_code())
                clock.shift(1)
                assert is_in_after(client, code()), turn

    def test_holds_when_the_code_is_asked_again(self, cast: Cast, signed_in) -> None:
        enrol(cast.benoit)
        client = signed_in(cast.benoit)
        for _ in range(5):
            client.post(reverse("mfa_reauthenticate"), {"code": wrong_code()})
        answer = client.post(reverse("mfa_reauthenticate"), {"code": code()})
        assert "Trop d’essais" in errors_of(answer)


class TestEnrolment:
    def opened(self, cast: Cast, signed_in) -> Client:
        client = SecureClient()
        client.post(LOGIN, {"login": with_password(cast.benoit).email, "password": PASSWORD})
        return client

    def test_begins_at_the_first_sign_in(self, cast: Cast, signed_in) -> None:
        client = self.opened(cast, signed_in)
        page = client.get("/", follow=True)
        assert page.redirect_chain[-1][0] == reverse("second_factor")
        assert reverse("mfa_activate_totp") in page.text
        assert reverse("mfa_add_webauthn") in page.text

    def test_goes_from_the_secret_to_the_recovery_codes_and_the_first_page(self, cast: Cast, signed_in) -> None:
        client = self.opened(cast, signed_in)
        page = client.get(reverse("mfa_activate_totp"))
        secret = page.context["form"].secret
        assert page.context["form"].spaced_secret in page.text
        answer = client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
        assert answer["Location"] == reverse("mfa_view_recovery_codes")
        codes = client.get(answer["Location"])
        assert len(codes.context["unused_codes"]) == 10
        assert "J’ai rangé ces codes" in codes.text
        assert client.get(reverse("pre_cases:my_parcours")).status_code == 200
        assert [line for line in actions(cast.benoit) if line[0].startswith("second")] == [
            ("second_factor_added", "totp"),
            ("second_factor_added", "recovery_codes"),
        ]

    def test_keeps_the_same_secret_until_it_is_enrolled(self, cast: Cast, signed_in) -> None:
        client = self.opened(cast, signed_in)
        secrets = {client.get(reverse("mfa_activate_totp")).context["form"].secret for _ in range(2)}
        wrong = client.post(reverse("mfa_activate_totp"), {"code": "000000"})
        assert errors_of(wrong)
        assert {wrong.context["form"].secret} == secrets
        assert not Authenticator.objects.exists()

    def test_never_stores_a_secret_in_clear(self, cast: Cast, signed_in) -> None:
        client = self.opened(cast, signed_in)
        secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
        assert secret not in json.dumps(dict(client.session.items()))
        client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
        stored = str(list(Authenticator.objects.values_list("data", flat=True)))
        assert secret not in stored
        assert "mfa.totp.secret" not in client.session

    def test_asks_the_password_again_when_one_has_waited(self, cast: Cast, signed_in) -> None:
        start = timezone.now()
        with time_machine.travel(start, tick=False) as clock:
            client = self.opened(cast, signed_in)
            clock.move_to(start + timedelta(minutes=11))
            asked = client.get(reverse("mfa_activate_totp"))["Location"]
            assert asked == f"{reverse('account_reauthenticate')}?next={quote(reverse('mfa_activate_totp'), safe='')}"
            typed = {"password": PASSWORD, "next": reverse("mfa_activate_totp")}
            assert client.post(reverse("account_reauthenticate"), typed)["Location"] == reverse("mfa_activate_totp")
            assert client.get(reverse("mfa_activate_totp")).status_code == 200

    @pytest.mark.parametrize("credential", ["", "{", "[]", "{}", "7", json.dumps({"id": "A", "response": {"x": 1}})])
    def test_answers_a_forged_passkey_with_a_sentence(self, cast: Cast, signed_in, credential: str) -> None:
        client = self.opened(cast, signed_in)
        client.get(reverse("mfa_add_webauthn"))
        answer = client.post(reverse("mfa_add_webauthn"), {"name": "Clé", "credential": credential})
        assert answer.status_code == 200
        assert answer.context["form"].errors
        assert not Authenticator.objects.exists()


class TestPassword:
    @pytest.mark.parametrize("weak", ["onze-signes!", "motdepasse12", "azertyuiop12"])
    def test_of_eleven_signs_or_common_is_refused(self, cast: Cast, signed_in, weak: str) -> None:
        client = signed_in(with_password(cast.benoit))
        new = weak[:11]
        typed = {"oldpassword": PASSWORD, "password1": new, "password2": new}
        assert client.post(reverse("account_change_password"), typed).context["form"].errors

    def test_is_digested_by_argon2(self, settings) -> None:
        from config import settings as written

        assert written.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]

    def test_is_never_asked_to_be_renewed(self, cast: Cast, signed_in) -> None:
        with time_machine.travel(timezone.now() + timedelta(days=200)):
            assert signed_in(with_password(cast.gaelle)).get(reverse("journal_list")).status_code == 200

    def test_does_not_confirm_for_who_has_a_second_factor(self, cast: Cast, signed_in) -> None:
        enrol(with_password(cast.benoit))
        client = signed_in(cast.benoit)
        answer = client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
        assert answer["Location"] == reverse("mfa_reauthenticate")

    def test_change_is_in_the_journal(self, cast: Cast, signed_in) -> None:
        client = signed_in(with_password(cast.benoit))
        typed = {
            "oldpassword": PASSWORD,
            "password1": "une-autre-longue-phrase",
            "password2": "une-autre-longue-phrase",
        }
        client.post(reverse("account_change_password"), typed)
        assert ("password_changed", "") in actions(cast.benoit)


def is_in_after(client: Client, typed: str) -> bool:
    give(client, typed)
    return is_in(client)


class TestSecrets:
    def test_are_nowhere_in_the_raw_bytes_of_the_databases(self, cast: Cast, signed_in) -> None:
        """While they wait in the session, and once they are enrolled; the recovery codes neither."""
        client = signed_in(cast.benoit, second_factor=False)
        session = client.session
        session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
        session["account_authentication_methods_user"] = str(cast.benoit.pk)
        session.save()
        secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
        assert found_in(everything_stored(), [secret]) == set()
        client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
        codes = client.get(reverse("mfa_view_recovery_codes")).context["unused_codes"]
        assert found_in(everything_stored(), [secret, *codes]) == set()
        enrolled = Authenticator.objects.get(type="totp")
        enrolled.data["secret"] = secret
        enrolled.save()
        assert found_in(everything_stored(), [secret]) == {secret}  # it would be caught

    def test_do_not_open_in_another_account(self, cast: Cast) -> None:
        """A row written into the database by hand is met by a neutral page, and an event."""
        sealed = enrol(cast.amina, SECRET).data["secret"]
        factor = enrol(cast.benoit)
        factor.data["secret"] = sealed
        factor.save()
        answer = give(waiting_for_code(cast.benoit), code())
        assert answer.status_code == 503
        assert Event.objects.filter(action="refusal", detail__unreadable="sign_in.secret").exists()

    def test_need_no_role(self, db) -> None:
        zoe = make_user("Zoé")
        enrol(zoe)
        assert is_in_after(waiting_for_code(zoe), code())
