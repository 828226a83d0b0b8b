"""What a person may act as today: current memberships and the charter, in one query."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.history import acting_as, system_account
from referents.models import CharterSignature, Membership, Role, Team, User
from referents.standing import Standing, standing_of
from tests.cast import Cast, make_team, make_user

DAY = timedelta(days=1)


def grant(user: User, role: Role, team: Team | None = None, **values) -> None:
    with acting_as(system_account()):
        Membership.objects.create(user=user, role=role, team=team, **values)


def charter(user: User, expires_on: date | None) -> None:
    """Leave the person with one charter until a day, or none."""
    with acting_as(system_account()):
        user.charters.all().delete()
        if expires_on is not None:
            CharterSignature.objects.create(
                user=user, version="test", signed_on=expires_on - 365 * DAY, expires_on=expires_on
            )


class TestStandingOf:
    def test_takes_one_query_whatever_is_asked_of_it(self, cast: Cast) -> None:
        grant(cast.amina, Role.REFERENT, cast.team_b)
        with CaptureQueriesContext(connection) as queries:
            standing = standing_of(cast.amina)
            _ = standing.is_active, standing.needs_charter, standing.capacity
            assert [team.arrondissement.number for team in standing.teams(Role.COORDINATOR)] == [18]
        assert len(queries) == 1

    def test_is_read_once_for_a_request(self, cast: Cast) -> None:
        user = User.objects.get(pk=cast.amina.pk)
        with CaptureQueriesContext(connection) as queries:
            assert user.standing is user.standing
        assert len(queries) == 1

    @pytest.mark.parametrize(
        ("starts_in", "ends_in", "holds"), [(0, None, True), (1, None, False), (-9, 1, True), (-9, 0, False)]
    )
    def test_holds_from_the_first_day_until_the_day_it_ends(
        self, cast: Cast, starts_in: int, ends_in: int | None, holds: bool
    ) -> None:
        today = timezone.localdate()
        newcomer = make_user("Denis")
        ends_on = None if ends_in is None else today + ends_in * DAY
        grant(newcomer, Role.REFERENT, cast.team_a, starts_on=today + starts_in * DAY, ends_on=ends_on)
        standing = standing_of(newcomer)
        assert (standing.is_active, standing.holds(Role.REFERENT)) == (holds, holds)
        assert standing.team_ids(Role.REFERENT) == ([cast.team_a.pk] if holds else [])

    def test_is_empty_for_who_left_and_for_who_never_held_a_role(self, cast: Cast) -> None:
        for person in (cast.yann, make_user("Denis")):
            assert standing_of(person) == Standing((), None)

    def test_keeps_the_charter_that_lasts_longest(self, cast: Cast) -> None:
        later = timezone.localdate() + 900 * DAY
        with acting_as(system_account()):
            CharterSignature.objects.create(
                user=cast.benoit, version="test", signed_on=timezone.localdate(), expires_on=later
            )
        assert standing_of(cast.benoit).charter_until == later

    def test_reads_nobody_else_s_charter(self, cast: Cast) -> None:
        charter(cast.benoit, None)
        assert standing_of(cast.benoit).charter_until is None


class TestNeedsCharter:
    @pytest.mark.parametrize(("until_in", "needs"), [(1, False), (0, True), (-5, True), (None, True)])
    def test_begins_the_day_it_expires(self, cast: Cast, until_in: int | None, needs: bool) -> None:
        charter(cast.benoit, None if until_in is None else timezone.localdate() + until_in * DAY)
        assert standing_of(cast.benoit).needs_charter is needs

    def test_is_asked_of_nominative_roles_only(self, cast: Cast) -> None:
        for person in cast:
            charter(person, None)
        needs = {person.first_name for person in cast if standing_of(person).needs_charter}
        assert needs == {"Amina", "Benoît", "Chloé", "David", "Farid"}

    def test_is_asked_as_soon_as_one_of_the_roles_is_nominative(self, cast: Cast) -> None:
        charter(cast.esther, None)
        grant(cast.esther, Role.EPRE_MEMBER, cast.team_a)
        assert standing_of(cast.esther).needs_charter


class TestTeams:
    def test_stand_in_the_order_of_the_arrondissements(self, cast: Cast) -> None:
        tenth = make_team("z", 10)
        for team in (cast.team_b, tenth):
            grant(cast.amina, Role.COORDINATOR, team)
        assert standing_of(cast.amina).teams(Role.COORDINATOR) == [tenth, cast.team_a, cast.team_b]

    def test_are_those_of_the_role_asked(self, cast: Cast) -> None:
        grant(cast.amina, Role.REFERENT, cast.team_b)
        standing = standing_of(cast.amina)
        assert standing.teams(Role.REFERENT) == [cast.team_b]
        assert standing.team_ids(Role.COORDINATOR) == [cast.team_a.pk]
        assert standing.team_ids(Role.REFERENT, Role.COORDINATOR) == sorted([cast.team_a.pk, cast.team_b.pk])
        assert standing.team_ids(Role.PILOTAGE) == []


class TestCapacity:
    def test_is_the_first_role_held_with_its_team(self, cast: Cast) -> None:
        grant(cast.amina, Role.REFERENT, cast.team_b)
        assert standing_of(cast.amina).capacity == (Role.REFERENT, cast.team_b.pk)

    def test_leaves_the_team_out_when_there_are_several_or_none(self, cast: Cast) -> None:
        grant(cast.amina, Role.COORDINATOR, cast.team_b)
        assert standing_of(cast.amina).capacity == (Role.COORDINATOR, None)
        assert standing_of(cast.esther).capacity == (Role.PILOTAGE, None)
        assert standing_of(cast.yann).capacity == ("", None)
