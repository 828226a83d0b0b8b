"""Replacing an absent référent: who may, when, what is written and told; and never a circle."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
import time_machine
from dateutil.relativedelta import relativedelta
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.history import acting_as, system_account
from audit.journal.models import Event
from audit.services import Refused
from referents.models import Role, StandIn, StandInReason, User
from referents.services.stand_in import StandInRefused, end_stand_in, send_stand_in, start_stand_in
from tests.at_once import at_once
from tests.cast import Cast, make_stand_in, make_user
from tests.pre_cases.facts import again, join, leave, suspend

DAY = timedelta(days=1)


@pytest.fixture
def start(cast: Cast, ibrahim: User) -> Callable[..., StandIn]:
    """Ibrahim replaces Benoît for a week from today, unless told otherwise."""

    def run(**values: object) -> StandIn:
        today = timezone.localdate()
        defaults = {
            "membership": cast.benoit.memberships.get(team=cast.team_a),
            "user": ibrahim,
            "reason": StandInReason.LEAVE,
            "starts_on": today,
            "ends_on": today + 7 * DAY,
            "by": cast.benoit,
        }
        return start_stand_in(**defaults | values)

    return run


class TestStartStandIn:
    def test_opens_from_the_first_day_to_the_last(self, cast: Cast, ibrahim: User, start) -> None:
        made = start(starts_on=timezone.localdate() + DAY)
        assert made.last_day == timezone.localdate() + 6 * DAY
        assert (made.membership, made.granted_by) == (ibrahim.memberships.get(), cast.benoit)
        assert made.permission.codename == "hold_caseload"
        assert again(ibrahim).replacements == ()
        with time_machine.travel(timezone.now() + DAY, tick=False):
            assert again(ibrahim).replacements == (made,)
        with time_machine.travel(timezone.now() + 6 * DAY, tick=False):
            assert again(ibrahim).replacements == (made,)
        with time_machine.travel(timezone.now() + 7 * DAY, tick=False):
            assert again(ibrahim).replacements == ()

    def test_is_journalled_as_a_grant_with_both_people(self, cast: Cast, ibrahim: User, start) -> None:
        made = start(by=cast.amina)
        event = Event.objects.get(action="grant", kind="referents.standin")
        assert (event.actor_id, event.record_ids) == (cast.amina.pk, [str(made.pk)])
        assert event.detail == {"user": ibrahim.pk, "for": cast.benoit.pk}
        assert made.history.get().history_user_id == cast.amina.pk

    @pytest.mark.parametrize(
        ("starts_in", "ends_in", "sentence", "field"),
        [
            (-1, 7, "Ce jour est passé", "starts_on"),
            (3, 3, "Le dernier jour ne peut pas précéder", "ends_on"),
            (3, 2, "Le dernier jour ne peut pas précéder", "ends_on"),
            (0, 250, "6 mois au plus", "ends_on"),
        ],
    )
    def test_refuses_days_that_are_past_turned_round_or_too_long(
        self, start, starts_in: int, ends_in: int, sentence: str, field: str
    ) -> None:
        today = timezone.localdate()
        with pytest.raises(StandInRefused, match=sentence) as refusal:
            start(starts_on=today + starts_in * DAY, ends_on=today + ends_in * DAY)
        assert refusal.value.field == field
        assert not StandIn.objects.exists()
        assert not Event.objects.filter(action="grant", kind="referents.standin").exists()

    def test_lasts_six_months_at_most(self, start) -> None:
        last_day = timezone.localdate() + relativedelta(months=6)
        with pytest.raises(StandInRefused, match="passez le relais"):
            start(ends_on=last_day + 2 * DAY)
        assert start(ends_on=last_day + DAY).last_day == last_day

    def test_refuses_oneself(self, cast: Cast, start) -> None:
        with pytest.raises(StandInRefused, match="Personne ne se remplace soi-même") as refusal:
            start(user=cast.benoit)
        assert refusal.value.field == "user"

    @pytest.mark.parametrize("name", ["chloe", "david", "esther", "farid", "gaelle", "hugo", "yann"])
    def test_refuses_who_follows_no_parcours_in_the_team(self, cast: Cast, start, name: str) -> None:
        with pytest.raises(StandInRefused, match="ne suit pas de parcours dans l’équipe") as refusal:
            start(user=getattr(cast, name))
        assert refusal.value.field == "user"

    def test_accepts_the_coordination_of_the_team(self, cast: Cast, start) -> None:
        assert start(user=cast.amina).membership == cast.amina.memberships.get()

    def test_refuses_a_suspended_account(self, ibrahim: User, start) -> None:
        suspend(ibrahim)
        with pytest.raises(StandInRefused, match="ne suit pas de parcours") as refusal:
            start(user=again(ibrahim))
        assert refusal.value.field == "user"

    def test_refuses_a_caseload_that_is_no_longer_held(self, cast: Cast, start) -> None:
        leave(cast.benoit)
        with pytest.raises(StandInRefused, match="n’est pas référente") as refusal:
            start()
        assert refusal.value.field == "starts_on"

    def test_refuses_to_replace_another_role_than_a_referent_s(self, cast: Cast, start) -> None:
        for person in (cast.amina, cast.david):
            with pytest.raises(StandInRefused, match="n’est pas référente"):
                start(membership=person.memberships.get())

    @pytest.mark.parametrize(("starts_in", "ends_in"), [(0, 1), (3, 4), (6, 9), (0, 20)])
    def test_refuses_a_second_one_on_the_same_days(self, cast: Cast, start, starts_in: int, ends_in: int) -> None:
        start()
        denis, today = make_user("Denis", Role.REFERENT, cast.team_a), timezone.localdate()
        with pytest.raises(StandInRefused, match="déjà prévu") as refusal:
            start(user=denis, starts_on=today + starts_in * DAY, ends_on=today + ends_in * DAY)
        assert refusal.value.field == "starts_on"

    def test_accepts_a_second_one_from_the_day_on_which_the_first_ends(self, cast: Cast, start) -> None:
        first = start()
        denis = make_user("Denis", Role.REFERENT, cast.team_a)
        assert start(user=denis, starts_on=first.ends_on, ends_on=first.ends_on + DAY)

    def test_accepts_the_same_days_once_the_first_is_ended(self, start, cast: Cast) -> None:
        end_stand_in(stand_in=start(), by=cast.benoit)
        assert start()

    def test_refuses_two_people_who_replace_each_other(self, cast: Cast, ibrahim: User, start) -> None:
        start()
        with pytest.raises(StandInRefused, match="l’une l’autre") as refusal:
            start(membership=ibrahim.memberships.get(), user=cast.benoit)
        assert refusal.value.field == "user"

    def test_refuses_who_is_replaced_meanwhile(self, cast: Cast, ibrahim: User, start) -> None:
        make_stand_in(ibrahim, make_user("Denis", Role.REFERENT, cast.team_a))
        with pytest.raises(StandInRefused, match="elle-même remplacée") as refusal:
            start()
        assert refusal.value.field == "user"

    def test_refuses_to_replace_who_replaces_somebody_meanwhile(self, cast: Cast, start) -> None:
        make_stand_in(make_user("Denis", Role.REFERENT, cast.team_a), cast.benoit)
        with pytest.raises(StandInRefused, match="remplace elle-même quelqu’un") as refusal:
            start()
        assert refusal.value.field is None

    def test_finds_a_chain_through_another_team(self, cast: Cast, ibrahim: User, start) -> None:
        """Benoît also replaces Chloé, in team B: Ibrahim would hold nothing of hers, and she would have nobody."""
        join(cast.benoit, Role.REFERENT, cast.team_b)
        make_stand_in(cast.chloe, cast.benoit)
        with pytest.raises(StandInRefused, match="remplace elle-même"):
            start(membership=cast.benoit.memberships.get(team=cast.team_a))

    def test_is_somebody_else_for_the_database_too(self, cast: Cast) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            make_stand_in(cast.benoit, cast.benoit)
        with pytest.raises(IntegrityError), transaction.atomic():
            make_stand_in(cast.benoit, cast.amina, ends_on=timezone.localdate())


class TestEndStandIn:
    def test_ends_at_the_next_request_and_is_journalled(self, cast: Cast, ibrahim: User, start) -> None:
        made = start()
        end_stand_in(stand_in=made, by=cast.amina)
        assert again(ibrahim).replacements == ()
        event = Event.objects.get(action="revoke", kind="referents.standin")
        assert (event.actor_id, event.record_ids, event.detail) == (cast.amina.pk, [str(made.pk)], {"user": ibrahim.pk})

    def test_cancels_one_that_has_not_begun(self, cast: Cast, ibrahim: User, start) -> None:
        end_stand_in(stand_in=start(starts_on=timezone.localdate() + DAY), by=cast.benoit)
        with time_machine.travel(timezone.now() + 2 * DAY, tick=False):
            assert again(ibrahim).replacements == ()

    def test_refuses_twice_and_once_over(self, cast: Cast, start) -> None:
        made = start()
        with time_machine.travel(timezone.now() + 7 * DAY, tick=False), pytest.raises(StandInRefused, match="terminé"):
            end_stand_in(stand_in=made, by=cast.benoit)
        end_stand_in(stand_in=made, by=cast.benoit)
        with pytest.raises(StandInRefused, match="déjà terminé"):
            end_stand_in(stand_in=made, by=cast.benoit)


class TestSendStandIn:
    def test_tells_both_people_once_and_names_nobody(
        self, cast: Cast, ibrahim: User, start, django_capture_on_commit_callbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            start(by=cast.amina)
        assert sorted(letter.to for letter in mail.outbox) == sorted([[cast.benoit.email], [ibrahim.email]])
        for letter in mail.outbox:
            for name in ("Benoît", "Ibrahim", "Amina", "Test", "Inès", "Morel"):
                assert name not in letter.subject + letter.body

    def test_does_nothing_once_ended(self, cast: Cast, start) -> None:
        made = start()
        end_stand_in(stand_in=made, by=cast.benoit)
        assert (send_stand_in(stand_in_id=made.pk), mail.outbox) == (0, [])

    def test_does_nothing_once_the_team_is_left(self, cast: Cast, ibrahim: User, start) -> None:
        made = start()
        leave(ibrahim)
        assert send_stand_in(stand_in_id=made.pk) == 0

    def test_does_nothing_for_one_that_does_not_exist(self, db) -> None:
        assert send_stand_in(stand_in_id=987654) == 0

    def test_writes_to_no_suspended_account(self, cast: Cast, start) -> None:
        made = start()
        suspend(cast.benoit)
        assert send_stand_in(stand_in_id=made.pk) == 1
        assert cast.benoit.email not in mail.outbox[0].to


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
class TestTwoPeople:
    def test_who_would_replace_each_other_at_the_same_instant_are_told(self, tmp_path: Path) -> None:
        cast = Cast()
        ibrahim, today = make_user("Ibrahim", Role.REFERENT, cast.team_a), timezone.localdate()

        def replace(absent: User, user: User) -> Callable[[], StandIn]:
            return lambda: start_stand_in(
                membership=absent.memberships.get(),
                user=user,
                reason=StandInReason.LEAVE,
                starts_on=today,
                ends_on=today + DAY,
                by=absent,
            )

        outcomes, made = at_once(
            tmp_path, [replace(cast.benoit, ibrahim), replace(ibrahim, cast.benoit)], StandIn.objects.count
        )
        assert made == 1
        assert outcomes == [
            "Ces deux personnes se remplaceraient l’une l’autre : choisissez quelqu’un d’autre.",
            "StandIn",
        ]


WISHES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 6), st.integers(1, 5), st.booleans()), max_size=7
)


class TestCirclesAndChains:
    @pytest.fixture
    def people(self, cast: Cast) -> list[User]:
        """Four référents of team A, of whom two also follow parcours in team B."""
        people = [cast.benoit, *(make_user(name, Role.REFERENT, cast.team_a) for name in ("Denis", "Elsa", "Malik"))]
        for person in people[:2]:
            join(person, Role.REFERENT, cast.team_b)
        return people

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(wishes=WISHES)
    def test_are_made_by_no_sequence_of_replacements(self, people: list[User], wishes) -> None:
        """On every day: nobody who replaces is replaced, and a caseload is held once."""
        today = timezone.localdate()
        mark = transaction.savepoint()
        try:
            for absent, user, begins_in, days, second_team in wishes:
                self.try_to(people[absent], people[user], today + begins_in * DAY, days, second_team)
            for day in (today + number * DAY for number in range(12)):
                running = list(StandIn.objects.unrevoked().overlapping(day, day + DAY).select_related("content_object"))
                replaced = {stand_in.content_object.user_id for stand_in in running}
                assert not replaced & {stand_in.user_id for stand_in in running}, "a chain"
                assert len({stand_in.content_object_id for stand_in in running}) == len(running), "held twice"
        finally:
            transaction.savepoint_rollback(mark)
            connection.run_on_commit.clear()  # the letters of what never was

    def try_to(self, absent: User, user: User, begins: date, days: int, second_team: bool) -> None:
        memberships = absent.memberships.order_by("pk")
        membership = memberships.last() if second_team else memberships.first()
        try:
            with acting_as(system_account()):
                start_stand_in(
                    membership=membership,
                    user=user,
                    reason=StandInReason.LEAVE,
                    starts_on=begins,
                    ends_on=begins + days * DAY,
                    by=absent,
                )
        except Refused:
            pass
