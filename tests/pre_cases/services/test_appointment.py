"""Meetings: planned for later only, and settled once."""

from datetime import datetime, time, timedelta

import pytest
import time_machine
from django.utils import timezone

from pre_cases.models import Appointment, AppointmentState
from pre_cases.services.appointment import (
    AppointmentRefused,
    move_appointment,
    plan_appointment,
    settle_appointment,
)
from pre_cases.services.assignment import assign_referent
from pre_cases.services.preconditions import ParcoursIsClosed
from referents.models import User
from tests.cast import Cast
from tests.pre_cases.facts import close

DAY = timedelta(days=1)


def plan(cast: Cast, **values) -> Appointment:
    typed = {"on": timezone.localdate() + DAY, "starts_at": time(14, 30), "means": "home", "with_whom": "family"}
    return plan_appointment(**{"parcours": cast.ines_parcours, "user": cast.benoit, "by": cast.benoit} | typed | values)


class TestPlanAppointment:
    def test_is_planned_under_the_key_of_the_child(self, cast: Cast) -> None:
        meeting = plan(cast, place=" 3e étage ")
        assert (meeting.state, meeting.place) == ("planned", "3e étage")
        assert meeting.data_key_id == cast.ines.data_key_id

    @pytest.mark.parametrize(("days", "hour", "field"), [(-1, 14, "on"), (0, 9, "starts_at"), (0, 10, "starts_at")])
    def test_is_never_planned_in_the_past(self, cast: Cast, days: int, hour: int, field: str) -> None:
        now = timezone.make_aware(datetime.combine(timezone.localdate(), time(10)))
        with time_machine.travel(now, tick=False), pytest.raises(AppointmentRefused, match="passée") as refusal:
            plan(cast, on=timezone.localdate() + days * DAY, starts_at=time(hour))
        assert refusal.value.field == field
        assert not Appointment.objects.exists()

    def test_is_refused_on_a_closed_parcours(self, cast: Cast) -> None:
        close(cast.ines_parcours, cast.amina)
        with pytest.raises(ParcoursIsClosed):
            plan(cast)


class TestSettleAppointment:
    @pytest.mark.parametrize("state", [AppointmentState.HELD, AppointmentState.ABSENT])
    def test_says_what_happened_from_its_day_on(self, cast: Cast, state: AppointmentState) -> None:
        meeting = plan(cast)
        with pytest.raises(AppointmentRefused, match="pas encore"):
            settle_appointment(appointment=meeting, state=state, by=cast.benoit)
        with time_machine.travel(timezone.now() + DAY):
            assert settle_appointment(appointment=meeting, state=state, by=cast.benoit).state == state

    def test_is_cancelled_beforehand_and_once(self, cast: Cast) -> None:
        meeting = plan(cast)
        settle_appointment(appointment=meeting, state=AppointmentState.CANCELLED, by=cast.benoit)
        with pytest.raises(AppointmentRefused, match="déjà noté : annulé"):
            settle_appointment(appointment=meeting, state=AppointmentState.CANCELLED, by=cast.benoit)


class TestMoveAppointment:
    def test_keeps_the_former_and_plans_another(self, cast: Cast) -> None:
        former = plan(cast, place="chez la tante")
        moved = move_appointment(
            appointment=former, on=timezone.localdate() + 3 * DAY, starts_at=time(9), by=cast.benoit
        )
        assert Appointment.objects.get(pk=former.pk).state == "moved"
        assert (moved.state, moved.place, moved.starts_at, moved.user_id) == (
            "planned", "chez la tante", time(9), cast.benoit.pk,
        )  # fmt: skip

    def test_refuses_the_same_moment_and_the_past(self, cast: Cast) -> None:
        meeting = plan(cast)
        with pytest.raises(AppointmentRefused, match="déjà le jour"):
            move_appointment(appointment=meeting, on=meeting.on, starts_at=meeting.starts_at, by=cast.benoit)
        with pytest.raises(AppointmentRefused, match="passée"):
            move_appointment(appointment=meeting, on=timezone.localdate() - DAY, starts_at=time(9), by=cast.benoit)
        assert Appointment.objects.get().state == "planned"


class TestPassedOn:
    def test_goes_with_the_parcours_to_the_new_referent(self, cast: Cast, ibrahim: User) -> None:
        planned, cancelled = plan(cast), plan(cast, starts_at=time(16))
        settle_appointment(appointment=cancelled, state=AppointmentState.CANCELLED, by=cast.benoit)
        assign_referent(parcours=cast.ines_parcours, referent=ibrahim, by=cast.amina)
        assert Appointment.objects.get(pk=planned.pk).user_id == ibrahim.pk
        assert Appointment.objects.get(pk=cancelled.pk).user_id == cast.benoit.pk
