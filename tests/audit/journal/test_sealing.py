import random
import threading
import time
from datetime import date
from pathlib import Path
from unittest import mock

import pytest
from django.db import connection, connections, transaction
from django.test import override_settings
from django.utils import timezone

from audit import signing
from audit.journal import log, sealing
from audit.journal.models import Event
from audit.journal.record import record_event
from audit.journal.seals import NO_SEAL, Seal, entries_of
from audit.journal.verify import verify_journal
from tests.at_once import separate_connections
from tests.audit.journal import tampering

pytestmark = pytest.mark.django_db
postgresql_only = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL")
PATIENCE = 120  # seconds; other databases of the same server may hold the horizon back


@pytest.fixture
def committed():
    with tampering.everything_is_committed():
        yield


def events(count: int, **options) -> None:
    tampering.write_events(count, random.Random(count), **options)


@pytest.mark.usefixtures("committed")
class TestSealCommitted:
    def test_seals_nothing_when_there_is_nothing(self):
        assert sealing.seal_committed() == 0
        assert not Seal.objects.exists()

    def test_seals_every_event_once_in_the_order_of_the_log(self):
        events(50)
        with mock.patch.object(sealing, "BATCH", 7):
            made = sealing.seal_committed()
        assert made == Seal.objects.count() > 7
        assert tampering.in_order_of_seals() == tampering.in_order()
        assert sealing.seal_committed() == 0

    def test_chains_each_seal_to_the_one_before(self):
        events(20)
        with mock.patch.object(sealing, "BATCH", 6):
            sealing.seal_committed()
        previous, size = NO_SEAL, 0
        for number, seal in enumerate(Seal.objects.order_by("number"), 1):
            size += seal.count
            assert (seal.number, bytes(seal.previous), seal.size) == (number, previous, size)
            seal.verify()
            previous = seal.hash

    def test_never_mixes_two_months_of_paris(self):
        events(200)
        sealing.seal_committed()
        assert list(Seal.objects.order_by("number").values_list("month", flat=True)) == [
            date(2026, 3, 1),
            date(2026, 4, 1),
        ]
        for seal in Seal.objects.all():
            ids = [entry.id for entry in entries_of(bytes(seal.index))]
            instants = Event.objects.filter(pk__in=ids).values_list("at", flat=True)
            assert {timezone.localtime(at).month for at in instants} == {seal.month.month}
            assert len(ids) == seal.count

    def test_is_signed_by_the_present_key(self):
        events(3)
        sealing.seal_committed()
        assert Seal.objects.get().key_id == signing.key_id()

    def test_leaves_events_waiting_while_the_key_is_away(self):
        events(3)
        with override_settings(SIGNING_KEY="env:NOT_SET_ANYWHERE"), pytest.raises(signing.SigningKeyUnavailable):
            sealing.seal_committed()
        assert sealing.seal_committed() == 1
        assert verify_journal().is_sound

    def test_continues_after_the_key_was_changed(self, tmp_path: Path):
        signing.create_signing_key_file(tmp_path / "key")
        with override_settings(SIGNING_KEY=f"file:{tmp_path / 'key'}"):
            for number in range(3):
                events(5, first_transaction=1_000 * (number + 1))
                sealing.seal_committed()
                signing.rotate_signing_key()
            assert len(set(Seal.objects.values_list("key_id", flat=True))) == 3
            assert verify_journal().is_sound

    @pytest.mark.parametrize("column", ["root", "log_root", "edge", "count", "signature"])
    def test_never_continues_a_seal_that_was_forged(self, column: str):
        """Otherwise our next signature would vouch for it."""
        events(5)
        sealing.seal_committed()
        events(5, first_transaction=1_000)
        with tampering.attacked():
            seal = Seal.objects.get()
            Seal.objects.update(**{column: tampering.FORGED[column](seal)})
            with pytest.raises(sealing.JournalDamaged, match="Seal 1"):
                sealing.seal_committed()
            assert Seal.objects.count() == 1

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite finds its place by the last event")
    def test_stops_when_the_last_sealed_event_has_gone(self):
        events(5)
        sealing.seal_committed()
        with tampering.attacked():
            tampering.run(f"DELETE FROM {tampering.EVENT} WHERE id = %s", tampering.in_order()[-1].hex)
            with pytest.raises(sealing.JournalDamaged, match="no longer in the journal"):
                sealing.seal_committed()


class TestSeals:
    def test_are_append_only_too(self):
        with tampering.everything_is_committed():
            events(3)
            sealing.seal_committed()
        for change in (lambda: Seal.objects.update(count=1), lambda: Seal.objects.all().delete()):
            with pytest.raises(Exception, match="audit_seal is append-only"), transaction.atomic():
                change()


@pytest.mark.django_db(transaction=True)
class TestHorizon:
    @postgresql_only
    def test_waits_for_a_transaction_that_is_still_running(self):
        """A late commit takes its place; an event that came after it waits with it."""
        written, go_on = threading.Event(), threading.Event()

        def work_for_long() -> None:
            with transaction.atomic():
                record_event("read", detail={"late": 1})
                written.set()
                go_on.wait(PATIENCE)
            connections.close_all()

        slow = threading.Thread(target=work_for_long)
        slow.start()
        try:
            assert written.wait(PATIENCE)
            record_event("read", detail={"late": 0})
            assert sealing.seal_committed() == 0
        finally:
            go_on.set()
            slow.join()
        seal_until(2)
        assert [Event.objects.get(pk=pk).detail["late"] for pk in tampering.in_order_of_seals()] == [1, 0]

    def test_never_skips_an_event_of_sixteen_writers(self, tmp_path: Path):
        """Transactions of all lengths, some rolled back, and two sealers at once; SQLite's writers wait in turn."""
        stop = threading.Event()
        acknowledged: list[int] = []
        failures: list[BaseException] = []

        def write(seed: int) -> None:
            chance = random.Random(seed)
            try:
                for _ in range(12):
                    try:
                        with transaction.atomic():
                            made = [record_event("read").pk for _ in range(chance.randrange(1, 4))]
                            time.sleep(chance.random() * 0.02 if chance.random() < 0.8 else 0.2)
                            if chance.random() < 0.2:
                                raise ZeroDivisionError
                    except ZeroDivisionError:
                        continue
                    acknowledged.extend(made)
            except BaseException as error:  # noqa: BLE001 - shown by the test
                failures.append(error)
            finally:
                connections.close_all()

        def seal() -> None:
            try:
                while not stop.is_set():
                    sealing.seal_committed()
                    time.sleep(0.005)
            except BaseException as error:  # noqa: BLE001 - shown by the test
                failures.append(error)
            finally:
                connections.close_all()

        def finish() -> None:
            try:
                seal_until(len(acknowledged))
                sealed = tampering.in_order_of_seals()
                assert len(sealed) == len(set(sealed))
                assert set(sealed) == set(acknowledged) == set(Event.objects.values_list("pk", flat=True))
                assert verify_journal().is_sound
            except BaseException as error:  # noqa: BLE001 - shown by the test
                failures.append(error)
            finally:
                connections.close_all()

        with separate_connections(tmp_path), override_settings(JOURNAL_CHECKPOINTS=str(tmp_path / "checkpoints")):
            sealers = [threading.Thread(target=seal) for _ in range(2)]
            writers = [threading.Thread(target=write, args=(seed,)) for seed in range(16)]
            for thread in (*sealers, *writers):
                thread.start()
            for thread in writers:
                thread.join()
            stop.set()
            for thread in sealers:
                thread.join()
            last = threading.Thread(target=finish)
            last.start()
            last.join()
        assert not failures, failures
        assert len(acknowledged) > 100


def seal_until(count: int) -> None:
    """Seal until so many events are."""
    end = time.monotonic() + PATIENCE
    while len(tampering.in_order_of_seals()) < count and time.monotonic() < end:
        sealing.seal_committed()
        time.sleep(0.05)
    assert len(tampering.in_order_of_seals()) == count


@postgresql_only
class TestContinueNumbers:
    """A dump restored on a younger server: its own transactions have lower numbers than those of the events."""

    def test_lets_the_log_go_on_after_the_restored_events(self, committed):
        events(3, first_transaction=10**15)
        sealing.seal_committed()
        log.continue_numbers()
        fresh = record_event("restore")
        assert fresh.transaction_id > Event.objects.exclude(pk=fresh.pk).latest("transaction_id").transaction_id
        sealing.seal_committed()
        assert tampering.in_order_of_seals()[-1] == fresh.pk

    def test_lifts_the_horizon_as_much(self):
        events(3, first_transaction=10**15)
        log.continue_numbers()
        fresh = record_event("restore")  # of this very transaction, which is still running
        below = log.horizon()
        assert below is not None
        assert 10**15 - 10**9 < below <= fresh.transaction_id  # other databases may hold it back

    def test_changes_nothing_when_numbers_go_on_by_themselves(self):
        events(3)
        log.continue_numbers()
        log.continue_numbers()
        assert record_event("restore").transaction_id < 10**15


class TestContents:
    def test_differ_as_soon_as_one_column_does(self, committed):
        """NULL, empty and zero are three things; what one column ends with never begins the next."""
        events(1)
        event = Event.objects.get()
        nothing: dict[str, object] = {"role": "", "kind": "", "data_kind": "", "purpose": "", "team_id": None}
        found = set()
        for change in (
            {},
            {"role": "a"},
            {"kind": "a"},
            {"role": "ab"},
            {"role": "a", "kind": "b"},
            {"data_kind": "a"},
            {"purpose": "a"},
            {"team_id": 0},
            {"team_id": 1},
        ):
            with tampering.attacked():
                Event.objects.filter(pk=event.pk).update(**nothing | change)
                found.add(log.content_of(event.pk))
        assert len(found) == 9
        assert log.content_of(event.pk) == next(next(iter(log.contents())))
