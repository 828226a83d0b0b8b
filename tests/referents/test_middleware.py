"""How long a session lasts: thirty minutes of silence, twelve hours in all."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from audit.journal.models import Event
from tests.cast import Cast

MINUTE = timedelta(minutes=1)
START = datetime(2026, 3, 2, 7, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def is_signed_in(client: Client) -> bool:
    return client.get(reverse("pre_cases:my_parcours")).status_code == 200


class TestIdleTimeoutMiddleware:
    @pytest.mark.parametrize(("silence", "remains"), [(30, True), (31, False)])
    def test_signs_out_after_thirty_minutes_of_silence(
        self, clock, cast: Cast, signed_in, silence: int, remains: bool
    ) -> None:
        client = signed_in(cast.benoit)
        assert is_signed_in(client)
        clock.move_to(START + silence * MINUTE)
        assert is_signed_in(client) is remains
        assert Event.objects.filter(action="sign_out", actor_id=cast.benoit.pk).exists() is not remains

    def test_comes_back_to_the_page_left(self, clock, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        assert is_signed_in(client)
        clock.move_to(START + 45 * MINUTE)
        page = reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk])
        assert client.get(page)["Location"] == f"{reverse('account_login')}?next={page}"

    def test_signs_out_twelve_hours_after_the_sign_in_whatever_was_done(self, clock, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        for hour in range(24):
            clock.move_to(START + hour * 30 * MINUTE)
            assert is_signed_in(client), hour
        clock.move_to(START + timedelta(hours=12))
        assert not is_signed_in(client)
