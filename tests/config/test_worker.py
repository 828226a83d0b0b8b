"""A real Celery worker makes the programme's files, over the embedded broker and over Redis."""

from __future__ import annotations

import base64
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PATIENCE = 120  # seconds; only a broken worker waits that long
ASK = """
from datetime import date
from audit.history import acting_as, system_account
from pre_cases.models import ReleasedTable, StatisticsExport
from pre_cases.services.release import request_export
from pre_cases.statistics.period import Period
from referents.models import Membership, User
ReleasedTable.objects.all().delete()
StatisticsExport.objects.all().delete()
esther = User.objects.filter(email="esther@marelle.example").first()
if esther is None:
    with acting_as(system_account()):
        esther = User.objects.create_user("esther@marelle.example", None, first_name="Esther", last_name="Test")
        Membership.objects.create(user=esther, role="pilotage", starts_on=date(2020, 1, 1))
print(request_export(period=Period(date(2014, 1, 1), date(2014, 12, 31)), by=esther).pk)
"""
LOOK = """
from pre_cases.models import StatisticsExport
export = StatisticsExport.objects.get()
print(export.state, bool(export.archive))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an installation of its own: two SQLite files, migrated."""
    var = tmp_path_factory.mktemp("var")
    (var / "broker" / "control").mkdir(parents=True)
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    environment |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "MARELLE_ENV_FILE": os.devnull,
        "MARELLE_VAR_DIR": str(var),
        "SECRET_KEY": secrets.token_urlsafe(50),
        "MARELLE_KEY_PROVIDER": "env:A_KEY",
        "MARELLE_SIGNING_KEY": "env:A_KEY",
        "A_KEY": base64.b64encode(os.urandom(32)).decode(),
    }
    for alias in ("default", "keys"):
        manage(environment, "migrate", "--database", alias, "--skip-checks", "--verbosity", "0")
    return environment


def manage(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def work(environment: dict[str, str], queue: str) -> str:
    """Ask for files, let a worker take them, and say what became of them."""
    manage(environment, "shell", "--no-imports", "-c", ASK)
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "config", "worker", "--pool", "solo", "-Q", queue, "-l", "ERROR"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + PATIENCE
        while (state := manage(environment, "shell", "--no-imports", "-c", LOOK)) in ("queued False", "running False"):
            assert time.monotonic() < end, state
            time.sleep(0.5)
        return state
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(timeout=30)


class TestWorker:
    def test_makes_the_files_over_the_embedded_broker(self, installed: dict[str, str]) -> None:
        assert work(installed, "celery") == "done True"

    @pytest.mark.redis
    def test_makes_the_files_over_redis(self, installed: dict[str, str]) -> None:
        queue = f"marelle-{secrets.token_hex(6)}"  # nobody else's messages, and nobody else's worker
        environment = installed | {"CELERY_BROKER_URL": "redis://127.0.0.1:6379/0", "CELERY_QUEUE": queue}
        assert work(environment, queue) == "done True"
