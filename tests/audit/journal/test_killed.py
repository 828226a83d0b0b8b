"""Twenty kills of one writer and one sealer; « make campaign-journal » kills whole servers, PostgreSQL included."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tests import suite

pytestmark = pytest.mark.django_db


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An empty database on the engine of this run, and a folder for the checkpoints."""
    common = {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "MARELLE_JOURNAL_CHECKPOINTS": str(tmp_path / "checkpoints"),
    }
    if connection.vendor == "sqlite":
        yield suite.sqlite_environment() | common | {"DATABASE_URL": f"sqlite:///{tmp_path}/data"}
        return
    name = f"marelle_killed_{secrets.token_hex(4)}"
    with psycopg.connect(suite.POSTGRESQL, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    try:
        yield os.environ | common | {"DATABASE_URL": suite.database_url(name)}
    finally:
        suite.drop_databases([name])


class TestKilled:
    def test_loses_nothing_answered_and_keeps_each_change_with_its_event(self, environment, tmp_path: Path):
        done = subprocess.run(
            [sys.executable, "-m", "tests.audit.journal.killed", str(tmp_path / "answers")],
            cwd=settings.BASE_DIR,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert int(done.stdout) > 20
