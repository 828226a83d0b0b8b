import io
import json
import os
import random
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from audit import signing, tasks
from audit.journal.checkpoint import last_checkpoint
from audit.journal.integrity import Verification
from audit.journal.models import Event
from tests.audit.journal import tampering

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def journal(settings, tmp_path: Path):
    settings.JOURNAL_CHECKPOINTS = str(tmp_path / "checkpoints")
    with tampering.everything_is_committed():
        tampering.write_events(12, random.Random(12))
        tasks.seal_journal()
        yield


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A copy of the last checkpoint, kept elsewhere."""
    checkpoint = last_checkpoint()
    assert checkpoint is not None
    path = tmp_path / "elsewhere"
    path.write_text(checkpoint.note, encoding="utf-8")
    return path


def verify(*options: str) -> str:
    said = io.StringIO()
    call_command("verify_journal", *options, stdout=said)
    return said.getvalue()


def refused(*options: str) -> str:
    said = io.StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("verify_journal", *options, stdout=said)
    assert end.value.code == 1
    return said.getvalue()


class TestVerifyJournal:
    def test_says_that_all_is_as_sealed_and_keeps_it(self):
        assert "Journal intact : 12 événements lus" in verify()
        assert Verification.objects.get().is_sound

    def test_names_the_first_bad_event_and_exits_with_1(self):
        with tampering.attacked():
            expected = tampering.alter(random.Random(1), Path())
            assert f"Événement modifié : événement {expected.events[0]}" in refused()
            found = json.loads(refused("--json"))
            assert (found["sound"], found["fault"], found["event"]) == (False, "altered", str(expected.events[0]))

    def test_gives_json(self):
        found = json.loads(verify("--json"))
        assert (found["sound"], found["fault"], found["events"], found["checkpoint"]) == (True, "", 12, 12)

    def test_compares_a_checkpoint_kept_elsewhere(self, kept: Path, settings):
        assert "intact" in verify("--since", str(kept))
        with tampering.attacked():
            tampering.rewrite(random.Random(1), kept.parent)
            Path(settings.JOURNAL_CHECKPOINTS).unlink()
            assert "Aucun point de contrôle" in verify()
            assert "réécrit" in refused("--since", str(kept))

    def test_says_that_the_key_is_missing(self, kept: Path, tmp_path: Path):
        signing.create_signing_key_file(tmp_path / "other")
        with override_settings(SIGNING_KEY=f"file:{tmp_path / 'other'}"):
            assert "Clé de signature absente ou inconnue : sceau 1" in refused()
        with override_settings(SIGNING_KEY="env:NOT_SET_ANYWHERE"):
            assert "Clé de signature absente ou inconnue" in refused()
            with pytest.raises(CommandError, match="NOT_SET_ANYWHERE is not set"):
                verify("--since", str(kept))

    def test_refuses_a_checkpoint_that_is_none(self, kept: Path, tmp_path: Path):
        text = kept.read_text(encoding="utf-8")
        for content, sentence in (
            ("rien", "aucun point de contrôle"),
            (text.replace("\n12\n", "\n13\n"), "signature"),
        ):
            kept.write_text(content, encoding="utf-8")
            with pytest.raises(CommandError, match=sentence):
                verify("--since", str(kept))
        with pytest.raises(CommandError, match="ne se lit pas"):
            verify("--since", str(tmp_path / "absent"))
        kept.write_text(text, encoding="utf-8")
        signing.create_signing_key_file(tmp_path / "other")
        with override_settings(SIGNING_KEY=f"file:{tmp_path / 'other'}"), pytest.raises(CommandError, match="inconnue"):
            verify("--since", str(kept))


class TestRotateSigningKey:
    def test_leaves_the_journal_verified_and_an_event(self, tmp_path: Path):
        path = tmp_path / "key"
        path.write_text(os.environ["MARELLE_TEST_SIGNING_KEY"], encoding="ascii")
        path.chmod(0o600)
        said = io.StringIO()
        with override_settings(SIGNING_KEY=f"file:{path}"):
            call_command("rotate_signing_key", stdout=said)
            assert signing.key_id() in said.getvalue()
            event = Event.objects.get(action="key_use")
            assert (event.record_ids, event.detail) == ([signing.key_id()], {"what": "signing_key_changed"})
            tasks.seal_journal()
            assert "Journal intact" in verify()

    def test_is_refused_where_marelle_does_not_write_the_key(self):
        with pytest.raises(CommandError, match="not written by Marelle"):
            call_command("rotate_signing_key")
