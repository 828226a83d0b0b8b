import logging
import random
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.test import override_settings

from audit import tasks
from audit.journal import integrity, sealing
from audit.journal.checkpoint import last_checkpoint
from audit.journal.seals import Seal
from audit.signing import create_signing_key_file
from config.celery import app
from tests.audit.journal import tampering

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def journal(settings, tmp_path: Path):
    settings.JOURNAL_CHECKPOINTS = str(tmp_path / "checkpoints")
    with tampering.everything_is_committed():
        tampering.write_events(12, random.Random(12))
        yield


class TestIntegrity:
    def test_begins_with_nothing_verified(self):
        state = integrity.integrity()
        assert (state.verification, state.last_seal, state.checkpoint, state.sealed_at) == (None, None, None, None)
        assert (state.unsealed, state.is_checkpoint_ours, state.months_left) == (12, True, [])

    def test_shows_the_last_of_each(self):
        tasks.seal_journal()
        tampering.write_events(3, random.Random(3), first_transaction=1_000)
        integrity.verify_and_keep()
        state = integrity.integrity()
        assert state.verification is not None
        assert state.verification.is_sound
        assert state.verification.sentence.startswith("Journal intact : 15 événements lus")
        assert state.last_seal == Seal.objects.order_by("number").last()
        assert state.checkpoint == last_checkpoint()
        assert state.unsealed == 3
        assert state.begun_again_at == 0

    def test_says_that_the_checkpoints_were_begun_again(self, settings):
        tasks.seal_journal()
        Path(settings.JOURNAL_CHECKPOINTS).unlink()
        tampering.write_events(3, random.Random(3), first_transaction=1_000)
        tasks.seal_journal()
        assert integrity.integrity().begun_again_at == 15

    def test_says_when_the_checkpoint_is_not_ours(self, tmp_path: Path):
        tasks.seal_journal()
        create_signing_key_file(tmp_path / "key")
        with override_settings(SIGNING_KEY=f"file:{tmp_path / 'key'}"):
            state = integrity.integrity()
        assert (state.checkpoint, state.is_checkpoint_ours) == (None, False)

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite finds its place by the last event")
    def test_does_not_count_from_an_event_that_has_gone(self):
        sealing.seal_committed()
        with tampering.attacked():
            tampering.run(f"DELETE FROM {tampering.EVENT} WHERE id = %s", tampering.in_order()[-1].hex)
            assert integrity.count_unsealed() is None


class TestVerifyAndKeep:
    def test_keeps_what_it_finds_and_says_it_aloud(self, caplog: pytest.LogCaptureFixture):
        tasks.seal_journal()
        with tampering.attacked():
            expected = tampering.alter(random.Random(1), Path())
            with caplog.at_level(logging.CRITICAL):
                assert tasks.verify_journal() == "altered"
            kept = integrity.last_verification()
            assert kept is not None
            assert (kept.fault, kept.event_id, kept.is_sound) == ("altered", expected.events[0], False)
            assert kept.sentence.startswith(f"Événement modifié : événement {expected.events[0]}, sceau ")
        assert "altered" in caplog.text

    def test_shows_the_last_one(self):
        for day in (1, 2):
            with time_machine.travel(f"2026-05-0{day} 04:20:00+02:00", tick=False):
                integrity.verify_and_keep()
        found = integrity.last_verification()
        assert found is not None
        assert found.at.day == 2


class TestTasks:
    def test_seal_and_write_the_checkpoint(self):
        assert tasks.seal_journal() == Seal.objects.count() > 0
        checkpoint = last_checkpoint()
        assert checkpoint is not None
        assert checkpoint.size == 12
        assert tasks.seal_journal() == 0

    def test_wait_and_say_so_while_the_key_is_away(self, caplog: pytest.LogCaptureFixture):
        with override_settings(SIGNING_KEY="env:NOT_SET_ANYWHERE"):
            assert tasks.seal_journal() == 0
        assert "NOT_SET_ANYWHERE is not set" in caplog.text
        assert not Seal.objects.exists()

    @pytest.mark.parametrize("kept", [0, 1])
    def test_never_seal_again_what_was_changed_after_its_seal_was_taken_away(
        self, kept: int, caplog: pytest.LogCaptureFixture
    ):
        for number in (1, 2):
            tampering.write_events(3, random.Random(number), first_transaction=1_000 * number)
            tasks.seal_journal()
        with tampering.attacked():
            tampering.run(f"DELETE FROM {tampering.SEAL} WHERE number > %s", kept)
            tampering.run(f"UPDATE {tampering.EVENT} SET actor_id = 1")
            assert tasks.seal_journal() == 0
            assert Seal.objects.count() == kept
            assert tasks.verify_journal() in ("altered", "truncated")
        assert "do not continue" in caplog.text

    def test_write_the_checkpoint_that_a_full_disk_refused(self, settings, tmp_path: Path):
        path = settings.JOURNAL_CHECKPOINTS
        settings.JOURNAL_CHECKPOINTS = str(tmp_path / "absent" / "checkpoints")
        assert tasks.seal_journal() == 0
        assert not Seal.objects.exists()  # a journal begins with its checkpoint
        settings.JOURNAL_CHECKPOINTS = path
        assert tasks.seal_journal() == Seal.objects.count() > 0
        tampering.write_events(3, random.Random(3), first_transaction=1_000)
        settings.JOURNAL_CHECKPOINTS = str(tmp_path / "absent" / "checkpoints")
        assert tasks.seal_journal() == 0
        assert Seal.objects.order_by("number").last().size == 15  # what follows is sealed all the same
        settings.JOURNAL_CHECKPOINTS = path
        assert tasks.seal_journal() == 0
        checkpoint = last_checkpoint()
        assert checkpoint is not None
        assert checkpoint.size == 15

    def test_stand_in_the_timetable(self):
        schedule = {entry["task"] for entry in app.conf.beat_schedule.values()}
        assert {tasks.seal_journal.name, tasks.verify_journal.name} <= schedule
