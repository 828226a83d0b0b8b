"""The example instances beside the project, where they are: 24 of the tiny ones and the two smallest cities.

``make bench-disclosure`` runs them all.
"""

from pathlib import Path

import pytest

from audit.disclosure.check import broken_goals
from audit.disclosure.protection import protect
from audit.disclosure.reading import read_instance

EXAMPLES = Path(__file__).resolve().parents[4] / "shared" / "data" / "disclosure"
CHOSEN = [
    *sorted(EXAMPLES.glob("tiny/*.json"))[::8],
    *sorted(EXAMPLES.glob("tiny_odd/*.json")),
    *sorted(EXAMPLES.glob("synthetic/s09*.json")),
    *sorted(EXAMPLES.glob("synthetic/s10*.json")),
]


@pytest.mark.skipif(not CHOSEN, reason=f"no example instances in {EXAMPLES.name} beside the project")
class TestExamples:
    @pytest.mark.parametrize("path", CHOSEN, ids=lambda path: path.stem)
    def test_is_protected_at_the_least_loss(self, path: Path) -> None:
        instance = read_instance(path)
        protection = protect(instance, seed=1)
        assert broken_goals(instance, protection.suppressed, protection.proof) == []
        assert protection.is_optimal
        assert bool(protection.suppressed) == bool(instance.to_protect())
