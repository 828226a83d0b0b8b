"""Shares of a parcours, and the end of every access with the parcours."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from dateutil.relativedelta import relativedelta
from django.contrib.auth.models import Permission
from django.db import connections
from django.utils import timezone

from audit.encryption.keys import load_keys_of
from audit.history import acting_as, system_account
from audit.journal.models import Event
from pre_cases.models import (
    AccessRequest,
    ExceptionalAccess,
    HandOver,
    HandOverOutcome,
    ParcoursShare,
)
from pre_cases.services.access import (
    ShareRefused,
    revoke_share,
    share_candidates,
    share_obstacle,
    share_parcours,
)
from pre_cases.services.access_request import ask_access
from pre_cases.services.preconditions import ParcoursIsClosed
from referents.models import Role, User
from tests.at_once import at_once
from tests.cast import (
    Cast,
    make_child,
    make_exceptional_access,
    make_hand_over,
    make_parcours,
    make_share,
    make_stand_in,
    make_user,
)
from tests.pre_cases.facts import again, agree, close, join, sees, suspend

DAY = timedelta(days=1)


@pytest.fixture
def share(cast: Cast) -> Callable[..., ParcoursShare]:
    """Benoît shares Inès's parcours; by default with a colleague of the EPRE, for a month."""
    colleague = make_user("Léa", Role.EPRE_MEMBER, cast.team_a)

    def make(**values: object) -> ParcoursShare:
        today = timezone.localdate()
        defaults = {
            "parcours": cast.ines_parcours,
            "user": colleague,
            "reason": "Prépare l’orientation",
            "ends_on": today + 30 * DAY,
            "by": cast.benoit,
        }
        return share_parcours(**defaults | values)

    return make


class TestShareParcours:
    def test_opens_the_reading_and_nothing_more(self, cast: Cast, share: Callable[..., ParcoursShare]) -> None:
        user = share().user
        assert sees(user, cast.ines_parcours)
        assert not sees(user, cast.tom_parcours)
        assert not user.has_perm("pre_cases.change_parcours", cast.ines_parcours)

    def test_ends_by_itself(self, cast: Cast, share: Callable[..., ParcoursShare]) -> None:
        made = share(ends_on=timezone.localdate() + 5 * DAY)
        with time_machine.travel(timezone.now() + 4 * DAY, tick=False):
            assert sees(made.user, cast.ines_parcours)
        with time_machine.travel(timezone.now() + 5 * DAY, tick=False):
            assert not sees(made.user, cast.ines_parcours)

    def test_is_a_row_of_the_right_to_read(self, share: Callable[..., ParcoursShare]) -> None:
        made = share()
        assert made.permission == Permission.objects.get(content_type__app_label="pre_cases", codename="view_parcours")

    def test_is_journalled_as_a_grant(self, cast: Cast, share: Callable[..., ParcoursShare]) -> None:
        made = share()
        event = Event.objects.get(action="grant", kind="pre_cases.parcoursshare")
        assert (event.actor_id, event.subject_id) == (cast.benoit.pk, cast.ines_parcours.pk)
        assert event.detail == {"user": made.user_id}

    def test_keeps_the_reason_encrypted(self, share: Callable[..., ParcoursShare]) -> None:
        made = share(reason="Prépare l’orientation")
        column = ParcoursShare._meta.get_field("reason").column
        with connections["default"].cursor() as cursor:
            cursor.execute(f"SELECT {column} FROM {ParcoursShare._meta.db_table}")
            stored = [bytes(row[0]) for row in cursor.fetchall()]
        assert ParcoursShare.objects.get(pk=made.pk).reason == "Prépare l’orientation"
        assert not any(b"orientation" in value for value in stored)

    def test_renews_a_share_that_has_run_out_with_a_new_row(
        self, cast: Cast, share: Callable[..., ParcoursShare]
    ) -> None:
        today = timezone.localdate()
        user = make_user("Malik", Role.EPRE_MEMBER, cast.team_a)
        former = make_share(cast.ines_parcours, user, starts_on=today - 30 * DAY, ends_on=today)
        made = share(user=user)
        former.refresh_from_db()
        assert made.pk != former.pk
        assert timezone.localdate(former.revoked_at) == today
        assert sees(user, cast.ines_parcours)

    @pytest.mark.parametrize(
        ("name", "field"),
        [("benoit", "user"), ("david", "user"), ("amina", "user"), ("chloe", "user"), ("yann", "user")],
    )
    def test_refuses_oneself_who_sees_already_and_who_is_not_in_the_team(
        self, cast: Cast, share: Callable[..., ParcoursShare], name: str, field: str
    ) -> None:
        with pytest.raises(ShareRefused) as refusal:
            share(user=getattr(cast, name))
        assert refusal.value.field == field
        assert ParcoursShare.objects.count() == 1

    def test_accepts_today_as_its_last_day(self, share: Callable[..., ParcoursShare]) -> None:
        assert share(ends_on=timezone.localdate() + DAY)

    @pytest.mark.parametrize("days", [0, -1])
    def test_refuses_an_end_in_the_past(self, share: Callable[..., ParcoursShare], days: int) -> None:
        with pytest.raises(ShareRefused, match="passé") as refusal:
            share(ends_on=timezone.localdate() + days * DAY)
        assert refusal.value.field == "ends_on"

    def test_lasts_six_months_at_most(self, share: Callable[..., ParcoursShare]) -> None:
        last_day = timezone.localdate() + relativedelta(months=6)
        with pytest.raises(ShareRefused, match="6 mois"):
            share(ends_on=last_day + 2 * DAY)
        assert share(ends_on=last_day + DAY)

    def test_refuses_a_share_without_a_reason(self, share: Callable[..., ParcoursShare]) -> None:
        with pytest.raises(ShareRefused) as refusal:
            share(reason="  ")
        assert refusal.value.field == "reason"

    @pytest.mark.parametrize("column", ["withdrawn_on", "agreed_until_on"])
    def test_refuses_an_agreement_that_has_ended(
        self, cast: Cast, share: Callable[..., ParcoursShare], column: str
    ) -> None:
        agree(cast.ines_parcours, **{column: timezone.localdate()})
        with pytest.raises(ShareRefused, match="accord"):
            share()

    def test_refuses_a_closed_parcours(self, cast: Cast, share: Callable[..., ParcoursShare]) -> None:
        close(cast.ines_parcours, by=cast.amina)
        with pytest.raises(ParcoursIsClosed):
            share()

    def test_is_made_under_the_membership_of_the_team(self, cast: Cast, share: Callable[..., ParcoursShare]) -> None:
        """Somebody of two teams reads under the one that follows the parcours."""
        user = make_user("Malik", Role.EPRE_MEMBER, cast.team_b)
        join(user, Role.EPRE_MEMBER, cast.team_a)
        assert share(user=user).membership == user.memberships.get(team=cast.team_a)

    def test_refuses_a_suspended_account(self, cast: Cast, share: Callable[..., ParcoursShare]) -> None:
        user = make_user("Malik", Role.EPRE_MEMBER, cast.team_a)
        suspend(user)
        with pytest.raises(ShareRefused, match="ne fait pas partie de l’équipe") as refusal:
            share(user=again(user))
        assert refusal.value.field == "user"

    def test_refuses_while_a_holder_objects(self, cast: Cast, share: Callable[..., ParcoursShare]) -> None:
        holder = cast.ines_parcours.agreement.holders.get()
        with acting_as(system_account()):
            holder.signed_on, holder.objected_on = None, timezone.localdate()
            holder.save()
        with pytest.raises(ShareRefused, match="opposé par écrit"):
            share()

    def test_keeps_the_dates_and_the_history_of_both_rows_of_a_renewal(
        self, cast: Cast, share: Callable[..., ParcoursShare]
    ) -> None:
        """The former one ends on its own last day, not on the day of the renewal; its end is not announced again."""
        today = timezone.localdate()
        user = make_user("Malik", Role.EPRE_MEMBER, cast.team_a)
        former = make_share(cast.ines_parcours, user, starts_on=today - 30 * DAY, ends_on=today - 10 * DAY)
        made = share(user=user)
        former.refresh_from_db()
        assert timezone.localdate(former.revoked_at) == former.ends_on
        assert made.starts_on == today
        assert {row.history_user_id for row in former.history.all()} == {system_account().pk, cast.benoit.pk}

    def test_writes_nothing_but_the_refusal_when_it_refuses(
        self, cast: Cast, share: Callable[..., ParcoursShare]
    ) -> None:
        events = Event.objects.count()
        with pytest.raises(ShareRefused):
            share(reason=" ")
        assert (ParcoursShare.objects.count(), Event.objects.count()) == (1, events + 1)
        refusal = Event.objects.get(action="refusal")
        assert (refusal.actor_id, refusal.kind) == (cast.benoit.pk, "pre_cases.parcoursshare")


class TestShareCandidates:
    def test_are_the_people_of_the_team_who_do_not_see_the_parcours(self, cast: Cast) -> None:
        epre, referent = make_user("Léa", Role.EPRE_MEMBER, cast.team_a), make_user("Malik", Role.REFERENT, cast.team_a)
        assert set(share_candidates(cast.ines_parcours, cast.benoit)) == {epre, referent}

    def test_leave_out_who_replaces_the_referent(self, cast: Cast) -> None:
        make_stand_in(cast.benoit, make_user("Ibrahim", Role.REFERENT, cast.team_a))
        malik = make_user("Malik", Role.REFERENT, cast.team_a)
        assert set(share_candidates(cast.ines_parcours, cast.benoit)) == {malik}

    def test_come_back_once_their_share_has_ended(self, cast: Cast) -> None:
        revoke_share(share=cast.share, by=cast.benoit)
        assert set(share_candidates(cast.ines_parcours, cast.benoit)) == {cast.david}


class TestRevokeShare:
    def test_closes_the_reading_at_once(self, cast: Cast) -> None:
        assert sees(cast.david, cast.ines_parcours)
        revoke_share(share=cast.share, by=cast.benoit)
        assert not sees(cast.david, cast.ines_parcours)

    def test_is_journalled(self, cast: Cast) -> None:
        revoke_share(share=cast.share, by=cast.benoit)
        event = Event.objects.get(action="revoke", kind="pre_cases.parcoursshare")
        assert (event.actor_id, event.detail) == (cast.benoit.pk, {"user": cast.david.pk})

    def test_refuses_twice(self, cast: Cast) -> None:
        revoke_share(share=cast.share, by=cast.benoit)
        with pytest.raises(ShareRefused, match="déjà retiré"):
            revoke_share(share=cast.share, by=cast.benoit)

    def test_leaves_a_trace_that_does_not_move(self, cast: Cast) -> None:
        revoke_share(share=cast.share, by=cast.benoit)
        revoked_at = ParcoursShare.objects.get(pk=cast.share.pk).revoked_at
        with time_machine.travel(timezone.now() + DAY, tick=False), pytest.raises(ShareRefused):
            revoke_share(share=cast.share, by=cast.amina)
        assert ParcoursShare.objects.get(pk=cast.share.pk).revoked_at == revoked_at


class TestShareObstacle:
    def test_is_nothing_under_a_current_agreement(self, cast: Cast) -> None:
        assert share_obstacle(cast.ines_parcours) == ""

    def test_is_the_sentence_of_the_refusal(self, cast: Cast) -> None:
        agree(cast.ines_parcours, withdrawn_on=timezone.localdate())
        assert "a retiré son accord" in share_obstacle(cast.ines_parcours)


class TestEndAccess:
    def test_ends_every_grant_and_everything_that_waited(self, cast: Cast) -> None:
        lise = make_user("Lise", Role.COORDINATOR, cast.team_b)
        ibrahim = make_user("Ibrahim", Role.REFERENT, cast.team_a)
        make_exceptional_access(cast.ines_parcours, lise)
        make_hand_over(cast.ines_parcours, cast.benoit, ibrahim)
        ask_access(parcours=cast.ines_parcours, reason="Fratrie suivie", by=ibrahim)
        close(cast.ines_parcours, by=cast.amina)
        assert not ParcoursShare.objects.unrevoked().exists()
        assert not ExceptionalAccess.objects.unrevoked().exists()
        assert not AccessRequest.objects.pending().exists()
        assert HandOver.objects.get().outcome == HandOverOutcome.CANCELLED
        revoked = Event.objects.filter(action="revoke", subject_id=cast.ines_parcours.pk)
        assert {event.detail["user"] for event in revoked} == {cast.david.pk, lise.pk}
        cancelled = Event.objects.filter(action="cancel", subject_id=cast.ines_parcours.pk)
        assert {event.kind for event in cancelled} == {"pre_cases.accessrequest", "pre_cases.handover"}

    def test_leaves_the_other_parcours_alone(self, cast: Cast) -> None:
        other = make_share(make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Zoé")), cast.david)
        close(cast.ines_parcours, by=cast.amina)
        assert list(ParcoursShare.objects.in_force()) == [other]


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
class TestTwoPeople:
    def test_share_once_with_one_person(self, tmp_path: Path) -> None:
        cast = Cast()
        lea = make_user("Léa", Role.EPRE_MEMBER, cast.team_a)
        until = timezone.localdate() + 30 * DAY

        def give(by: User) -> Callable[[], ParcoursShare]:
            def run() -> ParcoursShare:
                load_keys_of(cast.ines_parcours)
                return share_parcours(parcours=cast.ines_parcours, user=lea, reason="EPRE", ends_on=until, by=by)

            return run

        outcomes, shares = at_once(
            tmp_path,
            [give(cast.amina), give(cast.benoit)],
            lambda: ParcoursShare.objects.filter(user=lea).count(),
        )
        assert outcomes == ["Cette personne voit déjà le parcours.", "ParcoursShare"]
        assert shares == 1
