"""Files written into a folder all at once: a reader finds the former ones or the new ones, never half of them."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from pre_cases.statistics.writing.archive import NAMES


class FolderRefused(Exception):
    """The folder cannot receive the files; the message is a French sentence."""


def check_folder(folder: Path) -> None:
    """Refuse, before any computing, a folder that is a file, holds other files, or cannot be written."""
    if folder.exists() and not folder.is_dir():
        raise FolderRefused(f"{folder} est un fichier : indiquez un dossier.")
    try:
        others = sorted(path.name for path in folder.iterdir() if path.name not in NAMES) if folder.exists() else []
        if others:
            raise FolderRefused(f"Le dossier {folder} contient d’autres fichiers : indiquez un dossier vide.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent):
            pass
    except OSError as error:
        raise FolderRefused(f"Impossible d’écrire dans {folder} : {_reason(error)}.") from error


def write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Write beside, then move: an earlier export is replaced as a whole."""
    target = folder.resolve()
    try:
        beside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise FolderRefused(f"Impossible d’écrire dans {folder} : {_reason(error)}.") from error
    new, former = beside / "new", beside / "former"
    try:
        new.mkdir()
        for name, content in files.items():
            (new / name).write_bytes(content)
        if target.exists():
            os.rename(target, former)
        try:
            os.rename(new, target)
        except OSError:
            if former.exists():
                os.rename(former, target)
            raise
    except OSError as error:
        raise FolderRefused(f"Impossible d’écrire dans {folder} : {_reason(error)}.") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _reason(error: OSError) -> str:
    reasons = {
        PermissionError: "l’accès est refusé",
        NotADirectoryError: "son parent n’est pas un dossier",
        FileExistsError: "son parent n’est pas un dossier",
    }
    return reasons.get(type(error), "le disque a refusé l’écriture")
