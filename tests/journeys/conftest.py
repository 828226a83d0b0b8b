"""A browser, the site, and people who visit it."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Browser, expect, sync_playwright

from audit.history import acting_as, system_account
from referents.models import User
from tests.cast import PASSWORD
from tests.conftest import sign_in
from tests.journeys.server import PLAIN_HTTP, between_requests, served
from tests.journeys.visitor import Visitor
from tests.second_factor import enrol

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
PATIENCE = 10_000  # milliseconds; a machine may be busy

Visit = Callable[..., Visitor]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Playwright keeps an event loop in this thread, where Django would refuse its synchronous queries."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.skip("Chromium is missing")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=PATIENCE)
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=False)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(django_db_setup: None) -> Iterator[str]:
    with served() as address:
        yield address


@pytest.fixture
def visit(browser: Browser, site: str, transactional_db: None) -> Iterator[Visit]:
    """``visit(person)``: a browser of that person, signed in; ``visit()``: of somebody who is not.

    ``narrow=True`` is a telephone, ``javascript=False`` a browser that runs no script.
    """
    contexts, visitors = [], []
    cache.clear()  # where the sign-in page counts who comes from one address

    def visitor(person: User | None = None, *, narrow: bool = False, javascript: bool = True) -> Visitor:
        context = browser.new_context(
            locale="fr-FR",
            timezone_id="Europe/Paris",
            viewport=NARROW if narrow else WIDE,
            java_script_enabled=javascript,
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        if person is not None:
            cookies = session_of(person, user_agent=str(page.evaluate("navigator.userAgent")))
            context.add_cookies([{"name": name, "value": value, "url": site} for name, value in cookies])
        visitors.append(Visitor(page, site, looks_closely=javascript))
        return visitors[-1]

    yield visitor
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    for context in contexts:
        context.close()
    with between_requests():  # what was still being answered is over before the tables are emptied
        assert complaints == []


def session_of(person: User, *, user_agent: str) -> list[tuple[str, str]]:
    client = Client()
    with between_requests():
        sign_in(client, person, browser=user_agent)
    return [
        (name, cookie.value) for name, cookie in client.cookies.items() if name == PLAIN_HTTP["SESSION_COOKIE_NAME"]
    ]


@pytest.fixture
def with_password() -> Callable[[User], Any]:
    """``with_password(person)``: that person may sign in by the page, with the code of an application.

    ``second_factor=False``: nothing is enrolled yet.
    """

    def give(person: User, *, second_factor: bool = True) -> None:
        person.set_password(PASSWORD)
        person.email = f"{person.pk}@marelle.example"  # an accent before the @ is refused by browsers
        with between_requests(), acting_as(system_account()):
            person.save()
            if second_factor:
                enrol(person)

    return give
