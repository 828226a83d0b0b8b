"""One person before a browser. Each page met is looked at: accessible, silent in the console, never too wide."""

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from django.urls import resolve
from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from referents.models import User
from tests.cast import PASSWORD
from tests.journeys.server import between_requests
from tests.second_factor import fresh_code

# What the browser says of a page that the application itself refused: not a fault of the page.
OWN_REFUSAL = re.compile(r"Failed to load resource: .* status of (404|409|410|422)")
SERIOUS = ["serious", "critical"]
EXAMINE = """async serious => (await axe.run({resultTypes: ["violations"]})).violations
    .filter(fault => serious.includes(fault.impact))
    .map(({id, impact, help, nodes}) => ({id, impact, help, nodes: nodes.map(({target, html}) => ({target, html}))}))
"""

# The kinds of elements that a page is made of, whatever it says and however often.
KINDS = """() => [...new Set([...document.querySelectorAll("*")].map(
    element => [element.tagName, element.className, ...element.getAttributeNames().sort()].join(" ")
))]"""

_examined: dict[str, set[str]] = defaultdict(set)  # kinds already examined, by view


def named(words: str) -> re.Pattern[str]:
    """The label of a field: these words, then « (obligatoire) » or nothing."""
    literal = re.sub(r"([.*+?^${}()|\[\]\\/])", r"\\\1", words)  # re.escape() also escapes what a browser refuses
    return re.compile(rf"^\s*{literal}(\s*\(obligatoire\))?\s*$")


class Visitor:
    """``page`` remains at hand for what is said nowhere else; ``main`` is the content without menu and foot."""

    def __init__(self, page: Page, site: str, *, looks_closely: bool = True) -> None:
        self.page, self.site, self.looks_closely = page, site, looks_closely
        self.main = page.get_by_role("main")
        self.menu = page.get_by_role("navigation", name="Navigation principale")
        self.rows = page.locator("tbody tr")
        self.timeline = page.locator(".timeline > li")
        self.complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not OWN_REFUSAL.match(message.text):
            self.complaints.append(f"{message.type}: {message.text}")

    # -- from page to page ----------------------------------------------------------------------------------------

    def open(self, path: str, status: int = 200) -> None:
        answer = self.page.goto(self.site + path)
        assert answer is not None
        assert answer.status == status, f"{path} answers {answer.status}"
        self.look()

    @contextmanager
    def arriving(self) -> Iterator[None]:
        """What is done inside leads to another page, which is then looked at."""
        with self.page.expect_navigation():
            yield
        self.look()

    def follow(self, words: str | re.Pattern[str], *, within: Locator | None = None) -> None:
        with self.arriving():
            (within or self.page).get_by_role("link", name=words).first.click()

    def press(self, words: str | re.Pattern[str], *, within: Locator | None = None) -> None:
        """Press a button that sends a form."""
        with self.arriving():
            (within or self.main).get_by_role("button", name=words).click()

    def sign_in(self, person: User) -> None:
        """By the page, with the e-mail, the password and the code of the telephone."""
        self.open("/")
        self.give_password(person)
        self.give_code(person)

    def give_password(self, person: User) -> None:
        self.fill({"Courriel": person.email, "Mot de passe": PASSWORD})
        self.press("Se connecter")

    def give_code(self, person: User, button: str = "Entrer") -> None:
        with between_requests():
            typed = fresh_code(person)
        self.fill({"Code": typed})
        self.press(button)

    # -- forms ----------------------------------------------------------------------------------------------------

    def field(self, words: str, within: Locator | None = None) -> Locator:
        return (within or self.main).get_by_label(named(words))

    def group(self, words: str) -> Locator:
        return self.main.get_by_role("group", name=named(words))

    def fill(self, values: dict[str, Any], within: Locator | None = None) -> None:
        """By label: a text is typed, or chosen when the field is a list; a boolean ticks or unticks."""
        for words, value in values.items():
            field = self.field(words, within)
            if isinstance(value, bool):
                field.set_checked(value)
            elif field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(label=value)
            else:
                field.fill(str(value))

    def choose(self, words: str | re.Pattern[str]) -> None:
        self.main.get_by_role("radio", name=words).check()

    def reach(self, target: Locator, at_most: int = 30) -> None:
        """Press Tab until the keyboard is on this link, button or field."""
        for _ in range(at_most):
            self.page.keyboard.press("Tab")
            if target.evaluate("target => target === document.activeElement"):
                return
        raise AssertionError(f"{target} is not reached with the Tab key")

    # -- what is seen ---------------------------------------------------------------------------------------------

    def reads(self, *sentences: str) -> None:
        for sentence in sentences:
            expect(self.main).to_contain_text(sentence)

    def reads_nowhere(self, *words: str) -> None:
        """Neither on the screen nor in what the browser has received."""
        source = self.page.content()
        assert [word for word in words if word in source] == []

    def look(self) -> None:
        """Fails with a readable list when the page has a fault."""
        faults = [*self.complaints, *self._too_wide(), *self._alarms()]
        if self.looks_closely:
            faults += self._barriers()
        self.complaints.clear()
        assert not faults, "\n".join([f"{self.page.url} « {self.page.title()} »", *faults])

    def _barriers(self) -> list[str]:
        """What bars the way to somebody; a page that brings no new kind of element to its view is not examined."""
        known = _examined[resolve(urlsplit(self.page.url).path).view_name]
        kinds = set(self.page.evaluate(KINDS))
        if kinds <= known:
            return []
        known |= kinds
        self.page.evaluate(Axe().axe_script)
        return [
            f"{fault['impact']} {fault['id']}: {fault['help']}\n    {node['target']} {node['html'][:200]}"
            for fault in self.page.evaluate(EXAMINE, SERIOUS)
            for node in fault["nodes"]
        ]

    def _too_wide(self) -> list[str]:
        wide, shown = self.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        if wide <= shown:
            return []
        culprits = self.page.evaluate(
            """shown => [...document.querySelectorAll("body *")]
                .filter(element => element.getBoundingClientRect().right > shown + 1)
                .slice(0, 5).map(element => element.outerHTML.slice(0, 120))""",
            shown,
        )
        return [f"too wide: {wide} px in a window of {shown} px", *culprits]

    def _alarms(self) -> list[str]:
        """The warning before the session ends has no reason to stand on a page that has just come."""
        shown = self.page.evaluate("document.querySelector('.idle-warning')?.checkVisibility() ?? false")
        return ["the end of the session is announced at once"] if shown else []
