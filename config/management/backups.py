"""Backups: data and keystore apart, on both engines; restoring never brings back what was erased.

A backup is one tar archive, readable by its owner only: ``manifest.json`` (what it is, when, the SHA-256 of each part),
the database in the form of its own engine, and for the data the encrypted files.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess  # nosec B404 - the engine's own programs, without a shell
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from audit.encryption.providers import Wrapped

FORMAT = "marelle-backup-1"
DATA, KEYS = "data", "keys"
ALIAS = {DATA: "default", KEYS: "keys"}
DATABASE_PART = "database"
FILES_PART = "files/"
PART_NAME = re.compile(r"database|files/[0-9a-f]{2}/[0-9a-f]{32}")
PASSED_ON = ("sslmode", "sslrootcert", "sslcert", "sslkey")  # of a connection's options, to the engine's programs
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
    for left in target.parent.glob(".marelle-*"):  # by a backup that was killed
        shutil.rmtree(left, ignore_errors=True)
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

    Marelle must be stopped. On both engines the database is replaced in one transaction: killed, it is as it was.
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
    _require_known_migrations(manifest, alias)
    with _extracted(archive_path, manifest) as folder:
        connection.close()
        if connection.vendor == "sqlite":
            _replace_sqlite(Path(connection.settings_dict["NAME"]), folder / DATABASE_PART)
        else:
            options = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction"]
            into = f"--dbname={connection.settings_dict['NAME']}"
            _run(["pg_restore", *options, "--exit-on-error", into, str(folder / DATABASE_PART)], alias)
        if kind == DATA:
            _replace_files(folder / "files")
    return manifest


def keys_in_archive(archive_path: Path) -> list[tuple[UUID, int, Wrapped]]:
    """The keys that an archive of the keystore holds, without putting it back: to see first whether they open."""
    manifest = read_manifest(archive_path)
    if manifest.kind != KEYS:
        raise BackupRefused("Ce sont des données.")
    with _extracted(archive_path, manifest) as folder:
        dump = folder / DATABASE_PART
        if manifest.engine == "sqlite":
            with closing(sqlite3.connect(dump)) as archived:
                rows = archived.execute("SELECT key_id, version, kek_version, wrapped FROM keystore_datakey").fetchall()
            return [(UUID(key_id), version, Wrapped(kek, data)) for key_id, version, kek, data in rows]
        return list(_keys_in_dump(dump))


def _keys_in_dump(dump: Path) -> Iterator[tuple[UUID, int, Wrapped]]:
    """From the one table of a PostgreSQL archive, written as the COPY that would fill it."""
    command = ["pg_restore", "--data-only", "--table=keystore_datakey", "--file=-", str(dump)]
    names: list[str] = []
    for line in _run(command, ALIAS[KEYS]).splitlines():
        if line.startswith("COPY "):
            names = [name.strip() for name in line[line.index("(") + 1 : line.index(")")].split(",")]
        elif line.startswith("\\."):
            names = []
        elif names:
            row = dict(zip(names, line.split("\t"), strict=True))
            data = bytes.fromhex(row["wrapped"].removeprefix("\\\\x"))
            yield UUID(row["key_id"]), int(row["version"]), Wrapped(int(row["kek_version"]), data)


def _require_known_migrations(manifest: Manifest, alias: str) -> None:
    """An archive made by a later version of Marelle is for that version.

    And PostgreSQL replaces the tables of the archive: one that it does not know would remain, with what it holds.
    """
    known = MigrationLoader(None).disk_migrations or {}
    later = [app for app, name in manifest.migrations.items() if (app, name) not in known]
    if later:
        raise BackupRefused(
            f"Cette archive vient d’une version plus récente ({', '.join(later)}) : restaurez avec elle."
        )
    if connections[alias].vendor == "sqlite":
        return
    present = _latest_migrations(alias)
    newer = [app for app, name in present.items() if name > manifest.migrations.get(app, "")]
    if newer:
        raise BackupRefused(
            f"Cette base est plus récente que la sauvegarde ({', '.join(newer)}) : restaurez dans une base vide."
        )


@contextmanager
def _extracted(archive_path: Path, manifest: Manifest) -> Iterator[Path]:
    """The verified parts in a folder of ours, gone afterwards; what a killed restoration left goes first."""
    room = Path(settings.VAR_DIR)
    for left in room.glob(".restore-*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=room, prefix=".restore-") as folder:
        _extract(archive_path, manifest, Path(folder))
        yield Path(folder)


def _extract(archive_path: Path, manifest: Manifest, folder: Path) -> None:
    """Every part in a folder of ours, under the names of the manifest only, each verified."""
    found = set()
    with tarfile.open(archive_path, mode="r:") as archive:
        for member in archive:
            if member.name == "manifest.json":
                continue
            source = archive.extractfile(member)
            is_ours = PART_NAME.fullmatch(member.name) and member.isreg() and member.name in manifest.digests
            if not is_ours or source is None:
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
    """Page by page inside the present file, under its lock: whoever has it open sees the old content or the new."""
    try:
        with closing(sqlite3.connect(copy)) as source, closing(sqlite3.connect(database, timeout=2)) as target:
            target.execute("PRAGMA secure_delete=ON")
            source.backup(target)
            target.execute("PRAGMA journal_mode=WAL")
            target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError:
        raise BackupRefused("La base est utilisée : arrêtez Marelle et son serveur de tâches.") from None


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


def _run(command: list[str], alias: str) -> str:
    """What a program of PostgreSQL says; its environment tells it where the database is: no password in a list."""
    found = connections[alias].settings_dict
    options = {f"PG{name.upper()}": str(value) for name, value in found["OPTIONS"].items() if name in PASSED_ON}
    environment = options | {
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
    return done.stdout
