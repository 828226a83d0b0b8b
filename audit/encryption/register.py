"""The register of destroyed keys: a file beside the databases, which outlives both.

One line a key: its id and the day. It holds nothing else, and may be copied anywhere. Whatever backups are put back,
the keys written here are destroyed again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import timezone


def note_destruction(key_ids: Iterable[UUID]) -> None:
    """Append these keys, on the disk before this returns: a key is written here before it is destroyed."""
    lines = "".join(f"{key_id} {timezone.localdate()}\n" for key_id in key_ids)
    if not lines:
        return
    descriptor = os.open(_path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, lines.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def noted_destructions() -> set[UUID]:
    """Every key ever written here; a line cut by a kill is passed over."""
    found = set()
    with suppress(FileNotFoundError):
        for line in _path().read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                found.add(UUID(line.partition(" ")[0]))
    return found


def _path() -> Path:
    return Path(settings.DESTROYED_KEYS_REGISTER)
