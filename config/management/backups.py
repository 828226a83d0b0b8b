"""Backups: data and keystore apart, on both engines; restoring never brings back what was erased.

A backup is one tar archive, readable by its owner only: ``manifest.json`` (what it is, when, the SHA-256 of each part),
the database in the form of its own engine, and for the data the encrypted files.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess  # nosec B404 - the engine's own programs, without a shell
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

FORMAT = "marelle-backup-1"
DATA, KEYS = "data", "keys"
ALIAS = {DATA: "default", KEYS: "keys"}
DATABASE_PART = "database"
FILES_PART = "files/"
PART = 1024 * 1024


class BackupRefused(Exception):
    """Nothing was written; the message says what to do, in French."""


@dataclass(frozen=True)
class Manifest:
    """What an archive holds: the kind, the engine, the latest migrations and the digest of each part."""

    format: str
    kind: str
    engine: str
    made_at: str
    migrations: dict[str, str]
    digests: dict[str, str]


# -- making one ---------------------------------------------------------------------------------------------------


def back_up(kind: str, target: Path) -> Manifest:
    """Write one archive, on the disk before it has its name; raises BackupRefused rather than replace a file.

    The database goes first, then the files: one added meanwhile is an orphan of the archive, one taken away meanwhile
    is missing with its row marked so by the live data only.
    """
    if target.exists():
        raise BackupRefused(f"{target} existe déjà : une sauvegarde n’en remplace jamais une autre.")
    if not target.parent.is_dir():
        raise BackupRefused(f"Le dossier {target.parent} n’existe pas.")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".marelle-") as folder:
        dump = Path(folder) / DATABASE_PART
        _dump(ALIAS[kind], dump)
        parts = {DATABASE_PART: dump} | (_files() if kind == DATA else {})
        manifest = Manifest(
            FORMAT,
            kind,
            connections[ALIAS[kind]].vendor,
            timezone.now().isoformat(timespec="seconds"),
            _latest_migrations(ALIAS[kind]),
            {},
        )
        aside = Path(folder) / "archive"
        with aside.open("xb") as file:
            os.fchmod(file.fileno(), 0o600)
            _write_archive(file, manifest, parts)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(target)
    return read_manifest(target)


def _write_archive(file: Any, manifest: Manifest, parts: dict[str, Path]) -> None:
    """The parts, each read once, then the manifest with their digests, which so comes last."""
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, path in parts.items():
            try:
                source = path.open("rb")
            except FileNotFoundError:
                continue  # a document taken away since the list was made
            with source:
                info = tarfile.TarInfo(name)
                info.size, info.mode = os.fstat(source.fileno()).st_size, 0o600
                digest = _Reading(source)
                archive.addfile(info, digest)
                manifest.digests[name] = digest.hexdigest()
        content = json.dumps(asdict(manifest), indent=2, sort_keys=True).encode()
        info = tarfile.TarInfo("manifest.json")
        info.size, info.mode = len(content), 0o600
        archive.addfile(info, io.BytesIO(content))


class _Reading:
    """Reads through, and remembers the SHA-256 of what was read."""

    def __init__(self, file: Any) -> None:
        self._file, self._hash = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._file.read(size)
        self._hash.update(data)
        return data

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def _files() -> dict[str, Path]:
    root = Path(settings.SEALED_FILES_DIR)
    paths = sorted(path for path in root.glob("??/*") if path.is_file() and not path.name.endswith(".part"))
    return {f"{FILES_PART}{path.relative_to(root)}": path for path in paths}


def _latest_migrations(alias: str) -> dict[str, str]:
    applied = sorted(MigrationRecorder(connections[alias]).applied_migrations())
    return dict(applied)


def _dump(alias: str, target: Path) -> None:
    """A consistent copy while people work."""
    connection = connections[alias]
    if connection.vendor == "sqlite":
        with (
            closing(sqlite3.connect(connection.settings_dict["NAME"])) as source,
            closing(sqlite3.connect(target)) as to,
        ):
            source.backup(to)
        return
    _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}"], alias)


# -- restoring one ------------------------------------------------------------------------------------------------


def read_manifest(archive_path: Path) -> Manifest:
    """What an archive says of itself; raises BackupRefused for anything else."""
    try:
        with tarfile.open(archive_path, mode="r:") as archive:
            content = archive.extractfile("manifest.json")
            manifest = Manifest(**json.loads(content.read() if content else b""))
    except (OSError, KeyError, TypeError, ValueError, tarfile.TarError):
        raise BackupRefused(f"{archive_path} n’est pas une sauvegarde de Marelle, ou elle est coupée.") from None
    if manifest.format != FORMAT or manifest.kind not in ALIAS:
        raise BackupRefused(f"{archive_path} est d’un format que cette version ne lit pas.")
    return manifest


def restore(kind: str, archive_path: Path) -> Manifest:
    """Put an archive in place of what is there, once every part of it was found whole; raises BackupRefused.

    Marelle must be stopped. What was there is replaced only once the new database is complete beside it.
    """
    manifest = read_manifest(archive_path)
    alias = ALIAS[kind]
    connection = connections[alias]
    if manifest.kind != kind:
        raise BackupRefused("Cette archive est celle du coffre des clés." if kind == DATA else "Ce sont des données.")
    if manifest.engine != connection.vendor:
        raise BackupRefused(
            f"Cette archive vient de {manifest.engine}, cette installation est sur {connection.vendor}."
        )
    room = Path(settings.VAR_DIR)
    _require_no_newer_table(manifest, alias)
    with tempfile.TemporaryDirectory(dir=room, prefix=".restore-") as folder:
        extracted = Path(folder)
        _extract(archive_path, manifest, extracted)
        connection.close()
        if connection.vendor == "sqlite":
            _replace_sqlite(Path(connection.settings_dict["NAME"]), extracted / DATABASE_PART)
        else:
            dump = str(extracted / DATABASE_PART)
            options = [
                "--clean",
                "--if-exists",
                "--no-owner",
                "--no-privileges",
                "--single-transaction",
                "--exit-on-error",
            ]
            _run(["pg_restore", *options, f"--dbname={connection.settings_dict['NAME']}", dump], alias)
        if kind == DATA:
            _replace_files(extracted / "files")
    return manifest


def _require_no_newer_table(manifest: Manifest, alias: str) -> None:
    """PostgreSQL replaces the tables of the archive; one that it does not know would remain, with what it holds."""
    if connections[alias].vendor == "sqlite":
        return
    present = _latest_migrations(alias)
    newer = [app for app, name in present.items() if name > manifest.migrations.get(app, "")]
    if newer:
        raise BackupRefused(
            f"Cette base est plus récente que la sauvegarde ({', '.join(newer)}) : restaurez dans une base vide."
        )


def _extract(archive_path: Path, manifest: Manifest, folder: Path) -> None:
    """Every part in a folder of ours, under the names of the manifest only, each verified."""
    found = set()
    with tarfile.open(archive_path, mode="r:") as archive:
        for member in archive:
            if member.name == "manifest.json":
                continue
            source = archive.extractfile(member)
            if member.name not in manifest.digests or source is None or ".." in Path(member.name).parts:
                raise BackupRefused(f"L’archive contient une pièce inattendue : {member.name}.")
            target = folder / member.name
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            digest = hashlib.sha256()
            with source, target.open("xb") as file:
                for part in _parts(source):
                    digest.update(part)
                    file.write(part)
            if digest.hexdigest() != manifest.digests[member.name]:
                raise BackupRefused(f"La pièce {member.name} de l’archive est altérée : rien n’a été restauré.")
            found.add(member.name)
    if missing := set(manifest.digests) - found:
        raise BackupRefused(f"Il manque {len(missing)} pièces à l’archive : rien n’a été restauré.")


def _parts(source: Any) -> Iterator[bytes]:
    while part := source.read(PART):
        yield part


def _replace_sqlite(database: Path, copy: Path) -> None:
    if database.exists():
        try:
            with closing(sqlite3.connect(database, timeout=2)) as held:
                held.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                held.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise BackupRefused("La base est utilisée : arrêtez Marelle et son serveur de tâches.") from None
    copy.chmod(0o600)
    for ending in ("-wal", "-shm"):  # they belong to the database that leaves
        Path(f"{database}{ending}").unlink(missing_ok=True)
    copy.replace(database)


def _replace_files(extracted: Path) -> None:
    """The files of the archive in place of those there; the former ones leave once the new ones are complete."""
    root = Path(settings.SEALED_FILES_DIR)
    extracted.mkdir(mode=0o700, exist_ok=True)
    former = root.with_name(f"{root.name}.former")
    shutil.rmtree(former, ignore_errors=True)
    if root.exists():
        root.rename(former)
    shutil.move(str(extracted), root)
    shutil.rmtree(former, ignore_errors=True)


def _run(command: list[str], alias: str) -> None:
    """One program of PostgreSQL, told where the database is through its environment: no password in a list."""
    found = connections[alias].settings_dict
    environment = {
        "PGDATABASE": found["NAME"],
        "PGHOST": found["HOST"],
        "PGPORT": str(found["PORT"]),
        "PGUSER": found["USER"],
        "PGPASSWORD": found["PASSWORD"],
    }
    given = {name: value for name, value in environment.items() if value}
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603
            command, env=os.environ | given, check=False, capture_output=True, text=True
        )
    except FileNotFoundError:
        raise BackupRefused(f"{command[0]} est introuvable : installez les outils de PostgreSQL.") from None
    if done.returncode:
        raise BackupRefused(f"{command[0]} a échoué : {done.stderr.strip().splitlines()[-1] if done.stderr else '?'}")
