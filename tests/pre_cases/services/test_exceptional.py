"""The exceptional access: opened from a number given by telephone, ended, reviewed."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from audit.encryption.keys import load_keys_of
from audit.history import acting_as, system_account
from audit.journal.models import Event
from pre_cases.models import ExceptionalAccess, ExceptionalOutcome, ExceptionalReason
from pre_cases.services.exceptional import (
    KIND,
    ExceptionalAccessRefused,
    UnknownNumber,
    end_exceptional_access,
    open_exceptional_access,
    review_exceptional_access,
)
from referents.models import Role, User
from tests.at_once import at_once
from tests.cast import Cast, make_exceptional_access, make_user
from tests.pre_cases.facts import changes, close, join, leave, sees

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def lise(cast: Cast) -> User:
    """The coordination of team B."""
    return make_user("Lise", Role.COORDINATOR, cast.team_b)


@pytest.fixture
def open_access(cast: Cast, lise: User):
    """Lise opens Inès's parcours by its number, unless told otherwise."""

    def run(**values: object) -> ExceptionalAccess:
        defaults = {
            "number": cast.ines_parcours.number,
            "motive": ExceptionalReason.ARRIVAL,
            "reason": "La mère est dans nos locaux",
            "by": lise,
        }
        return open_exceptional_access(**defaults | values)

    return run


class TestOpenExceptionalAccess:
    def test_opens_the_reading_for_24_hours_and_nothing_more(self, cast: Cast, lise: User, open_access) -> None:
        made = open_access()
        assert (made.membership, made.granted_by) == (lise.memberships.get(), lise)
        assert sees(lise, cast.ines_parcours)
        assert not changes(lise, cast.ines_parcours)
        assert made.permission.codename == "view_parcours"
        with time_machine.travel(made.granted_at + 24 * HOUR - timedelta(seconds=1), tick=False):
            assert sees(lise, cast.ines_parcours)
        with time_machine.travel(made.granted_at + 24 * HOUR, tick=False):
            assert not sees(lise, cast.ines_parcours)

    def test_is_journalled_as_a_grant_with_its_situation(self, cast: Cast, lise: User, open_access) -> None:
        made = open_access()
        event = Event.objects.get(action="grant", kind=KIND)
        assert (event.actor_id, event.subject_id, event.record_ids) == (
            lise.pk,
            cast.ines_parcours.pk,
            [str(made.pk)],
        )
        assert (event.purpose, event.detail) == ("exceptional-arrival", {"user": lise.pk})
        assert made.history.get().history_user_id == lise.pk

    def test_keeps_the_reason_and_the_remark_encrypted(self, cast: Cast, open_access) -> None:
        made = open_access()
        review_exceptional_access(
            access=made, outcome=ExceptionalOutcome.UNJUSTIFIED, note="Une simple curiosité", by=cast.amina
        )
        for model in (ExceptionalAccess, ExceptionalAccess.history.model):
            columns = [model._meta.get_field(name).column for name in ("reason", "review_note")]
            with connections["default"].cursor() as cursor:
                cursor.execute(f"SELECT {', '.join(columns)} FROM {model._meta.db_table}")
                stored = b"".join(bytes(value) for row in cursor.fetchall() for value in row if value is not None)
            assert stored
            assert b"locaux" not in stored
            assert b"curiosit" not in stored
        assert ExceptionalAccess.objects.get().review_note == "Une simple curiosité"

    def test_refuses_without_a_reason(self, open_access) -> None:
        with pytest.raises(ExceptionalAccessRefused, match="ne peut pas attendre") as refusal:
            open_access(reason="  ")
        assert refusal.value.field == "reason"

    @pytest.mark.parametrize("number", ["", "0000-0000", "n’importe quoi", "²²²²-²²²²", "%", "7QK2-M4XD-0"])
    def test_refuses_an_unknown_number(self, cast: Cast, open_access, number: str) -> None:
        with pytest.raises(UnknownNumber, match="faites-le répéter") as refusal:
            open_access(number=number)
        assert refusal.value.field == "number"
        assert not ExceptionalAccess.objects.exists()

    def test_answers_a_closed_parcours_like_an_unknown_number(self, cast: Cast, open_access) -> None:
        close(cast.ines_parcours, by=cast.amina)
        with pytest.raises(UnknownNumber):
            open_access()

    def test_refuses_who_sees_the_parcours_already(self, cast: Cast, open_access) -> None:
        for person in (cast.amina, cast.benoit, cast.david):
            with pytest.raises(ExceptionalAccessRefused, match="Vous voyez déjà") as refusal:
                open_access(by=person)
            assert refusal.value.field == "number"

    def test_refuses_to_open_twice(self, open_access) -> None:
        open_access()
        with pytest.raises(ExceptionalAccessRefused, match="Vous voyez déjà"):
            open_access()
        assert ExceptionalAccess.objects.count() == 1

    def test_opens_again_once_over_with_a_new_row(self, cast: Cast, lise: User, open_access) -> None:
        first = open_access()
        with time_machine.travel(first.granted_at + 25 * HOUR, tick=False):
            assert open_access().pk != first.pk
            assert sees(lise, cast.ines_parcours)

    @pytest.mark.parametrize("name", ["chloe", "esther", "farid", "gaelle", "hugo", "yann"])
    def test_is_for_a_coordination(self, cast: Cast, open_access, name: str) -> None:
        with pytest.raises(ExceptionalAccessRefused, match="Seule une coordination"):
            open_access(by=getattr(cast, name))

    def test_reads_the_number_as_it_is_heard(self, cast: Cast, open_access) -> None:
        heard = cast.ines_parcours.number.replace("0", "O").replace("1", "l").replace("-", " ").lower()
        assert open_access(number=heard).content_object == cast.ines_parcours


class TestOpenAgain:
    def test_is_refused_once_the_team_has_ended_it(self, cast: Cast, lise: User, open_access) -> None:
        end_exceptional_access(access=open_access(), by=cast.amina)
        with pytest.raises(ExceptionalAccessRefused, match="appelez sa coordination"):
            open_access()
        with time_machine.travel(timezone.now() + DAY + HOUR):
            assert open_access()

    def test_is_refused_for_a_month_once_found_unjustified(self, cast: Cast, open_access) -> None:
        access = open_access()
        review_exceptional_access(access=access, outcome=ExceptionalOutcome.UNJUSTIFIED, note="Non", by=cast.gaelle)
        with time_machine.travel(timezone.now() + 20 * DAY), pytest.raises(ExceptionalAccessRefused, match="justifié"):
            open_access()
        with time_machine.travel(timezone.now() + 31 * DAY):
            assert open_access()

    def test_is_open_to_who_has_ended_it_oneself(self, lise: User, open_access) -> None:
        end_exceptional_access(access=open_access(), by=lise)
        assert open_access()


class TestEndExceptionalAccess:
    def test_closes_the_reading_at_once_and_is_journalled(self, cast: Cast, lise: User, open_access) -> None:
        made = open_access()
        end_exceptional_access(access=made, by=cast.benoit)
        assert not sees(lise, cast.ines_parcours)
        event = Event.objects.get(action="revoke", kind=KIND)
        assert (event.actor_id, event.subject_id, event.detail) == (
            cast.benoit.pk,
            cast.ines_parcours.pk,
            {"user": lise.pk},
        )

    def test_refuses_twice_and_once_over(self, cast: Cast, lise: User) -> None:
        over = make_exceptional_access(cast.ines_parcours, lise, granted_at=timezone.now() - 24 * HOUR)
        running = make_exceptional_access(cast.ines_parcours, lise)
        end_exceptional_access(access=running, by=lise)
        for access in (over, running):
            with pytest.raises(ExceptionalAccessRefused, match="déjà terminé"):
                end_exceptional_access(access=access, by=lise)


class TestReviewExceptionalAccess:
    @pytest.mark.parametrize("outcome", ExceptionalOutcome)
    def test_says_by_whom_and_when(self, cast: Cast, open_access, outcome: ExceptionalOutcome) -> None:
        made = open_access()
        review_exceptional_access(access=made, outcome=outcome, note=" Vu avec elle ", by=cast.gaelle)
        reviewed = ExceptionalAccess.objects.get()
        assert (reviewed.outcome, reviewed.reviewed_by, reviewed.review_note) == (outcome, cast.gaelle, "Vu avec elle")
        assert reviewed.reviewed_at is not None
        event = Event.objects.get(action="review", kind=KIND)
        assert (event.actor_id, event.purpose) == (cast.gaelle.pk, outcome)

    def test_ends_nothing(self, cast: Cast, lise: User, open_access) -> None:
        review_exceptional_access(access=open_access(), outcome=ExceptionalOutcome.JUSTIFIED, by=cast.amina)
        assert sees(lise, cast.ines_parcours)
        assert ExceptionalAccess.objects.get().review_note is None

    def test_asks_why_when_it_was_not_justified(self, cast: Cast, open_access) -> None:
        with pytest.raises(ExceptionalAccessRefused, match="Dites pourquoi") as refusal:
            review_exceptional_access(
                access=open_access(), outcome=ExceptionalOutcome.UNJUSTIFIED, note="  ", by=cast.amina
            )
        assert refusal.value.field == "note"

    def test_is_never_one_s_own(self, lise: User, open_access) -> None:
        made = open_access()
        with pytest.raises(ExceptionalAccessRefused, match="son propre accès"):
            review_exceptional_access(access=made, outcome=ExceptionalOutcome.JUSTIFIED, by=lise)
        made.outcome, made.reviewed_at, made.reviewed_by = "justified", timezone.now(), lise
        with pytest.raises(IntegrityError), transaction.atomic(), acting_as(system_account()):
            made.save()

    def test_is_made_once(self, cast: Cast, open_access) -> None:
        made = open_access()
        review_exceptional_access(access=made, outcome=ExceptionalOutcome.JUSTIFIED, by=cast.amina)
        with pytest.raises(ExceptionalAccessRefused, match="déjà examiné"):
            review_exceptional_access(access=made, outcome=ExceptionalOutcome.UNJUSTIFIED, note="x", by=cast.gaelle)


class TestVisibleTo:
    def test_is_the_coordination_of_the_parcours_and_the_dpo(self, cast: Cast, lise: User, open_access) -> None:
        made = open_access()
        seeing = {p.first_name for p in (*cast, lise) if ExceptionalAccess.objects.visible_to(p).exists()}
        reviewing = {p.first_name for p in (*cast, lise) if ExceptionalAccess.objects.reviewable_by(p).exists()}
        ending = {p.first_name for p in (*cast, lise) if ExceptionalAccess.objects.endable_by(p).exists()}
        assert seeing == reviewing == {"Amina", "Gaëlle"}
        assert ending == {"Amina", "Gaëlle", "Lise"}
        assert list(ExceptionalAccess.objects.to_review()) == [made]

    def test_leaves_out_one_s_own_for_who_has_joined_that_team_since(self, cast: Cast, lise: User, open_access) -> None:
        open_access()
        join(lise, Role.COORDINATOR, cast.team_a)
        leave(lise, cast.team_b)
        current = User.objects.get(pk=lise.pk)
        assert ExceptionalAccess.objects.visible_to(current).exists()
        assert not ExceptionalAccess.objects.reviewable_by(current).exists()


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
class TestTwoPeople:
    def test_review_once(self, tmp_path: Path) -> None:
        cast = Cast()
        made = make_exceptional_access(cast.ines_parcours, make_user("Lise", Role.COORDINATOR, cast.team_b))

        def review(by: User):
            def run() -> ExceptionalAccess:
                load_keys_of(made)
                return review_exceptional_access(access=made, outcome=ExceptionalOutcome.JUSTIFIED, by=by)

            return run

        outcomes, count = at_once(
            tmp_path,
            [review(cast.amina), review(cast.gaelle)],
            lambda: Event.objects.filter(action="review").count(),
        )
        assert outcomes == ["Cet accès est déjà examiné.", "ExceptionalAccess"]
        assert count == 1

    def test_open_the_same_parcours_once_each(self, tmp_path: Path) -> None:
        cast = Cast()
        lise = make_user("Lise", Role.COORDINATOR, cast.team_b)

        def opening() -> ExceptionalAccess:
            load_keys_of(cast.ines_parcours)
            return open_exceptional_access(
                number=cast.ines_parcours.number, motive=ExceptionalReason.DANGER, reason="Urgent", by=lise
            )

        outcomes, count = at_once(tmp_path, [opening, opening], ExceptionalAccess.objects.count)
        assert count == 1
        assert outcomes[0] == "ExceptionalAccess"
