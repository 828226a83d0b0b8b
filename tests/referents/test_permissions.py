"""How a permission is checked: about one record, by the scope the lists use, and never on a whole model."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.history import acting_as, system_account
from pre_cases.models import Parcours
from referents.models import User
from referents.permissions import ScopeBackend
from tests.cast import Cast

VIEW = "pre_cases.view_parcours"


def again(user: User) -> User:
    return User.objects.get(pk=user.pk)


class TestScopeBackend:
    def test_grants_what_the_scope_holds(self, cast: Cast) -> None:
        assert cast.benoit.has_perm(VIEW, cast.ines_parcours)
        assert not cast.benoit.has_perm(VIEW, cast.tom_parcours)
        assert not cast.benoit.has_perm("pre_cases.decide_parcours", cast.ines_parcours)

    @pytest.mark.parametrize("permission", Parcours.permission_scopes)
    def test_grants_nothing_without_a_record(self, cast: Cast, permission: str) -> None:
        for person in cast:
            assert not person.has_perm(permission), person.first_name
            assert not person.has_perm(permission, Parcours), person.first_name
            assert not person.has_module_perms("pre_cases")

    def test_grants_nothing_through_django_s_own_permissions_and_groups(self, cast: Cast) -> None:
        permission = Permission.objects.get(content_type__app_label="pre_cases", codename="view_parcours")
        group = Group.objects.create(name="tout")
        group.permissions.add(permission)
        cast.esther.user_permissions.add(permission)
        cast.esther.groups.add(group)
        assert not again(cast.esther).has_perm(VIEW)
        assert not again(cast.esther).has_perm(VIEW, cast.ines_parcours)
        assert not again(cast.esther).has_module_perms("pre_cases")

    def test_grants_nothing_to_an_inactive_account(self, cast: Cast) -> None:
        with acting_as(system_account()):
            cast.benoit.is_active = False
            cast.benoit.save()
        assert not again(cast.benoit).has_perm(VIEW, cast.ines_parcours)

    def test_grants_nothing_to_nobody(self, cast: Cast) -> None:
        assert not AnonymousUser().has_perm(VIEW, cast.ines_parcours)
        assert not AnonymousUser().has_module_perms("pre_cases")

    def test_grants_nothing_until_the_charter_is_signed(self, cast: Cast) -> None:
        with acting_as(system_account()):
            signed = cast.benoit.charters.get()
            signed.expires_on = timezone.localdate()
            signed.save()
        assert not again(cast.benoit).has_perm(VIEW, cast.ines_parcours)

    @pytest.mark.parametrize("permission", ["pre_cases.delete_parcours", "pre_cases.view_child", "n’importe quoi", ""])
    def test_grants_nothing_that_no_scope_names(self, cast: Cast, permission: str) -> None:
        assert not cast.amina.has_perm(permission, cast.ines_parcours)

    def test_grants_nothing_about_a_record_without_scopes(self, cast: Cast) -> None:
        assert not cast.amina.has_perm("referents.view_team", cast.team_a)

    def test_grants_nothing_about_a_record_that_does_not_exist(self, cast: Cast) -> None:
        assert not cast.amina.has_perm(VIEW, Parcours(team=cast.team_a))

    def test_signs_nobody_in(self, cast: Cast) -> None:
        assert ScopeBackend().authenticate(None, email=cast.benoit.email, password="x") is None

    def test_asks_one_query_once_the_standing_is_known(self, cast: Cast) -> None:
        _ = cast.benoit.standing, cast.benoit.replacements
        with CaptureQueriesContext(connection) as queries:
            cast.benoit.has_perm(VIEW, cast.ines_parcours)
        assert len(queries) == 1


class TestAccounts:
    """Accounts and roles are asked through the same door as everything else."""

    def test_are_read_and_changed_by_whom_their_scopes_say(self, cast: Cast) -> None:
        may = {
            person.first_name: (
                person.has_perm("referents.view_user", cast.benoit),
                person.has_perm("referents.change_user", cast.benoit),
                person.has_perm("referents.change_membership", cast.benoit.memberships.get()),
            )
            for person in cast
        }
        assert {name: rights for name, rights in may.items() if any(rights)} == {
            "Amina": (True, False, True),
            "Gaëlle": (True, False, False),
            "Hugo": (True, True, True),
        }

    def test_of_another_team_are_nothing_to_a_coordination(self, cast: Cast) -> None:
        assert not cast.amina.has_perm("referents.view_user", cast.chloe)
        assert not cast.amina.has_perm("referents.view_membership", cast.chloe.memberships.get())
        assert not cast.hugo.has_perm("referents.change_user", system_account())
