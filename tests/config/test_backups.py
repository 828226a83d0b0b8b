"""The drill: back up, erase, put the old data back beside the present keystore; on the engine of the suite."""

import base64
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
    """Databases, files and keys of its own, driven through its commands."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.environment = {name: value for name, value in os.environ.items() if not name.endswith("_URL")} | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "MARELLE_ENV_FILE": os.devnull,
            "MARELLE_VAR_DIR": str(var),
            "SECRET_KEY": secrets.token_urlsafe(50),
            "MARELLE_KEY_PROVIDER": "env:A_KEY",
            "A_KEY": base64.b64encode(os.urandom(32)).decode(),
            "EMAIL_URL": "memorymail://",
        }
        self.names: list[str] = []
        if ON_POSTGRESQL:
            run = secrets.token_hex(4)
            self.names = [f"marelle_drill_{run}", f"marelle_drill_keys_{run}"]
            urls = [suite.database_url(name) for name in self.names]
            self.environment |= {"DATABASE_URL": urls[0], "KEYSTORE_URL": urls[1]}
            for name in self.names:
                self.on_server(f'CREATE DATABASE "{name}"')

    def on_server(self, sql: str) -> None:
        with psycopg.connect(suite.POSTGRESQL, autocommit=True) as connection:
            connection.execute(sql)

    def drop(self) -> None:
        for name in self.names:
            self.on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def run(self, *command: str, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=self.environment, check=False, capture_output=True, text=True
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def manage(self, *arguments: str, status: int = 0) -> str:
        return self.run("manage.py", *arguments, status=status)

    def play(self, step: str) -> Any:
        return json.loads(self.run("tests/config/drill.py", step).splitlines()[-1])

    def back_up(self, kind: str, folder: Path) -> Path:
        folder.mkdir()
        self.manage("backup", f"--{kind}", str(folder))
        (archive,) = folder.glob(f"marelle-{kind}-*.tar")
        return archive

    def raw_bytes(self) -> bytes:
        """Everything on the disk of the installation, write-ahead logs included; on PostgreSQL a dump in clear."""
        data = b"".join(path.read_bytes() for path in self.var.rglob("*") if path.is_file())
        for name in self.names:
            command = ["pg_dump", "--format=plain", suite.database_url(name)]
            data += subprocess.run(command, check=True, capture_output=True).stdout
        return data


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    var = tmp_path / "var"
    var.mkdir()
    made = Installation(var)
    try:
        for alias in ("default", "keys"):
            made.manage("migrate", "--database", alias, "--skip-checks", "--verbosity", "0")
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
            installation.manage("erase", "--child", child, "--confirm")
        survivors = {child for child in children if child not in erased}
        after = installation.play("look")
        assert set(after["children"]) == survivors
        assert after["closed"] == 0

        # the old data as a thief, or a careless operator, would put it back: without the tombstones
        self.put_back_without_replay(installation, data)
        stolen = installation.play("look")
        assert {child for child, name in stolen["children"].items() if name} == survivors
        assert stolen["opened"] >= after["opened"]
        assert stolen["closed"] > 0
        assert sorted(stolen["documents"]) == [False] * 2 + [True] * 4
        assert "manage.py erase --replay" in installation.manage("check_keys", status=1)

        # the old data as it is to be put back, beside the present keystore
        said = installation.manage("restore", "--data", str(data), "--confirm")
        assert "Enfants effacés depuis la sauvegarde, et de nouveau : 2." in said
        assert "Restauré : tout s’ouvre." in said
        restored = installation.play("look")
        assert set(restored["children"]) == survivors
        assert (restored["closed"], restored["documents"]) == (0, [True] * 4)
        assert restored["opened"] == after["opened"]

        # the keystore itself lost, and an old one put back: what was destroyed since is destroyed again
        said = installation.manage("restore", "--keys", str(keys), "--confirm")
        assert "Clés détruites depuis la sauvegarde, et de nouveau :" in said
        assert installation.play("look") == restored
        assert "Tout s’ouvre." in installation.manage("check_keys")

    def put_back_without_replay(self, installation: Installation, archive: Path) -> None:
        code = (
            "from pathlib import Path; from config.management.backups import restore; "
            f"restore('data', Path({str(archive)!r}))"
        )
        installation.manage("shell", "--verbosity", "0", "--command", code)

    def test_leaves_nothing_in_clear_on_the_disk(self, installation: Installation, tmp_path: Path) -> None:
        installation.play("fill")
        assert found_in(installation.raw_bytes(), SECRETS) == set()
        for kind in ("data", "keys"):
            archive = installation.back_up(kind, tmp_path / kind)
            assert found_in(archive.read_bytes(), SECRETS) == set()
        (installation.var / "leak").write_text("Canarine")
        assert found_in(installation.raw_bytes(), SECRETS) == {"Canarine"}  # the control


class TestBackup:
    def test_never_puts_data_and_keys_in_one_place(self, installation: Installation, tmp_path: Path) -> None:
        installation.back_up("data", tmp_path / "both")
        said = installation.manage("backup", "--keys", str(tmp_path / "both"), status=1)
        assert "choisissez un autre endroit" in said

    def test_refuses_a_folder_that_is_not_there(self, installation: Installation, tmp_path: Path) -> None:
        assert "n’existe pas" in installation.manage("backup", "--data", str(tmp_path / "nowhere"), status=1)


class TestRestore:
    def test_says_what_an_archive_is_before_anything_is_changed(
        self, installation: Installation, tmp_path: Path
    ) -> None:
        archive = installation.back_up("data", tmp_path / "data")
        said = installation.manage("restore", "--data", str(archive))
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
            said = installation.manage("restore", "--data", str(bad), "--confirm", status=1)
            assert sentence in said, said
        assert installation.play("look") == before
