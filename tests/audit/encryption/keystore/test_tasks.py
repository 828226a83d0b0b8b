import contextlib
import logging
import sqlite3
import subprocess
import sys
import textwrap
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from audit.encryption import keyed
from audit.encryption.keys import create_data_key, create_data_keys
from audit.encryption.keystore import tasks
from audit.encryption.keystore.models import DataKey
from audit.encryption.keystore.tasks import resume_rotation, sweep_orphan_keys
from audit.encryption.rotation import is_rotating, pending, start_rotation
from audit.history import acting_as, system_account
from config.celery import app
from pre_cases.models import Child
from tests.audit.encryption.installation import installed, kek_versions
from tests.cast import Cast, make_child

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def age_keys(hours: int) -> None:
    DataKey.objects.update(created_at=timezone.now() - timedelta(hours=hours))


class TestSweepOrphanKeys:
    def test_deletes_a_key_that_no_row_names_after_24_hours(self):
        key_id = create_data_key("child")
        with time_machine.travel(timezone.now() + timedelta(hours=23, minutes=59), tick=False):
            assert sweep_orphan_keys() == 0
        with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1), tick=False):
            assert sweep_orphan_keys() == 1
            assert sweep_orphan_keys() == 0
        assert not DataKey.objects.filter(key_id=key_id).exists()

    def test_keeps_the_keys_of_records(self, cast: Cast):
        child = make_child()
        age_keys(48)
        assert sweep_orphan_keys() == 0
        assert set(DataKey.objects.values_list("key_id", flat=True)) >= {child.data_key_id, child.family.data_key_id}

    def test_keeps_the_key_of_a_record_that_only_its_history_names(self, cast: Cast):
        child = make_child()
        with acting_as(system_account()):
            child.adult_links.all().delete()
            Child.objects.get(pk=child.pk).delete()
        age_keys(48)
        assert sweep_orphan_keys() == 0
        assert DataKey.objects.filter(key_id=child.data_key_id).exists()

    def test_deletes_every_version_of_a_key(self):
        key_id = create_data_key("child")
        DataKey.objects.create(key_id=key_id, version=2, kind="child", wrapped=b"x", kek_version=1)
        age_keys(48)
        assert sweep_orphan_keys() == 1
        assert not DataKey.objects.exists()

    def test_keeps_the_key_of_the_index_of_duplicates(self):
        """No row names it as its own key; it is destroyed by the yearly rotation only."""
        key_id = create_data_key("index")
        age_keys(48)
        assert sweep_orphan_keys() == 0
        assert DataKey.objects.get().key_id == key_id

    def test_deletes_nothing_when_too_many_look_orphan(self, caplog: pytest.LogCaptureFixture):
        create_data_keys("child", tasks.SUSPECT_COUNT + 1)
        age_keys(48)
        with caplog.at_level(logging.ERROR):
            assert sweep_orphan_keys() == 0
        assert "named by no row: nothing deleted" in caplog.text
        assert sweep_orphan_keys(even_if_many=True) == tasks.SUSPECT_COUNT + 1
        assert not DataKey.objects.exists()

    def test_goes_through_more_keys_than_one_query_takes(self, cast: Cast, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(keyed, "CHUNK", 3)
        kept = {make_child(f"Enfant {number}").data_key_id for number in range(5)}
        orphans = set(create_data_keys("child", 20))
        age_keys(48)
        assert sweep_orphan_keys() == 20
        left = set(DataKey.objects.values_list("key_id", flat=True))
        assert kept <= left
        assert not orphans & left

    def test_is_on_the_timetable(self):
        assert {entry["task"] for entry in app.conf.beat_schedule.values()} >= {sweep_orphan_keys.name}


class TestResumeRotation:
    @pytest.fixture(autouse=True)
    def key_file(self, tmp_path: Path):
        with installed(tmp_path / "key") as path:
            yield path

    def test_ends_a_rotation_left_by_a_kill(self):
        create_data_keys("child", 3)
        start_rotation(by=system_account())
        assert pending() == 3
        resume_rotation()
        assert (is_rotating(), pending(), kek_versions()) == (False, 0, {2})

    def test_does_nothing_without_a_rotation(self):
        create_data_keys("child", 3)
        before = list(DataKey.objects.values())
        resume_rotation()
        assert list(DataKey.objects.values()) == before

    def test_asks_for_no_key_without_a_rotation(self, key_file: Path):
        key_file.unlink()
        resume_rotation()

    def test_is_on_the_timetable(self):
        assert {entry["task"] for entry in app.conf.beat_schedule.values()} >= {resume_rotation.name}


KILLED = """
import os, signal
import django
django.setup()
from django.db import connections, transaction
from audit.encryption.keystore.models import DataKey
from pre_cases.models import Family
from referents.models import User
for alias, models in {"keys": [DataKey], "default": [User, User.history.model, Family, Family.history.model]}.items():
    with connections[alias].schema_editor() as editor:
        for model in models:
            editor.create_model(model)
from audit.encryption.keys import create_data_key, key_ring
from audit.history import acting_as, system_account
with key_ring(), acting_as(system_account()), transaction.atomic():
    key_id = create_data_key("family")
    Family.objects.create(data_key_id=key_id)
    print(key_id, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


class TestAProcessKilledInBetween:
    def test_leaves_a_key_without_a_row_and_never_the_contrary(self, tmp_path: Path, environment: dict[str, str]):
        environment = {**environment, "MARELLE_VAR_DIR": str(tmp_path)}
        for name in ("DATABASE_URL", "KEYSTORE_URL"):
            environment.pop(name, None)
        command = [sys.executable, "-c", textwrap.dedent(KILLED)]
        killed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert killed.returncode == -9, killed.stderr
        key_id = killed.stdout.strip().replace("-", "")
        assert rows(tmp_path / "keystore.sqlite3", "SELECT key_id FROM keystore_datakey") == [(key_id,)]
        assert rows(tmp_path / "marelle.sqlite3", "SELECT id FROM pre_cases_family") == []
        assert rows(tmp_path / "marelle.sqlite3", "SELECT id FROM pre_cases_historicalfamily") == []


def rows(path: Path, query: str) -> list[tuple]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()
