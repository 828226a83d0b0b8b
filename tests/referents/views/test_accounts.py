"""The accounts, as the technical administration reads them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.history import system_account
from audit.journal.models import Event
from referents.days import day
from referents.models import Role
from tests.cast import Cast, make_user

LIST = "account_list"


class TestAccountList:
    def test_shows_current_roles_and_charters(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.hugo).get(reverse(LIST)).content.decode()
        assert "coordination, A" in page
        assert f"à renouveler le {day(timezone.localdate() + timedelta(days=300))}" in page

    def test_shows_no_role_that_has_ended(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.hugo).get(reverse(LIST))
        yann = next(account for account in page.context["page"] if account.pk == cast.yann.pk)
        assert yann.current_memberships == []

    def test_leaves_out_the_account_of_the_installation(self, cast: Cast, signed_in) -> None:
        shown = signed_in(cast.hugo).get(reverse(LIST)).context["page"].records
        assert system_account() not in shown
        assert {account.pk for account in shown} == {person.pk for person in cast}

    def test_holds_nothing_about_a_child(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.hugo).get(reverse(LIST)).content.decode()
        assert "Inès" not in page
        assert str(cast.ines_parcours.pk) not in page

    def test_goes_on_from_page_to_page_by_name(self, cast: Cast, signed_in) -> None:
        for number in range(30):
            make_user(f"Personne{number:02}", Role.REFERENT, cast.team_a)
        client = signed_in(cast.hugo)
        first = client.get(reverse(LIST))
        rest = client.get(reverse(LIST), {"suite": first.context["page"].next_cursor})
        shown = [account.pk for response in (first, rest) for account in response.context["page"].records]
        assert (len(first.context["page"].records), len(shown), len(set(shown))) == (25, 39, 39)

    def test_costs_the_same_with_nine_accounts_or_twenty_five(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.hugo)
        client.get(reverse(LIST))
        with CaptureQueriesContext(connection) as few:
            client.get(reverse(LIST))
        for number in range(16):
            make_user(f"Personne{number:02}", Role.REFERENT, cast.team_b)
        with CaptureQueriesContext(connection) as many:
            assert len(client.get(reverse(LIST)).context["page"].records) == 25
        assert len(many) == len(few)

    def test_is_journalled(self, cast: Cast, signed_in) -> None:
        signed_in(cast.hugo).get(reverse(LIST))
        event = Event.objects.get(kind="referents.user", action="list")
        assert (event.actor_id, event.role) == (cast.hugo.pk, Role.ADMINISTRATOR)

    @pytest.mark.parametrize("name", ["amina", "benoit", "chloe", "david", "esther", "farid", "gaelle"])
    def test_does_not_exist_for_the_others(self, cast: Cast, signed_in, name: str) -> None:
        client = signed_in(getattr(cast, name))
        refused = client.get(reverse(LIST))
        assert refused.status_code == 404
        assert refused.content == client.get("/nulle-part/").content
