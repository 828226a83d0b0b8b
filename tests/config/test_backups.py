"""The drill: back up, erase, put the old data back beside the present keystore; on the engine of the suite."""

import base64
import hashlib
import io
import json
import os
import secrets
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings

from tests import suite
from tests.config.drill import NAMES
from tests.leaks.canaries import found_in

ROOT = Path(settings.BASE_DIR)
SECRETS = [*NAMES, "Quetzalcoatl", "passage de Canarine", "canari-du-document canari-du-document"]
ON_POSTGRESQL = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")

pytestmark = [
    pytest.mark.django_db,  # so that it is played on both engines
    pytest.mark.skipif(ON_POSTGRESQL and shutil.which("pg_dump") is None, reason="pg_dump is missing"),
]


class Installation:
    """Databases, files and keys of its own, driven through its commands by one process at a time."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.process: subprocess.Popen[str] | None = None
        self.environment = {name: value for name, value in os.environ.items() if not name.endswith("_URL")} | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "MARELLE_ENV_FILE": os.devnull,
            "MARELLE_VAR_DIR": str(var),
            "SECRET_KEY": secrets.token_urlsafe(50),
            "MARELLE_KEY_PROVIDER": "env:A_KEY",
            "MARELLE_SIGNING_KEY": "env:A_KEY",
            "A_KEY": base64.b64encode(bytes(range(32))).decode(),
            "EMAIL_URL": "memorymail://",
        }
        self.names: list[str] = []
        if ON_POSTGRESQL:
            run = secrets.token_hex(4)
            self.names = [f"marelle_drill_{run}", f"marelle_drill_keys_{run}"]
            urls = [suite.database_url(name) for name in self.names]
            self.environment |= {"DATABASE_URL": urls[0], "KEYSTORE_URL": urls[1]}

    def copy(self, model: "Installation") -> None:
        """The databases of another one, just migrated."""
        for name, other in zip(self.names, model.names, strict=True):
            self.on_server(f'CREATE DATABASE "{name}" TEMPLATE "{other}"')
        for path in model.var.glob("*.sqlite3*"):
            shutil.copy(path, self.var)

    def migrate(self, *aliases: str) -> None:
        for alias in aliases:
            self.manage("migrate", f"--database={alias}", "--skip-checks", "--verbosity=0")

    @staticmethod
    def on_server(sql: str) -> None:
        with psycopg.connect(suite.POSTGRESQL, autocommit=True) as connection:
            connection.execute(sql)

    def drop(self) -> None:
        self.stop()
        for name in self.names:
            self.on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def stop(self) -> None:
        if self.process is not None:
            self.process.communicate()
            self.process = None

    def play(self, *step: str) -> Any:
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "tests/config/drill.py"],
                cwd=ROOT,
                env=self.environment,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(step) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def manage(self, *arguments: str, status: int = 0) -> str:
        answer = self.play("manage", *arguments)
        assert answer["status"] == status, answer["said"]
        said: str = answer["said"]
        return said

    def back_up(self, kind: str, folder: Path) -> Path:
        folder.mkdir()
        self.manage("backup", f"--{kind}={folder}")
        (archive,) = folder.glob(f"marelle-{kind}-*.tar")
        return archive

    def lose_keystore(self) -> None:
        """Its disk has failed: an empty one is there instead."""
        self.stop()
        if self.names:
            self.on_server(f'DROP DATABASE "{self.names[1]}" WITH (FORCE)')
            self.on_server(f'CREATE DATABASE "{self.names[1]}"')
        for path in self.var.glob("keystore.sqlite3*"):
            path.unlink()
        self.migrate("keys")

    def raw_bytes(self) -> bytes:
        """Everything on the disk while a process has it open, write-ahead logs included; a dump on PostgreSQL."""
        data = b"".join(path.read_bytes() for path in self.var.rglob("*") if path.is_file())
        for name in self.names:
            command = ["pg_dump", "--format=plain", suite.database_url(name)]
            data += subprocess.run(command, check=True, capture_output=True).stdout
        return data


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Migrated once, and copied."""
    made = Installation(tmp_path_factory.mktemp("model"))
    for name in made.names:
        made.on_server(f'CREATE DATABASE "{name}"')
    try:
        made.migrate("default", "keys")
        made.stop()
        yield made
    finally:
        made.drop()


@pytest.fixture
def installation(model: Installation, tmp_path: Path) -> Iterator[Installation]:
    var = tmp_path / "var"
    var.mkdir()
    made = Installation(var)
    try:
        made.copy(model)
        yield made
    finally:
        made.drop()


class TestDrill:
    def test_leaves_the_living_readable_and_the_erased_not(self, installation: Installation, tmp_path: Path) -> None:
        children = installation.play("fill")
        before = installation.play("look")
        assert sorted(before["children"].values()) == sorted(NAMES)
        assert (before["closed"], before["documents"]) == (0, [True] * 6)
        data = installation.back_up("data", tmp_path / "data")
        keys = installation.back_up("keys", tmp_path / "keys")
        assert data.stat().st_mode & 0o077 == 0

        erased = [children[0], children[2]]  # the first leaves a sister in the family
        for child in erased:
            assert installation.play("erase", child) == "done"
        survivors = {child for child in children if child not in erased}
        after = installation.play("look")
        assert set(after["children"]) == survivors
        assert after["closed"] == 0

        # the old data as a thief, or a careless operator, would put it back: without the tombstones
        installation.play("put_back", str(data))
        stolen = installation.play("look")
        assert {child for child, name in stolen["children"].items() if name} == survivors
        assert stolen["opened"] >= after["opened"]
        assert stolen["closed"] > 0
        assert sorted(stolen["documents"]) == [False] * 2 + [True] * 4
        assert "manage.py erase --replay" in installation.manage("check_keys", status=1)

        # the old data as it is to be put back, beside the present keystore
        said = installation.manage("restore", f"--data={data}", "--confirm")
        assert "Enfants effacés depuis la sauvegarde, et de nouveau : 2." in said
        assert "Restauré : tout s’ouvre." in said
        restored = installation.play("look")
        assert set(restored["children"]) == survivors
        assert (restored["closed"], restored["documents"]) == (0, [True] * 4)
        assert restored["opened"] == after["opened"]

        # the keystore itself lost, and an old one put back: what was destroyed since is destroyed again
        said = installation.manage("restore", f"--keys={keys}", "--confirm")
        assert "Clés détruites depuis la sauvegarde, et de nouveau :" in said
        assert installation.play("look") == restored
        assert "Tout s’ouvre." in installation.manage("check_keys")

    def test_leaves_nothing_in_clear_on_the_disk(self, installation: Installation, tmp_path: Path) -> None:
        installation.play("fill")
        assert found_in(installation.raw_bytes(), SECRETS) == set()
        for kind in ("data", "keys"):
            archive = installation.back_up(kind, tmp_path / kind)
            assert found_in(archive.read_bytes(), SECRETS) == set()
        (installation.var / "leak").write_text("Canarine")
        assert found_in(installation.raw_bytes(), SECRETS) == {"Canarine"}  # the control


class TestAKeystorePutBack:
    """What must never happen: a key lost, a destroyed key back, a keystore replaced by one that opens nothing."""

    def test_loses_no_key_made_since(self, installation: Installation, tmp_path: Path) -> None:
        keys = installation.back_up("keys", tmp_path / "keys")  # before there was any child
        installation.play("fill")
        before = installation.play("look")
        said = installation.manage("restore", f"--keys={keys}", "--confirm")
        assert "Clés du coffre présent, gardées :" in said
        assert installation.play("look") == before
        assert not list(installation.var.glob("keystore-before-*"))

    def test_is_refused_when_its_keys_do_not_open(self, installation: Installation, tmp_path: Path) -> None:
        installation.play("fill")
        keys = installation.back_up("keys", tmp_path / "keys")
        before = installation.play("look")
        right = installation.environment["A_KEY"]
        installation.stop()
        installation.environment["A_KEY"] = base64.b64encode(os.urandom(32)).decode()
        said = installation.manage("restore", f"--keys={keys}", "--confirm", status=1)
        assert "ne s’ouvrent pas avec la clé maîtresse présente" in said
        installation.stop()
        installation.environment["A_KEY"] = right
        assert installation.play("look") == before

    def test_never_brings_an_erased_child_back_even_after_both_databases(
        self, installation: Installation, tmp_path: Path
    ) -> None:
        """The journal goes with the data, the tombstones with the keystore: the register beside them remains."""
        children = installation.play("fill")
        data = installation.back_up("data", tmp_path / "data")
        keys = installation.back_up("keys", tmp_path / "keys")
        assert installation.play("erase", children[3]) == "done"
        installation.lose_keystore()
        installation.manage("restore", f"--data={data}", "--confirm", status=1)  # its keys are not there yet
        installation.manage("restore", f"--keys={keys}", "--confirm")
        assert set(installation.play("look")["children"]) == set(children) - {children[3]}
        assert installation.play("look")["closed"] == 0

    def test_opens_data_older_than_a_renewed_key(self, installation: Installation, tmp_path: Path) -> None:
        children = installation.play("fill")
        before = installation.play("look")
        data = installation.back_up("data", tmp_path / "data")
        installation.manage("reencrypt", f"--child={children[2]}")
        assert installation.play("end_reencryption") == 1
        assert installation.play("look") == before
        said = installation.manage("restore", f"--data={data}", "--confirm")
        assert "Clés renouvelées depuis la sauvegarde, données chiffrées de nouveau : 1." in said
        assert installation.play("look") == before


class TestBackup:
    def test_never_puts_data_and_keys_in_one_place(self, installation: Installation, tmp_path: Path) -> None:
        installation.back_up("data", tmp_path / "both")
        said = installation.manage("backup", f"--keys={tmp_path / 'both'}", status=1)
        assert "choisissez un autre endroit" in said

    def test_refuses_a_folder_that_is_not_there(self, installation: Installation, tmp_path: Path) -> None:
        assert "n’existe pas" in installation.manage("backup", f"--data={tmp_path / 'nowhere'}", status=1)


class TestRestore:
    def test_says_what_an_archive_is_before_anything_is_changed(
        self, installation: Installation, tmp_path: Path
    ) -> None:
        archive = installation.back_up("data", tmp_path / "data")
        said = installation.manage("restore", f"--data={archive}")
        assert "données du" in said
        assert "ajoutez --confirm" in said

    def test_refuses_what_is_not_whole(self, installation: Installation, tmp_path: Path) -> None:
        installation.play("fill")
        archive = installation.back_up("data", tmp_path / "data")
        before = installation.play("look")
        keys = installation.back_up("keys", tmp_path / "keys")
        whole = archive.read_bytes()
        bad = tmp_path / "bad.tar"
        with tarfile.open(archive) as opened:
            inside = opened.getmember("database").offset_data + 100
        flipped = bytearray(whole)
        flipped[inside] ^= 1
        for content, sentence in (
            (bytes(flipped), "est altérée"),
            (whole[: len(whole) // 2], "coupée"),
            (b"", "coupée"),
            (b"not an archive" * 100, "coupée"),
            (keys.read_bytes(), "celle du coffre"),
        ):
            bad.write_bytes(content)
            said = installation.manage("restore", f"--data={bad}", "--confirm", status=1)
            assert sentence in said, said
        assert installation.play("look") == before

    @pytest.mark.parametrize("name", ["/{outside}", "../{outside}", "files/aa/../../../{outside}", "files/aa/nothex"])
    def test_writes_nothing_outside_of_its_own_folder(
        self, installation: Installation, tmp_path: Path, name: str
    ) -> None:
        """Whoever writes where backups are kept must not write elsewhere through them."""
        archive = installation.back_up("data", tmp_path / "data")
        outside = tmp_path / "outside"
        hostile = tmp_path / "hostile.tar"
        part = name.format(outside=str(outside).lstrip("/"))
        with tarfile.open(archive) as good, tarfile.open(hostile, "w") as bad:
            for member in good:
                content = good.extractfile(member)
                assert content is not None
                data = content.read()
                if member.name == "manifest.json":
                    manifest = json.loads(data)
                    manifest["digests"][part] = hashlib.sha256(b"hostile").hexdigest()
                    data = json.dumps(manifest).encode()
                    member.size = len(data)
                bad.addfile(member, io.BytesIO(data))
            extra = tarfile.TarInfo(part)
            extra.size = len(b"hostile")
            bad.addfile(extra, io.BytesIO(b"hostile"))
        said = installation.manage("restore", f"--data={hostile}", "--confirm", status=1)
        assert "pièce inattendue" in said
        assert not outside.exists()
