"""A session belongs to one browser and one round of its account; each end has its code and its sentence."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from audit.journal.models import Event
from referents.sessions import BROWSER, ROUND, SessionEnd, browser_of
from tests.cast import PASSWORD, Cast
from tests.conftest import SecureClient
from tests.second_factor import code, enrol

START = datetime(2026, 3, 2, 7, tzinfo=UTC)
PAGE = "/parcours/"
FIREFOX, CHROMIUM = {"HTTP_USER_AGENT": "Firefox/150"}, {"HTTP_USER_AGENT": "Chromium/150"}


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def replayed(client: Client, **browser: str) -> Client:
    """Another browser that sends the same cookies."""
    thief = SecureClient(**browser)
    thief.cookies = client.cookies
    return thief


def ends() -> list[str]:
    return [event.detail["end"] for event in Event.objects.filter(action="sign_out").order_by("at", "id")]


class TestBinding:
    @pytest.fixture
    def benoit(self, cast: Cast, settings) -> Client:
        """Signed in by the pages, from Firefox."""
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        cast.benoit.set_password(PASSWORD)
        cast.benoit.save(update_fields=["password"])
        enrol(cast.benoit)
        client = SecureClient(**FIREFOX)
        client.post(reverse("account_login"), {"login": cast.benoit.email, "password": PASSWORD})
        client.post(reverse("mfa_authenticate"), {"code": code()})
        assert client.get(PAGE).status_code == 200
        return client

    def test_refuses_the_session_from_another_browser(self, benoit: Client, cast: Cast) -> None:
        thief = replayed(benoit, **CHROMIUM)
        answer = thief.get(PAGE)
        assert answer["Location"] == f"{reverse('account_login')}?next={PAGE}"
        assert "venait d’un autre navigateur" in thief.get(answer["Location"]).text
        refusal = Event.objects.get(action="refusal")
        assert (refusal.actor_id, refusal.record_ids) == (None, [str(cast.benoit.pk)])
        assert refusal.detail == {"asked": "session", "why": "other_browser"}
        assert ends() == ["other_browser"]

    def test_destroys_it_for_everybody(self, benoit: Client) -> None:
        replayed(benoit, **CHROMIUM).get(PAGE)
        assert benoit.get(PAGE)["Location"].startswith(reverse("account_login"))

    def test_keeps_nothing_of_what_the_browser_says(self, benoit: Client) -> None:
        assert "Firefox" not in str(dict(benoit.session.items()))
        assert benoit.session[BROWSER] == browser_of("Firefox/150")

    @pytest.mark.parametrize("key", [BROWSER, ROUND])
    def test_is_needed(self, benoit: Client, key: str) -> None:
        session = benoit.session
        del session[key]
        session.save()
        assert benoit.get(PAGE).status_code == 302

    def test_leaves_a_change_unwritten(self, benoit: Client, cast: Cast) -> None:
        form = reverse("pre_cases:comment_create", args=[cast.ines_parcours.pk])
        replayed(benoit, **CHROMIUM).post(form, {"text": "Volé"})
        assert not cast.ines_parcours.comments.exists()


class TestEnds:
    def test_say_why_on_the_sign_in_page(self, clock, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        client.get(PAGE)
        clock.move_to(START + timedelta(minutes=31))
        page = client.get(PAGE, follow=True)
        assert SessionEnd.IDLE.label in page.text
        assert ends() == ["idle"]

    def test_tell_twelve_hours_from_a_silence(self, clock, cast: Cast, signed_in) -> None:
        client = signed_in(cast.benoit)
        for half_hour in range(24):
            clock.move_to(START + half_hour * timedelta(minutes=30))
            client.get(PAGE)
        clock.move_to(START + timedelta(hours=12))
        assert SessionEnd.TOO_LONG.label in client.get(PAGE, follow=True).text
        assert ends() == ["too_long"]

    def test_are_told_from_leaving(self, cast: Cast, signed_in) -> None:
        signed_in(cast.benoit).post(reverse("account_logout"))
        assert ends() == ["asked"]

    def test_cost_no_query(self, cast: Cast, signed_in, django_assert_num_queries) -> None:
        client = signed_in(cast.benoit)
        client.get(reverse("account_logout"))
        with django_assert_num_queries(3):  # the session, the account, and the standing for the menu
            client.get(reverse("account_logout"))
