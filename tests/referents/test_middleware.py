"""How long a session lasts (thirty minutes of silence, twelve hours in all), and what stands before every page."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Event
from tests.cast import PASSWORD, Cast
from tests.conftest import SecureClient

MINUTE = timedelta(minutes=1)
START = datetime(2026, 3, 2, 7, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def is_signed_in(client: Client) -> bool:
    return client.get(reverse("pre_cases:my_parcours")).status_code == 200


class TestSessionGuardMiddleware:
    @pytest.mark.parametrize(("silence", "remains"), [(30, True), (31, False)])
    def test_signs_out_after_thirty_minutes_of_silence(
        self, clock, cast: Cast, signed_in, silence: int, remains: bool
    ) -> None:
        client = signed_in(cast.benoit)
        assert is_signed_in(client)
        clock.move_to(START + silence * MINUTE)
        assert is_signed_in(client) is remains
        assert Event.objects.filter(action="sign_out", actor_id=cast.benoit.pk).exists() is not remains

    def test_answers_a_path_with_a_line_break(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        with time_machine.travel(timezone.now() + timedelta(minutes=31)):
            answer = client.get("/parcours/%0d%0aX-Injected: 1/", headers={"HX-Request": "true"})
        assert answer.status_code == 204
        assert "\n" not in answer["HX-Redirect"]

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

    def test_sends_a_fragment_to_the_sign_in_page_as_a_whole(self, clock, cast: Cast, signed_in) -> None:
        """htmx would put the sign-in page inside the form: it is told to leave the page."""
        client = signed_in(cast.benoit)
        assert is_signed_in(client)
        clock.move_to(START + 45 * MINUTE)
        draft = reverse("pre_cases:draft_save", args=[cast.ines_parcours.pk])
        response = client.post(draft, {"text": "à finir"}, headers={"HX-Request": "true"})
        assert (response.status_code, response.content) == (204, b"")
        assert response["HX-Redirect"] == f"{reverse('account_login')}?next=/"
        assert not cast.ines_parcours.drafts.exists()

    def test_comes_back_to_the_first_page_after_a_form(self, clock, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        assert is_signed_in(client)
        clock.move_to(START + 45 * MINUTE)
        form = reverse("pre_cases:comment_create", args=[cast.ines_parcours.pk])
        assert client.post(form, {"text": "Trop tard"})["Location"] == f"{reverse('account_login')}?next=/"
        assert not cast.ines_parcours.comments.exists()

    def test_asks_the_browser_to_forget_the_pages(self, clock, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        assert is_signed_in(client)
        clock.move_to(START + 45 * MINUTE)
        assert '"cache"' in client.get(reverse("pre_cases:my_parcours"))["Clear-Site-Data"]

    def test_counts_from_the_last_request(self, clock, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        for minutes in (0, 29, 58, 87):
            clock.move_to(START + minutes * MINUTE)
            assert is_signed_in(client), minutes

    def test_writes_the_session_once_a_minute_at_most(self, clock, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        assert is_signed_in(client)
        writes = []
        for seconds in (1, 59, 60, 61, 119, 120):
            clock.move_to(START + timedelta(seconds=seconds))
            with CaptureQueriesContext(connection) as queries:
                assert is_signed_in(client)
            statements = [q["sql"] for q in queries if "django_session" in q["sql"]]
            writes.append((seconds, sum(not sql.startswith("SELECT") for sql in statements)))
        assert writes == [(1, 0), (59, 0), (60, 1), (61, 0), (119, 0), (120, 1)]

    def test_leaves_alone_who_is_not_signed_in(self, clock, db) -> None:
        client = SecureClient()
        assert client.get(reverse("account_login")).status_code == 200
        clock.move_to(START + 45 * MINUTE)
        assert client.get(reverse("account_login")).status_code == 200
        assert not Event.objects.exists()


class TestStandingMiddleware:
    def test_explains_to_whom_holds_no_role_today(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.yann)
        for page in (reverse("home"), reverse("pre_cases:parcours_detail", args=[cast.ines_parcours.pk])):
            assert client.get(page)["Location"] == reverse("no_access"), page
            assert client.get(page, follow=True).status_code == 200

    def test_asks_for_a_charter_that_was_never_signed_or_has_expired(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        page = reverse("pre_cases:my_parcours")
        with acting_as(system_account()):
            charter = cast.benoit.charters.get()
            charter.expires_on = timezone.localdate()
            charter.save()
            assert client.get(page)["Location"] == reverse("charter_sign")
            charter.delete()
        assert client.get(page)["Location"] == reverse("charter_sign")

    def test_carries_out_nothing_that_is_posted_before_the_charter(self, cast: Cast, signed_in) -> None:
        with acting_as(system_account()):
            cast.benoit.charters.all().delete()
        form = reverse("pre_cases:comment_create", args=[cast.ines_parcours.pk])
        assert signed_in(cast.benoit).post(form, {"text": "Non"})["Location"] == reverse("charter_sign")
        assert not cast.ines_parcours.comments.exists()

    def test_asks_no_charter_of_who_opens_no_nominative_page(self, cast: Cast, signed_in) -> None:
        with acting_as(system_account()):
            cast.esther.charters.all().delete()
        assert signed_in(cast.esther).get(reverse("pre_cases:statistics")).status_code == 200

    @pytest.mark.parametrize("name", ["yann", "benoit"])
    def test_always_lets_people_leave_and_change_their_password(
        self, cast: Cast, signed_in, settings, name: str
    ) -> None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        person = getattr(cast, name)
        person.set_password(PASSWORD)
        person.save(update_fields=["password"])
        with acting_as(system_account()):
            cast.benoit.charters.all().delete()
        client = signed_in(person)
        assert client.get(reverse("account_change_password")).status_code == 200
        assert client.post(reverse("account_logout")).status_code == 302
        assert client.get(reverse("pre_cases:my_parcours"))["Location"].startswith(reverse("account_login"))

    def test_takes_effect_at_the_next_request(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        assert is_signed_in(client)
        with acting_as(cast.hugo):
            membership = cast.benoit.memberships.get()
            membership.ends_on = timezone.localdate()
            membership.save()
        assert client.get(reverse("pre_cases:my_parcours"))["Location"] == reverse("no_access")
