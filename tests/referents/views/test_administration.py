"""The home of the technical administration: counts and states, and not one row about a child."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.encryption.errors import KeyProviderUnavailable
from audit.journal.models import Event
from referents import overview
from referents.models import Invitation, Role
from referents.services.invitations import send_invitation
from referents.services.memberships import end_membership, grant_membership
from tests.cast import Cast, make_user
from tests.conftest import SecureClient
from tests.queries import queries_of

HOME, SIGN_INS = "administration", "sign_in_list"
CASE_TABLES = {
    model._meta.db_table for label in ("pre_cases", "partners") for model in apps.get_app_config(label).get_models()
}


class TestAdministration:
    @pytest.mark.parametrize("name", [HOME, SIGN_INS, "account_list"])
    def test_asks_nothing_of_the_tables_of_the_cases(self, cast: Cast, signed_in, name: str) -> None:
        asked = " ".join(queries_of(signed_in(cast.hugo), reverse(name)))
        assert len(CASE_TABLES) > 30
        assert [table for table in CASE_TABLES if f'"{table}"' in asked] == []

    def test_asks_nothing_of_them_about_one_account_either(self, cast: Cast, signed_in) -> None:
        asked = " ".join(queries_of(signed_in(cast.hugo), reverse("account_detail", args=[cast.benoit.pk])))
        assert [table for table in CASE_TABLES if f'"{table}"' in asked] == []

    def test_counts_locked_sign_ins_without_saying_whose(self, cast: Cast, signed_in) -> None:
        client = SecureClient()
        for _ in range(5):
            typed = {"login": cast.benoit.email, "password": "mauvais-mot-de-passe"}
            client.post(reverse("account_login"), typed, REMOTE_ADDR="192.0.2.7", HTTP_USER_AGENT="test")
        found = signed_in(cast.hugo).get(reverse(HOME)).context["failures"]
        assert (found.locked, found.refused_sign_ins) == (1, 5)

    def test_says_which_letters_have_not_left(self, cast: Cast) -> None:
        invitation = send_invitation(user=cast.benoit, by=cast.hugo)
        assert overview.failures().late_mails == 0
        late = timezone.now() - timedelta(minutes=20)
        Invitation.objects.filter(pk=invitation.pk).update(sent_at=late)
        assert overview.failures().late_mails == 1

    def test_says_that_the_key_is_away(self, cast: Cast, signed_in, monkeypatch: pytest.MonkeyPatch) -> None:
        class Away:
            def health(self) -> None:
                raise KeyProviderUnavailable

        assert "accessible" in signed_in(cast.hugo).get(reverse(HOME)).content.decode()
        monkeypatch.setattr(overview, "provider", Away)
        assert "hors d’atteinte" in signed_in(cast.hugo).get(reverse(HOME)).content.decode()

    def test_shows_the_roles_that_close_within_thirty_days(self, cast: Cast, signed_in) -> None:
        today = timezone.localdate()
        end_membership(membership=cast.benoit.memberships.get(), ends_on=today + timedelta(days=30), by=cast.hugo)
        end_membership(membership=cast.david.memberships.get(), ends_on=today + timedelta(days=31), by=cast.hugo)
        ending = signed_in(cast.hugo).get(reverse(HOME)).context["ending"]
        assert [membership.user for membership in ending] == [cast.benoit]

    def test_counts_what_the_filters_of_the_accounts_show(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.hugo)
        for tile in client.get(reverse(HOME)).context["tiles"]:
            assert len(client.get(tile["url"]).context["page"].records) == tile["count"], tile

    def test_costs_the_same_with_one_or_twenty_five_roles_that_close(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.hugo)
        few = queries_of(client, reverse(HOME))
        ends_on = timezone.localdate() + timedelta(days=9)
        for number in range(25):
            person = make_user(f"Personne{number}")
            grant_membership(user=person, role=Role.REFERENT, team=cast.team_a, ends_on=ends_on, by=cast.hugo)
        assert len(queries_of(client, reverse(HOME))) == len(few)

    def test_says_the_versions(self, cast: Cast, signed_in, settings) -> None:
        versions = dict(signed_in(cast.hugo).get(reverse(HOME)).context["versions"])
        assert versions["Marelle"] == settings.VERSION
        assert set(versions) == {"Marelle", "Django", "Python", "Base de données"}


class TestSignInList:
    def test_shows_sign_ins_and_nothing_else_of_the_journal(self, cast: Cast, signed_in) -> None:
        signed_in(cast.benoit).get(reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk]))
        response = signed_in(cast.hugo).get(reverse(SIGN_INS))
        assert {line.event.action for line in response.context["lines"]} == {"sign_in"}
        assert str(cast.ines_parcours.pk) not in response.content.decode()

    def test_is_itself_journalled(self, cast: Cast, signed_in) -> None:
        signed_in(cast.hugo).get(reverse(SIGN_INS))
        assert Event.objects.get(kind="audit.event", action="list").actor_id == cast.hugo.pk

    def test_costs_the_same_with_one_or_twenty_five(self, cast: Cast, signed_in) -> None:
        client: Client = signed_in(cast.hugo)
        signed_in(cast.benoit)  # a team is named already
        few = queries_of(client, reverse(SIGN_INS))
        for person in [*cast] * 3:
            if person.standing.is_active:
                signed_in(person)
        assert len(queries_of(client, reverse(SIGN_INS))) == len(few)
