"""Checkpoints: the size and the root of the whole journal, signed, in a file outside the database.

The form is that of transparency logs (C2SP, tlog-checkpoint and signed-note): origin, number of events, root in base64,
an empty line, and the signature line of an Ed25519 key. Notes follow each other in the file, the last one counts most.
Whoever keeps a copy of one elsewhere can prove that what came before it was rewritten, even by somebody who holds the
signing key.

The first note of the file counts no event: a file that begins later was begun again, by a restoration or by somebody
who took it away, and the page of the journal's integrity says so.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import logging
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from audit import signing
from audit.journal.merkle import EMPTY_ROOT
from audit.journal.sealing import JournalDamaged
from audit.journal.seals import Seal

logger = logging.getLogger(__name__)

ED25519 = b"\x01"  # signed-note's signature type
LAST_BYTES = 64 * 1024  # of the file, where its last note is
NOTE = re.compile(
    r"^(?P<text>(?P<origin>[^\s+]+)\n(?P<size>0|[1-9]\d{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n)\n"
    r"— (?P<name>[^\s+]+) (?P<signature>[A-Za-z0-9+/=]{92})$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Checkpoint:
    """``root`` is that of the first ``size`` events; ``note`` is the whole text, to be kept elsewhere."""

    size: int
    root: bytes
    note: str


def checkpoint_of(seal: Seal) -> Checkpoint:
    """The signed checkpoint of the journal as this seal left it. Raises SigningKeyUnavailable."""
    return _signed(seal.size, bytes(seal.log_root))


def _signed(size: int, root: bytes) -> Checkpoint:
    origin = settings.JOURNAL_ORIGIN
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    public = signing.public_keys()[signing.key_id()]
    signature = base64.b64encode(_key_hash(origin, public) + signing.sign_text(text.encode())).decode()
    return Checkpoint(size, root, f"{text}\n— {origin} {signature}\n")


def read_checkpoints(content: str) -> list[Checkpoint]:
    """The checkpoints of a text, in their order, each with its signature verified.

    What is no note is passed over (a note cut by a kill). Raises UnknownKey or BadSignature.
    """
    return [_read(note) for note in NOTE.finditer(content)]


def last_checkpoint() -> Checkpoint | None:
    """The last one of the installation's own file; None when there is none. Raises UnknownKey or BadSignature."""
    with suppress(FileNotFoundError), _path().open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - LAST_BYTES))
        notes = list(NOTE.finditer(file.read().decode(errors="replace")))
        return _read(notes[-1]) if notes else None
    return None


def first_size() -> int:
    """How many events the first note of the file counts: 0, unless the file was begun again; 0 when there is none."""
    with suppress(FileNotFoundError), _path().open("rb") as file:
        first = NOTE.search(file.read(LAST_BYTES).decode(errors="replace"))
        return int(first["size"]) if first else 0
    return 0


def export_checkpoint() -> Checkpoint | None:
    """Append the checkpoint of the last seal to the file, unless it is there; None when there was nothing to add.

    Before the first seal, that of the empty journal: from then on, a file without a note was taken away, and the one
    that is begun in its place shows it. Raises JournalDamaged when the seals do not continue what the file says.
    """
    seal = Seal.objects.defer("index").order_by("-number").first()
    descriptor = os.open(_path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        last = require_continued()
        if last is not None and (seal is None or last.size >= seal.size):
            return None
        if last is None and seal is not None:
            logger.critical("The checkpoints are begun again at %s events: %s held none.", seal.size, _path())
        checkpoint = checkpoint_of(seal) if seal is not None else _signed(0, EMPTY_ROOT)
        apart = "\n" if os.fstat(descriptor).st_size else ""  # also from a note cut by a kill
        os.write(descriptor, f"{apart}{checkpoint.note}".encode())
        os.fsync(descriptor)
        return checkpoint
    finally:
        os.close(descriptor)


def require_continued() -> Checkpoint | None:
    """The last checkpoint of the file, which the seals continue; raises JournalDamaged when they do not.

    Asked before sealing too: events whose seals were taken away are not sealed again as they have become.
    """
    last = last_checkpoint()
    if last is not None and not is_continued(last):
        raise JournalDamaged(f"The seals do not continue {_path()}, whose last checkpoint counts {last.size}.")
    return last


def is_continued(checkpoint: Checkpoint) -> bool:
    """Whether a seal ended where the checkpoint stands, with the same root: what follows it is its continuation."""
    if checkpoint.size == 0:
        return checkpoint.root == EMPTY_ROOT
    roots = Seal.objects.filter(size=checkpoint.size).values_list("log_root", flat=True)
    return [bytes(root) for root in roots] == [checkpoint.root]


def _read(note: re.Match[str]) -> Checkpoint:
    signature = base64.b64decode(note["signature"])
    text = note["text"].encode()
    for key_id, public in signing.public_keys().items():
        if _key_hash(note["name"], public) == signature[:4]:
            signing.verify_text(text, signature[4:], key_id=key_id)
            return Checkpoint(int(note["size"]), base64.b64decode(note["root"]), f"{note[0]}\n")
    raise signing.UnknownKey(signature[:4].hex())


def _key_hash(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


def _path() -> Path:
    return Path(settings.JOURNAL_CHECKPOINTS)
