"""The look at each page sees what it should: a journey over a faulty page cannot pass."""

import pytest

from tests.journeys.conftest import Visit

pytestmark = pytest.mark.browser

FAULTY = """
<img src="/static/marelle/logo.svg">
<p style="color: red">Écrit en rouge</p>
<p class="text-nowrap">%s</p>
"""


class TestLook:
    def test_given_a_faulty_page_when_it_is_looked_at_then_every_fault_is_told(self, visit: Visit) -> None:
        visitor = visit()
        visitor.open("/connexion/")
        visitor.main.evaluate("(main, faulty) => { main.innerHTML += faulty }", FAULTY % ("x" * 999))
        with pytest.raises(AssertionError) as told:
            visitor.look()
        for fault in ("critical image-alt", "Content Security Policy", "too wide"):
            assert fault in str(told.value)
