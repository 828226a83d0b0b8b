"""« make campaign-journal »: the journal attacked 200 times in each way, 10,000 clean verifications, and 100 kills.

On SQLite, and on PostgreSQL when a server answers; « python tests/campaign_journal.py attacks » or « kills » for half.
``ATTACKS``, ``CLEAN_RUNS`` and ``KILLS`` in the environment change the numbers. Exits with 1 if an attack is not named,
one clean journal is suspected, or one answer is lost.
"""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests import suite

ATTACKS, CLEAN_RUNS = int(os.environ.get("ATTACKS", "200")), int(os.environ.get("CLEAN_RUNS", "10000"))
EVENTS, ATTACKS_OF_ONE_JOURNAL, RUNS_OF_ONE_JOURNAL = 400, 20, 100


def main() -> int:
    asked = sys.argv[1:] or ["attacks", "kills"]
    if asked == ["attacks-here"]:
        return attacks_here()
    failed = False
    if "attacks" in asked:
        for environment in engines():
            failed |= bool(
                subprocess.run([sys.executable, __file__, "attacks-here"], env=environment, check=False).returncode
            )
    if "kills" in asked:
        failed |= bool(subprocess.run([sys.executable, "tests/kills.py"], check=False).returncode)
    return int(failed)


def engines() -> Iterator[dict[str, str]]:
    yield suite.sqlite_environment()
    if suite.said(suite.postgresql_missing()):
        return
    name = f"marelle_campaign_{secrets.token_hex(4)}"
    with suite.psycopg.connect(suite.POSTGRESQL, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    try:
        yield suite.postgresql_environment(name, name)
    finally:
        suite.drop_databases([name])


def attacks_here() -> int:
    """On the engine that the environment names: only the journal's tables are made."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from audit.signing import create_signing_key_file

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        create_signing_key_file(folder / "key")
        settings.SIGNING_KEY = f"file:{folder / 'key'}"
        executor = MigrationExecutor(connection)
        executor.migrate([node for node in executor.loader.graph.leaf_nodes() if node[0] == "audit"])
        print(f"== {connection.vendor} ==", flush=True)
        return int(attack(folder) + run_clean(folder) > 0)


def attack(folder: Path) -> int:
    """Each class, at random places of journals of 400 events; how many attacks were not named for what they were."""
    from tests.audit.journal.tampering import CLASSES, tampered

    chance, missed = random.Random(secrets.randbits(64)), 0
    for fault, tamper in CLASSES.items():
        began, named = time.monotonic(), 0
        for _ in range(ATTACKS // ATTACKS_OF_ONE_JOURNAL):
            with journal(folder, chance):
                for _ in range(ATTACKS_OF_ONE_JOURNAL):
                    expected, report = tampered(tamper, chance, folder)
                    named += expected.describes(report)
                    if not expected.describes(report):
                        print(f"    {expected} : {report}", flush=True)
        missed += ATTACKS - named
        print(f"{fault.value:<14}{named:>5} sur {ATTACKS} nommés, {time.monotonic() - began:.0f} s", flush=True)
    return missed


def run_clean(folder: Path) -> int:
    """Journals that grow, are sealed in batches of all sizes, change keys; how many were suspected."""
    from audit.journal.verify import verify_journal
    from audit.signing import rotate_signing_key
    from tests.audit.journal.tampering import START, seal_in_batches, write_events

    chance, alarms, began = random.Random(secrets.randbits(64)), 0, time.monotonic()
    for _ in range(CLEAN_RUNS // RUNS_OF_ONE_JOURNAL):
        with journal(folder, chance, events=chance.randrange(50)):
            for number in range(1, RUNS_OF_ONE_JOURNAL + 1):
                start = START + timedelta(hours=100 + number)
                write_events(chance.randrange(5), chance, start=start, first_transaction=10_000 * number)
                if chance.random() < 0.8:
                    seal_in_batches(chance)
                if chance.random() < 0.02:
                    rotate_signing_key()
                report = verify_journal()
                alarms += not report.is_sound
                if not report.is_sound:
                    print(f"    fausse alerte : {report}", flush=True)
    print(f"{CLEAN_RUNS} vérifications saines, {alarms} fausses alertes, {time.monotonic() - began:.0f} s", flush=True)
    return alarms


@contextmanager
def journal(folder: Path, chance: random.Random, events: int = EVENTS) -> Iterator[None]:
    """A sealed journal with its own checkpoints, undone at the end."""
    from django.db import transaction
    from django.test import override_settings

    from audit.journal.checkpoint import export_checkpoint
    from tests.audit.journal import tampering

    path = folder / f"checkpoints-{secrets.token_hex(4)}"
    with (
        override_settings(JOURNAL_CHECKPOINTS=str(path)),
        tampering.everything_is_committed(),
        transaction.atomic(),
    ):
        export_checkpoint()  # that of the empty journal
        tampering.write_events(events, chance)
        tampering.seal_in_batches(chance)
        yield
        transaction.set_rollback(True)


if __name__ == "__main__":
    sys.exit(main())
