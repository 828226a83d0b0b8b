"""Twenty attacks of each class at random places; « make campaign-journal » makes two hundred, on larger journals."""

import gc
import random
from pathlib import Path

import pytest
from django.db import connection

from audit.journal.diagnosis import Fault
from audit.journal.seals import Seal
from audit.journal.verify import verify_journal
from tests.audit.journal import tampering

pytestmark = pytest.mark.django_db
ATTACKS = 20


@pytest.fixture
def rng() -> random.Random:
    return random.Random(20260330)


@pytest.fixture
def journal(settings, tmp_path: Path, rng: random.Random):
    """Two hundred sealed events of two months, under some twenty seals."""
    settings.JOURNAL_CHECKPOINTS = str(tmp_path / "checkpoints")
    with tampering.everything_is_committed():
        tampering.write_events(200, rng)
        tampering.seal_in_batches(rng)
        yield


@pytest.mark.usefixtures("journal")
class TestVerifyJournal:
    def test_finds_nothing_in_a_sound_journal(self):
        report = verify_journal()
        assert (report.fault, report.events, report.unsealed, report.checkpoint) == ("", 200, 0, 200)
        assert report.seals == Seal.objects.count() > 10

    @pytest.mark.parametrize("fault", tampering.CLASSES)
    def test_names_what_was_done(self, fault: Fault, rng: random.Random, tmp_path: Path):
        for _ in range(ATTACKS):
            expected, report = tampering.tampered(tampering.CLASSES[fault], rng, tmp_path)
            assert expected.fault == fault
            assert expected.describes(report), (expected, report)
        assert verify_journal().is_sound

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite takes any value in any column")
    @pytest.mark.parametrize("value", ["x'00'", "role || char(0)", "role || char(0) || 'a'", "1.5", "x'ff'"])
    def test_names_a_value_that_no_event_holds(self, value: str):
        event = tampering.in_order()[60]
        with tampering.attacked():
            tampering.run(f"UPDATE {tampering.EVENT} SET role = {value} WHERE id = %s", event.hex)
            report = verify_journal()
        assert (report.fault, report.event) == ("altered", event)

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite takes any value in any column")
    def test_says_that_an_event_not_sealed_yet_holds_such_a_value(self, rng: random.Random):
        tampering.write_events(1, rng, first_transaction=10_000)
        with tampering.attacked():
            tampering.run(f"UPDATE {tampering.EVENT} SET role = x'00' WHERE id = %s", tampering.in_order()[-1].hex)
            report = verify_journal()
        assert (report.fault, report.event, report.seal) == ("altered", None, None)

    def test_leaves_the_connection_as_it_was(self, rng: random.Random, tmp_path: Path):
        """A fault met half-way leaves no reading behind it."""
        for _ in range(5):
            with tampering.attacked():
                tampering.alter(rng, tmp_path)
                verify_journal()
            gc.collect()
            assert len(tampering.in_order()) == 200

    def test_counts_what_is_not_sealed_yet(self, rng: random.Random):
        tampering.write_events(7, rng, first_transaction=10_000)
        report = verify_journal()
        assert (report.fault, report.events, report.unsealed) == ("", 207, 7)
