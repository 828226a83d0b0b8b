"""Which sheets a member of the EPRE reads: of the sessions to which one is invited, for some days."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pre_cases.models import EpreItem, EpreSession
from referents.models import Role, User
from tests.cast import Cast, make_item, make_session, make_user


def opened(user: User) -> bool:
    return EpreItem.objects.opened_to(User.objects.get(pk=user.pk)).exists()


class TestOpenedTo:
    @pytest.mark.parametrize(("days", "reads"), [(4, False), (3, True), (0, True), (-7, True), (-8, False)])
    def test_begins_three_days_before_and_ends_seven_days_after(self, cast: Cast, days: int, reads: bool) -> None:
        session = make_session(cast.team_a, cast.david, on=timezone.localdate() + timedelta(days=days))
        make_item(session, cast.ines_parcours)
        assert opened(cast.david) is reads

    def test_is_for_the_people_invited_to_that_session(self, cast: Cast) -> None:
        lucie = make_user("Lucie", Role.EPRE_MEMBER, cast.team_a)
        make_item(make_session(cast.team_a, cast.david), cast.ines_parcours)
        make_session(cast.team_a, lucie)
        assert opened(cast.david)
        assert not opened(lucie)

    def test_ends_with_the_membership(self, cast: Cast) -> None:
        make_item(make_session(cast.team_a, cast.yann), cast.ines_parcours)
        assert not opened(cast.yann)

    def test_is_over_when_the_session_is_cancelled(self, cast: Cast) -> None:
        make_item(make_session(cast.team_a, cast.david, state="cancelled"), cast.ines_parcours)
        assert not opened(cast.david)


class TestUpcoming:
    def test_and_past_share_every_session(self, cast: Cast) -> None:
        today = timezone.localdate()
        coming = [make_session(cast.team_a, on=today), make_session(cast.team_a, on=today + timedelta(days=9))]
        over = [
            make_session(cast.team_a, on=today - timedelta(days=1)),
            make_session(cast.team_a, on=today + timedelta(days=3), state="cancelled"),
            make_session(cast.team_a, on=today, state="held"),
        ]
        assert set(EpreSession.objects.upcoming()) == set(coming)
        assert set(EpreSession.objects.past()) == set(over)
