"""A parcours stops for a time and goes on: its stage says so, its rights and its figures do not change."""

from datetime import timedelta

import pytest
from django.utils import timezone

from partners.models import Term
from pre_cases.models import Parcours, ParcoursStage, Suspension
from pre_cases.querysets.parcours import ParcoursFlag
from pre_cases.services.parcours import close_parcours
from pre_cases.services.suspension import SuspensionRefused, resume_parcours, suspend_parcours
from tests.cast import Cast

DAY = timedelta(days=1)


def suspend(cast: Cast, since: int = 0, until: int | None = None) -> Suspension:
    today = timezone.localdate()
    return suspend_parcours(
        parcours=cast.ines_parcours,
        reason="Un séjour chez les grands-parents.",
        starts_on=today + since * DAY,
        ends_on=None if until is None else today + until * DAY,
        by=cast.benoit,
    )


def stage(cast: Cast, day: int = 0) -> ParcoursStage:
    on = timezone.localdate() + day * DAY
    return Parcours.objects.with_stage(on).get(pk=cast.ines_parcours.pk).stage


class TestSuspendParcours:
    def test_shows_in_the_stage_from_its_first_day_to_the_eve_of_the_return(self, cast: Cast) -> None:
        suspend(cast, 0, 10)
        assert [stage(cast, day) for day in (-1, 0, 9, 10)] == [
            ParcoursStage.RUNNING, ParcoursStage.SUSPENDED, ParcoursStage.SUSPENDED, ParcoursStage.RUNNING,
        ]  # fmt: skip
        assert list(Parcours.objects.flagged(ParcoursFlag.SUSPENDED)) == [cast.ines_parcours]

    def test_keeps_who_follows_and_the_entry(self, cast: Cast) -> None:
        suspend(cast)
        parcours = Parcours.objects.followed_by(cast.benoit).get()
        assert parcours.entered_on == cast.ines_parcours.entered_on

    @pytest.mark.parametrize(
        ("since", "until", "field"), [(-90, 0, "starts_on"), (0, 0, "ends_on"), (0, -1, "ends_on")]
    )
    def test_refuses_days_that_do_not_follow(self, cast: Cast, since: int, until: int, field: str) -> None:
        with pytest.raises(SuspensionRefused) as refusal:
            suspend(cast, since, until)
        assert refusal.value.field == field

    def test_refuses_two_at_once(self, cast: Cast) -> None:
        suspend(cast, -5, 5)
        with pytest.raises(SuspensionRefused, match="déjà"):
            suspend(cast, 4)
        suspend(cast, 5)


class TestResumeParcours:
    def test_goes_on_that_very_day(self, cast: Cast) -> None:
        resume_parcours(suspension=suspend(cast, -5), on=timezone.localdate(), by=cast.benoit)
        assert [stage(cast, -1), stage(cast)] == [ParcoursStage.SUSPENDED, ParcoursStage.RUNNING]

    def test_refuses_a_day_to_come_one_before_and_one_after_the_end(self, cast: Cast) -> None:
        today, suspension = timezone.localdate(), suspend(cast, -5)
        for on in (today + DAY, today - 6 * DAY):
            with pytest.raises(SuspensionRefused):
                resume_parcours(suspension=suspension, on=on, by=cast.benoit)
        resume_parcours(suspension=suspension, on=today - DAY, by=cast.benoit)
        with pytest.raises(SuspensionRefused, match="déjà finie"):
            resume_parcours(suspension=suspension, on=today, by=cast.benoit)


class TestClosing:
    def test_ends_a_suspension_and_one_to_come_never_begins(self, cast: Cast) -> None:
        today = timezone.localdate()
        running, to_come = suspend(cast, -5, 5), suspend(cast, 20)
        lost = Term.objects.get(pk="exit_reason:contact-perdu")
        close_parcours(parcours=cast.ines_parcours, on=today, reason=lost, by=cast.amina)
        running.refresh_from_db()
        to_come.refresh_from_db()
        assert running.ends_on == today + DAY
        assert to_come.ends_on == to_come.starts_on
