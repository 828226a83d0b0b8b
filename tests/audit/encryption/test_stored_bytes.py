"""Nothing typed about a family is found in the files of the databases, whatever the encoding."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest

CANARIES = ("Zéphyrine-Canari", "Quetzalcóatl", "2014-12-31", "rue du Canari Perdu")

WRITE = """
import os, sys
from datetime import date
import django
django.setup()
from django.db import connections
from audit.encryption.keys import create_data_key, key_ring
from audit.encryption.keystore.models import DataKey
from audit.history import acting_as, system_account
from pre_cases.models import Child, Family, Residence
from referents.models import User
tracked = [User, Family, Child, Residence]
tables = {"keys": [DataKey], "default": [*tracked, *(model.history.model for model in tracked)]}
for alias, models in tables.items():
    with connections[alias].schema_editor() as editor:
        for model in models:
            editor.create_model(model)
first, last, born, street = sys.argv[1:5]
with key_ring(), acting_as(system_account()):
    family = Family.objects.create(data_key_id=create_data_key("family"))
    child = Child.objects.create(
        family=family, first_name=first, family_name="x", birth_date=date.fromisoformat(born),
        data_key_id=create_data_key("child"),
    )
    child.family_name = last
    child.save()
    Residence.objects.create(
        child=child, address=street, starts_on=date(2020, 1, 1), data_key_id=child.data_key_id,
        qpv_code=sys.argv[5], determined_on=date(2020, 1, 1) if sys.argv[5] else None,
    )
    read = Child.objects.get()
    assert (read.first_name, read.family_name, str(read.birth_date)) == (first, last, born)
os._exit(0)  # the write-ahead log stays as it is
"""


def encodings(text: str) -> dict[str, bytes]:
    plain = text.encode()
    return {
        "utf-8": plain,
        "utf-16": text.encode("utf-16-le"),
        "latin-1": text.encode("latin-1"),
        "hexadecimal": plain.hex().encode(),
        "base64": base64.b64encode(plain)[:-4],
    }


def found_in(folder: Path) -> set[tuple[str, str]]:
    stored = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return {
        (text, name) for text in (*CANARIES, "Canari-10") for name, data in encodings(text).items() if data in stored
    }


@pytest.fixture
def write(tmp_path: Path, environment: dict[str, str]):
    for name in ("DATABASE_URL", "KEYSTORE_URL"):
        environment.pop(name, None)
    environment["MARELLE_VAR_DIR"] = str(tmp_path)

    def run(in_clear: str) -> Path:
        subprocess.run([sys.executable, "-c", WRITE, *CANARIES, in_clear], env=environment, check=True)
        return tmp_path

    return run


class TestStoredBytes:
    def test_hold_nothing_that_was_typed(self, write):
        folder = write("")
        assert {path.name for path in folder.glob("*.sqlite3-wal")} == {"keystore.sqlite3-wal", "marelle.sqlite3-wal"}
        assert found_in(folder) == set()

    def test_are_searched_well_enough_to_find_a_clear_column(self, write):
        assert ("Canari-10", "utf-8") in found_in(write("Canari-10"))
