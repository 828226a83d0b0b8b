"""The menu: what each role is offered, which page comes first, and where the person is."""

from uuid import uuid4

import pytest
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from audit.history import acting_as, system_account
from config.navigation import ENTRIES, entries_for
from referents.models import Membership, Role, User
from tests.cast import Cast

FIRST_PAGES = {
    "amina": "pre_cases:team_list",
    "benoit": "pre_cases:my_day",
    "chloe": "pre_cases:my_day",
    "david": "pre_cases:shared_parcours",
    "esther": "pre_cases:statistics",
    "farid": "pre_cases:my_groups",
    "gaelle": "pre_cases:protection",
    "hugo": "administration",
}


def menu(user: User, path: str = "/") -> list[dict]:
    request = RequestFactory().get(path)
    request.user = User.objects.get(pk=user.pk)
    return entries_for(request)


def active(user: User, path: str) -> list[str]:
    return [entry["label"] for entry in menu(user, path) if entry["active"]]


class TestHome:
    @pytest.mark.parametrize(("name", "page"), FIRST_PAGES.items())
    def test_is_the_first_entry_of_each_role(self, cast: Cast, signed_in, name: str, page: str) -> None:
        person = getattr(cast, name)
        assert menu(person)[0]["url"] == reverse(page)
        assert signed_in(person).get(reverse("home"))["Location"] == reverse(page)

    def test_is_that_of_the_referent_for_who_also_coordinates(self, cast: Cast) -> None:
        with acting_as(system_account()):
            Membership.objects.create(user=cast.amina, role=Role.REFERENT, team=cast.team_a)
        assert [entry["label"] for entry in menu(cast.amina)[:3]] == ["Ma journée", "Mes parcours", "Mes équipes"]


class TestEntriesFor:
    def test_are_all_of_a_role_or_of_everybody(self) -> None:
        """Nobody who holds a role has an empty menu."""
        named = {role for _, _, roles in ENTRIES for role in roles}
        assert named == set(Role)

    @pytest.mark.parametrize("name", FIRST_PAGES)
    def test_open_every_page_they_offer(self, cast: Cast, signed_in, name: str) -> None:
        person = getattr(cast, name)
        client = signed_in(person)
        answers = {entry["label"]: client.get(entry["url"], follow=True).status_code for entry in menu(person)}
        assert set(answers.values()) == {200}, answers

    def test_are_offered_to_nobody_without_a_role_or_a_charter(self, cast: Cast) -> None:
        assert menu(cast.yann) == []
        with acting_as(system_account()):
            charter = cast.benoit.charters.get()
            charter.expires_on = timezone.localdate()
            charter.save()
        assert menu(cast.benoit) == []

    def test_are_written_on_the_page(self, cast: Cast, signed_in) -> None:
        page = signed_in(cast.benoit).get(reverse("pre_cases:my_tasks")).content.decode()
        assert f'<a href="{reverse("pre_cases:my_tasks")}" aria-current="page">À faire</a>' in page
        assert page.count('aria-current="page"') == 1
        assert "Journal" not in page


class TestActive:
    @pytest.mark.parametrize(("name", "page"), FIRST_PAGES.items())
    def test_is_the_page_itself(self, cast: Cast, name: str, page: str) -> None:
        path = reverse(page)
        assert [entry["url"] for entry in menu(getattr(cast, name), path) if entry["active"]] == [path]

    def test_is_the_list_that_a_record_belongs_to(self, cast: Cast) -> None:
        parcours = reverse("pre_cases:parcours_detail", args=[uuid4()])
        assert active(cast.benoit, parcours) == ["Mes parcours"]
        assert active(cast.amina, reverse("pre_cases:team_board", args=["a"])) == ["Mes équipes"]
        assert active(cast.benoit, reverse("pre_cases:saisine_create")) == ["Saisines"]

    def test_is_the_longest_address_when_one_begins_the_other(self, cast: Cast) -> None:
        shared = reverse("pre_cases:shared_parcours")
        assert shared.startswith(reverse("pre_cases:my_parcours"))
        with acting_as(system_account()):
            Membership.objects.create(user=cast.benoit, role=Role.EPRE_MEMBER, team=cast.team_a)
        assert active(cast.benoit, shared) == ["Partagés avec moi"]
        assert active(cast.benoit, reverse("pre_cases:my_parcours")) == ["Mes parcours"]

    def test_is_nothing_on_a_page_outside_the_menu(self, cast: Cast) -> None:
        assert active(cast.benoit, reverse("charter_sign")) == []
