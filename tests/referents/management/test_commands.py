"""The first account of an installation, and the command that would put one above the rights."""

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command

from audit.history import system_account
from audit.journal.models import Event
from referents.management.commands import create_administrator
from referents.models import Role, User
from referents.standing import standing_of
from tests.cast import PASSWORD, Cast
from tests.second_factor import enrol

EMAIL = "nora@marelle.example"


class TestCreateAdministrator:
    @pytest.fixture(autouse=True)
    def _typed(self, monkeypatch: pytest.MonkeyPatch, settings) -> None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        self.password = PASSWORD
        monkeypatch.setattr(create_administrator, "getpass", lambda prompt: self.password)

    def run(self, email: str = EMAIL, **options) -> str:
        out = StringIO()
        names = {"first_name": "Nora", "last_name": "Test"}
        call_command("create_administrator", email, stdout=out, **names | options)
        return out.getvalue()

    def test_makes_an_administrator_who_reads_no_case(self, db) -> None:
        self.run()
        nora = User.objects.get(email=EMAIL)
        standing = standing_of(nora)
        assert [membership.role for membership in standing.memberships] == [Role.ADMINISTRATOR]
        assert nora.check_password(PASSWORD)
        assert (nora.is_superuser, nora.is_staff) == (False, False)

    def test_says_the_number_of_the_account_and_no_name(self, db) -> None:
        said = self.run()
        assert said.strip() == f"Compte {User.objects.get(email=EMAIL).pk} créé."

    def test_signs_what_it_does_with_the_account_of_the_installation(self, db) -> None:
        self.run()
        nora = User.objects.get(email=EMAIL)
        authors = {nora.history.get().history_user_id, nora.memberships.get().history.get().history_user_id}
        assert authors == {system_account().pk}

    def test_reads_the_password_from_a_pipe(self, db, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", StringIO("une phrase venue d’un tuyau\n"))
        self.run(password_stdin=True)
        assert User.objects.get(email=EMAIL).check_password("une phrase venue d’un tuyau")

    @pytest.mark.parametrize("weak", ["court", "password1234", "nora@marelle.example"])
    def test_refuses_a_weak_password(self, db, weak: str) -> None:
        self.password = weak
        with pytest.raises(CommandError):
            self.run()
        assert not User.objects.filter(email=EMAIL).exists()

    @pytest.mark.parametrize("email", ["nora", "nora@", "nora marelle@example.org"])
    def test_refuses_what_is_no_address(self, db, email: str) -> None:
        with pytest.raises(CommandError, match="adresse"):
            self.run(email)
        assert not User.objects.filter(first_name="Nora").exists()

    def test_refuses_an_address_that_opens_an_account(self, cast: Cast) -> None:
        with pytest.raises(CommandError, match="ouvre déjà un compte"):
            self.run(cast.benoit.email.upper())
        assert not User.objects.get(pk=cast.benoit.pk).standing.holds(Role.ADMINISTRATOR)

    def test_leaves_no_account_without_its_role(self, db, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(**values) -> None:
            raise RuntimeError("the database has stopped")

        monkeypatch.setattr(create_administrator, "grant_membership", broken)
        with pytest.raises(RuntimeError):
            self.run()
        assert not User.objects.filter(email=EMAIL).exists()


class TestCreatesuperuser:
    def test_is_refused_and_says_what_to_use(self, db) -> None:
        with pytest.raises(CommandError, match="create_administrator"):
            call_command("createsuperuser")
        assert not User.objects.exists()


class TestResetSecondFactor:
    def test_frees_the_last_administrator(self, cast: Cast, signed_in) -> None:
        enrol(cast.hugo)
        client = signed_in(cast.hugo)
        out = StringIO()
        call_command("reset_second_factor", cast.hugo.email.upper(), stdout=out)
        assert out.getvalue() == f"Compte {cast.hugo.pk} : second facteur réinitialisé, sessions fermées.\n"
        assert not Authenticator.objects.exists()
        assert client.get("/comptes/")["Location"].startswith("/connexion/")
        event = Event.objects.get(action="second_factor_reset")
        assert event.actor_id == system_account().pk

    def test_says_when_there_is_no_such_account(self, db) -> None:
        with pytest.raises(CommandError, match="Aucun compte"):
            call_command("reset_second_factor", "personne@marelle.example")
