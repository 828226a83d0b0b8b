import base64
import hashlib
import random
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.test import override_settings

from audit import signing
from audit.journal import checkpoint, sealing
from audit.journal.seals import Seal
from audit.journal.verify import verify_journal
from tests.audit.journal import tampering

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(settings, tmp_path: Path):
    settings.JOURNAL_CHECKPOINTS = str(tmp_path / "checkpoints")
    settings.JOURNAL_ORIGIN = "marelle.example/journal"
    with tampering.everything_is_committed():
        yield tmp_path / "checkpoints"


def more(number: int) -> None:
    tampering.write_events(5, random.Random(number), first_transaction=1_000 * number)
    sealing.seal_committed()


class TestExportCheckpoint:
    def test_writes_the_form_of_transparency_logs(self, path: Path):
        more(1)
        checkpoint.export_checkpoint()
        text, _, signatures = path.read_text(encoding="utf-8").partition("\n\n")
        origin, size, root = text.split("\n")
        assert (origin, size) == ("marelle.example/journal", "5")
        assert base64.b64decode(root) == bytes(Seal.objects.get().log_root)
        dash, name, blob = signatures.strip().split(" ")
        assert (dash, name) == ("—", origin)
        public = signing.public_keys()[signing.key_id()]
        decoded = base64.b64decode(blob)
        assert decoded[:4] == hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
        Ed25519PublicKey.from_public_bytes(public).verify(decoded[4:], f"{text}\n".encode())

    def test_appends_and_never_writes_the_same_twice(self, path: Path):
        for number in (1, 2, 3):
            more(number)
            before = path.read_bytes() if path.exists() else b""
            assert checkpoint.export_checkpoint() is not None
            assert path.read_bytes().startswith(before)
            assert checkpoint.export_checkpoint() is None
        found = checkpoint.read_checkpoints(path.read_text(encoding="utf-8"))
        assert [one.size for one in found] == [5, 10, 15]
        assert checkpoint.last_checkpoint() == found[-1]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_begins_with_the_empty_journal(self, path: Path):
        first = checkpoint.export_checkpoint()
        assert first is not None
        assert (first.size, first.root) == (0, hashlib.sha256(b"").digest())
        assert checkpoint.export_checkpoint() is None
        assert checkpoint.last_checkpoint() == first
        assert verify_journal().is_sound
        more(1)
        checkpoint.export_checkpoint()
        assert checkpoint.first_size() == 0
        assert verify_journal([first]).is_sound

    def test_shows_that_the_file_was_taken_away(self, path: Path, caplog: pytest.LogCaptureFixture):
        for number in (1, 2):
            checkpoint.export_checkpoint()
            more(number)
        path.unlink()
        assert checkpoint.first_size() == 0
        checkpoint.export_checkpoint()
        assert checkpoint.first_size() == 10
        assert "begun again at 10 events" in caplog.text

    def test_refuses_to_continue_another_journal(self, path: Path):
        more(1)
        checkpoint.export_checkpoint()
        with tampering.attacked():
            tampering.rewrite(random.Random(1), path.parent)
            more(2)
            before = path.read_bytes()
            with pytest.raises(sealing.JournalDamaged, match="do not continue"):
                checkpoint.export_checkpoint()
            assert path.read_bytes() == before

    def test_goes_on_after_a_note_cut_by_a_kill(self, path: Path):
        more(1)
        checkpoint.export_checkpoint()
        with path.open("a", encoding="utf-8") as file:
            file.write("marelle.example/journal\n7\nAAAA")
        more(2)
        checkpoint.export_checkpoint()
        assert [one.size for one in checkpoint.read_checkpoints(path.read_text(encoding="utf-8"))] == [5, 10]


class TestReadCheckpoints:
    def test_refuses_what_was_changed(self, path: Path):
        more(1)
        note = checkpoint.checkpoint_of(Seal.objects.get()).note
        with pytest.raises(signing.BadSignature):
            checkpoint.read_checkpoints(note.replace("\n5\n", "\n6\n"))

    def test_refuses_another_signer(self, path: Path, tmp_path: Path):
        more(1)
        signing.create_signing_key_file(tmp_path / "theirs")
        with override_settings(SIGNING_KEY=f"file:{tmp_path / 'theirs'}"):
            note = checkpoint.checkpoint_of(Seal.objects.get()).note
        with pytest.raises(signing.UnknownKey):
            checkpoint.read_checkpoints(note)

    @pytest.mark.parametrize("text", ["", "a/b\n5\n", "rien", "a/b\n-1\nAAAA\n\n— a/b AAAA\n"])
    def test_finds_none_in_another_text(self, path: Path, text: str):
        assert checkpoint.read_checkpoints(text) == []


class TestSince:
    def test_catches_somebody_who_rewrote_everything_with_the_key(self, path: Path):
        """Events, seals and the installation's own file: only a checkpoint kept elsewhere remembers."""
        more(1)
        kept = checkpoint.export_checkpoint()
        assert kept is not None
        more(2)
        with tampering.attacked():
            tampering.rewrite(random.Random(2), path.parent)
            path.unlink()
            checkpoint.export_checkpoint()
            assert verify_journal().is_sound
            assert verify_journal([kept]).fault == "rewritten"

    def test_is_continued_by_what_was_sealed_afterwards(self, path: Path):
        more(1)
        kept = checkpoint.export_checkpoint()
        more(2)
        assert kept is not None
        assert verify_journal([kept]).is_sound

    def test_says_that_the_end_is_missing(self, path: Path):
        more(1)
        more(2)
        kept = checkpoint.export_checkpoint()
        assert kept is not None
        with tampering.attacked():
            tampering.run(f"DELETE FROM {tampering.SEAL} WHERE number = 2")
            path.unlink()
            assert verify_journal([kept]).fault == "truncated"
