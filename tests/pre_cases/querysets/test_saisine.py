"""Where a saisine stands, computed from facts, and who reaches it before the parcours."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.history import acting_as, system_account
from pre_cases.models import Saisine, SaisineStage
from pre_cases.querysets.saisine import WAITING
from referents.models import Role, User
from tests.cast import Cast, make_agreement, make_child, make_saisine, make_user

DAY = timedelta(days=1)


@pytest.fixture
def saisine(cast: Cast) -> Saisine:
    return make_saisine(make_child("Zoé"), cast.team_a)


def stage(saisine: Saisine) -> SaisineStage:
    return Saisine.objects.with_stage().get(pk=saisine.pk).stage


def decided(saisine: Saisine, outcome: str) -> None:
    with acting_as(system_account()):
        saisine.outcome, saisine.outcome_on = outcome, timezone.localdate()
        saisine.save()


class TestWithStage:
    def test_begins_as_received(self, saisine: Saisine) -> None:
        assert stage(saisine) is SaisineStage.RECEIVED

    def test_awaits_the_agreement_once_presented_even_given_by_word(self, saisine: Saisine) -> None:
        make_agreement(saisine, oral_on=timezone.localdate())
        assert stage(saisine) is SaisineStage.AGREEMENT_AWAITED

    def test_is_to_be_opened_once_signed(self, saisine: Saisine) -> None:
        make_agreement(saisine, signed_on=timezone.localdate())
        assert stage(saisine) is SaisineStage.AGREEMENT_SIGNED

    def test_stops_when_the_family_refuses_or_withdraws(self, saisine: Saisine) -> None:
        today = timezone.localdate()
        make_agreement(saisine, refused_on=today)
        assert stage(saisine) is SaisineStage.AGREEMENT_REFUSED
        make_agreement(saisine, signed_on=today, withdrawn_on=today)
        assert stage(saisine) is SaisineStage.AGREEMENT_REFUSED

    def test_waits_again_when_a_new_form_is_presented_after_a_refusal(self, saisine: Saisine) -> None:
        make_agreement(saisine, refused_on=timezone.localdate())
        make_agreement(saisine)
        assert stage(saisine) is SaisineStage.AGREEMENT_AWAITED

    @pytest.mark.parametrize("outcome", ["redirected", "no_follow_up", "attached"])
    def test_ends_with_its_outcome_whatever_was_signed(self, saisine: Saisine, outcome: str) -> None:
        make_agreement(saisine, signed_on=timezone.localdate())
        decided(saisine, outcome)
        assert stage(saisine) is SaisineStage(outcome)

    def test_ends_with_the_parcours(self, cast: Cast) -> None:
        assert stage(cast.ines_parcours.saisine) is SaisineStage.OPENED

    def test_agrees_with_the_lists_that_count_stages(self, cast: Cast, saisine: Saisine) -> None:
        awaited, signed, over = (make_saisine(make_child(name), cast.team_a) for name in ("Léa", "Max", "Ali"))
        make_agreement(awaited)
        make_agreement(signed, signed_on=timezone.localdate())
        decided(over, "redirected")
        draft = make_saisine(make_child("Eva"), cast.team_a, submitted_on=None)
        lacking = make_saisine(make_child("Noa"), cast.team_a, completion_asked_on=timezone.localdate())
        assert set(Saisine.objects.waiting()) == {saisine, awaited, signed, draft, lacking}
        assert set(Saisine.objects.awaiting_agreement()) == {awaited}
        every = Saisine.objects.with_stage()
        for one in SaisineStage:
            assert set(Saisine.objects.at_stage(one)) == {s for s in every if s.stage is one}
        assert {s.stage for s in every} == {*WAITING, SaisineStage.REDIRECTED, SaisineStage.OPENED}

    def test_is_kept_in_one_team(self, cast: Cast, saisine: Saisine) -> None:
        make_saisine(make_child("Léa"), cast.team_b)
        assert list(Saisine.objects.in_team(cast.team_a.pk).waiting()) == [saisine]


class TestReceivedBefore:
    def test_leaves_out_the_day_itself(self, saisine: Saisine) -> None:
        assert saisine not in Saisine.objects.received_before(saisine.received_on)
        assert saisine in Saisine.objects.received_before(saisine.received_on + DAY)


class TestVisibleTo:
    def test_shows_a_referent_own_ones_and_those_that_nobody_follows(self, cast: Cast, saisine: Saisine) -> None:
        other = make_user("Denis", Role.REFERENT, cast.team_a)
        own = make_saisine(make_child("Léa"), cast.team_a, assignee=cast.benoit)
        foreign = make_saisine(make_child("Max"), cast.team_b)
        assert {saisine, own} <= set(Saisine.objects.visible_to(cast.benoit))
        assert own not in Saisine.objects.visible_to(other)
        assert foreign not in Saisine.objects.visible_to(cast.benoit)

    def test_shows_the_coordination_every_one_of_its_teams(self, cast: Cast, saisine: Saisine) -> None:
        own = make_saisine(make_child("Léa"), cast.team_a, assignee=cast.benoit)
        make_saisine(make_child("Max"), cast.team_b)
        assert set(Saisine.objects.visible_to(cast.amina)) == {saisine, own, cast.ines_parcours.saisine}

    def test_shows_nothing_to_the_other_roles(self, cast: Cast, saisine: Saisine) -> None:
        for person in (cast.david, cast.esther, cast.farid, cast.gaelle, cast.hugo, cast.yann):
            assert not Saisine.objects.visible_to(person).exists()

    def test_ends_with_the_membership(self, cast: Cast) -> None:
        make_saisine(make_child("Léa"), cast.team_a, assignee=cast.benoit)
        with acting_as(cast.hugo):
            membership = cast.benoit.memberships.get()
            membership.ends_on = timezone.localdate()
            membership.save()
        assert not Saisine.objects.visible_to(User.objects.get(pk=cast.benoit.pk)).exists()


class TestEditableBy:
    def test_ends_with_the_parcours_or_the_outcome(self, cast: Cast, saisine: Saisine) -> None:
        assert list(Saisine.objects.editable_by(cast.amina)) == [saisine]
        decided(saisine, "no_follow_up")
        assert not Saisine.objects.editable_by(cast.amina).exists()
        assert saisine in Saisine.objects.visible_to(cast.amina)


class TestInstructedBy:
    def test_asks_a_referent_to_follow_it_first(self, cast: Cast, saisine: Saisine) -> None:
        own = make_saisine(make_child("Léa"), cast.team_a, assignee=cast.benoit)
        assert list(Saisine.objects.instructed_by(cast.benoit)) == [own]
        assert set(Saisine.objects.instructed_by(cast.amina)) == {saisine, own}


class TestHasPerm:
    """One rule, two readings: the permission about a record says what the list holds."""

    SCOPES = Saisine.permission_scopes

    @pytest.mark.parametrize("permission", SCOPES)
    def test_agrees_with_the_list_for_every_person_and_saisine(
        self, cast: Cast, saisine: Saisine, permission: str
    ) -> None:
        make_saisine(make_child("Léa"), cast.team_a, assignee=cast.benoit)
        decided(make_saisine(make_child("Max"), cast.team_b, assignee=cast.chloe), "redirected")
        granted = 0
        for person in cast:
            held = set(getattr(Saisine.objects, self.SCOPES[permission])(person))
            for one in Saisine.objects.all():
                assert person.has_perm(permission, one) == (one in held), (person.first_name, one.pk)
            granted += len(held)
        assert 0 < granted < 9 * 5

    def test_says_no_about_the_saisine_behind_a_shared_parcours(self, cast: Cast) -> None:
        assert cast.david.has_perm("pre_cases.view_parcours", cast.ines_parcours)
        assert not cast.david.has_perm("pre_cases.view_saisine", cast.ines_parcours.saisine)
