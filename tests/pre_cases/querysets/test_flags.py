"""Parcours without a référent, and those that a new référent has not opened yet."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Action, Event
from audit.journal.record import record_event
from pre_cases.models import Assignment, Parcours
from pre_cases.querysets.parcours import UNOPENED_DAYS, ParcoursFlag
from pre_cases.services.assignment import assign_referent
from referents.models import Role, User
from tests.cast import Cast, make_child, make_parcours, make_stand_in, make_user
from tests.pre_cases.facts import close, join, leave, let_charter_expire, suspend
from tests.pre_cases.views.reach import url

DAY = timedelta(days=1)


def meets(parcours: Parcours, flag: ParcoursFlag) -> bool:
    return Parcours.objects.filter(pk=parcours.pk).flagged(flag).exists()


@pytest.fixture
def given(cast: Cast) -> Parcours:
    """Zoé's parcours, given today to Benoît."""
    parcours = make_parcours(cast.team_a, child=make_child("Zoé"))
    assign_referent(parcours=parcours, referent=cast.benoit, by=cast.amina)
    return parcours


class TestWithoutReferent:
    def test_is_not_one_that_somebody_follows(self, cast: Cast) -> None:
        assert not meets(cast.ines_parcours, ParcoursFlag.NO_REFERENT)

    def test_is_one_that_nobody_was_given(self, cast: Cast) -> None:
        assert meets(make_parcours(cast.team_a, child=make_child("Zoé")), ParcoursFlag.NO_REFERENT)

    def test_is_one_whose_referent_is_suspended(self, cast: Cast) -> None:
        suspend(cast.benoit)
        assert meets(cast.ines_parcours, ParcoursFlag.NO_REFERENT)
        assert not meets(cast.tom_parcours, ParcoursFlag.NO_REFERENT)

    def test_is_one_whose_referent_has_left_the_team(self, cast: Cast) -> None:
        leave(cast.benoit)
        join(cast.benoit, Role.REFERENT, cast.team_b)
        join(cast.benoit, Role.EPRE_MEMBER, cast.team_a)
        assert meets(cast.ines_parcours, ParcoursFlag.NO_REFERENT)

    def test_is_none_from_the_day_on_which_the_referent_comes_back(self, cast: Cast) -> None:
        leave(cast.benoit)
        join(cast.benoit, Role.REFERENT, cast.team_a)
        assert not meets(cast.ines_parcours, ParcoursFlag.NO_REFERENT)

    def test_is_one_from_the_day_on_which_the_membership_ends(self, cast: Cast) -> None:
        with acting_as(system_account()):
            membership = cast.benoit.memberships.get()
            membership.ends_on = timezone.localdate() + DAY
            membership.save()
        assert not meets(cast.ines_parcours, ParcoursFlag.NO_REFERENT)
        with time_machine.travel(timezone.now() + DAY, tick=False):
            assert meets(cast.ines_parcours, ParcoursFlag.NO_REFERENT)

    def test_is_one_even_while_somebody_replaces_who_has_left(self, cast: Cast) -> None:
        make_stand_in(cast.benoit, cast.amina)
        assert not meets(cast.ines_parcours, ParcoursFlag.NO_REFERENT)
        leave(cast.benoit)
        assert meets(cast.ines_parcours, ParcoursFlag.NO_REFERENT)

    def test_is_not_one_whose_referent_must_sign_the_charter(self, cast: Cast) -> None:
        let_charter_expire(cast.benoit)
        assert not meets(cast.ines_parcours, ParcoursFlag.NO_REFERENT)


class TestUnopened:
    def test_begins_with_the_assignment_and_ends_with_the_first_reading(
        self, cast: Cast, given: Parcours, signed_in
    ) -> None:
        assert meets(given, ParcoursFlag.UNOPENED)
        signed_in(cast.benoit).get(url("parcours_detail", given.pk))
        assert not meets(given, ParcoursFlag.UNOPENED)

    def test_is_not_ended_by_the_reading_of_another(self, cast: Cast, given: Parcours, signed_in) -> None:
        signed_in(cast.amina).get(url("parcours_detail", given.pk))
        assert meets(given, ParcoursFlag.UNOPENED)

    def test_is_not_ended_by_the_limited_card_nor_by_a_refusal(self, cast: Cast, signed_in) -> None:
        """Benoît looks at the card the morning of his acceptance: he has not read the file."""
        parcours = make_parcours(cast.team_a, child=make_child("Zoé"))
        client = signed_in(cast.benoit)
        assert client.get(url("parcours_card", parcours.pk)).status_code == 200
        assert client.get(url("parcours_detail", parcours.pk)).status_code == 404
        assert Event.objects.filter(actor_id=cast.benoit.pk, subject_id=parcours.pk).count() == 2
        assign_referent(parcours=parcours, referent=cast.benoit, by=cast.amina)
        assert meets(parcours, ParcoursFlag.UNOPENED)

    def test_is_not_ended_by_a_reading_of_before_the_assignment(self, cast: Cast) -> None:
        parcours = make_parcours(cast.team_a, referent=cast.chloe, child=make_child("Zoé"))
        with time_machine.travel(timezone.now() - 3 * DAY, tick=False):
            read(parcours, cast.benoit)
        assign_referent(parcours=parcours, referent=cast.benoit, by=cast.amina)
        assert meets(parcours, ParcoursFlag.UNOPENED)
        read(parcours, cast.benoit)
        assert not meets(parcours, ParcoursFlag.UNOPENED)

    def test_begins_again_with_each_new_referent(self, cast: Cast, given: Parcours) -> None:
        read(given, cast.benoit)
        assign_referent(parcours=given, referent=make_user("Denis", Role.REFERENT, cast.team_a), by=cast.amina)
        assert meets(given, ParcoursFlag.UNOPENED)

    def test_stops_being_pointed_out_after_two_months(self, cast: Cast, given: Parcours) -> None:
        with time_machine.travel(timezone.now() + UNOPENED_DAYS * DAY, tick=False):
            assert meets(given, ParcoursFlag.UNOPENED)
        with time_machine.travel(timezone.now() + (UNOPENED_DAYS + 1) * DAY, tick=False):
            assert not meets(given, ParcoursFlag.UNOPENED)

    def test_is_counted_on_the_referent_s_own_list_among_open_ones(
        self, cast: Cast, given: Parcours, signed_in
    ) -> None:
        read(cast.ines_parcours, cast.benoit)
        page = signed_in(cast.benoit).get(url("my_parcours"), {"filtre": ParcoursFlag.UNOPENED.value})
        assert [parcours.pk for parcours in page.context["page"]] == [given.pk]
        close(given, by=cast.amina)
        page = signed_in(cast.benoit).get(url("my_parcours"), {"filtre": ParcoursFlag.UNOPENED.value})
        assert not page.context["page"].records

    def test_is_not_one_that_nobody_follows(self, cast: Cast) -> None:
        parcours = make_parcours(cast.team_a, child=make_child("Zoé"))
        assert not Assignment.objects.filter(parcours=parcours).exists()
        assert not meets(parcours, ParcoursFlag.UNOPENED)


def read(parcours: Parcours, person: User) -> None:
    record_event(Action.READ, kind="pre_cases.parcours", ids=[parcours.pk], actor=person, subject_id=parcours.pk)
