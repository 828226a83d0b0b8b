"""The whole test suite, as « make test » runs it: on SQLite, and on PostgreSQL when a server answers.

Three processes share the cores: the case files and the journeys on SQLite, all the rest on SQLite, and on PostgreSQL
what reaches the data, sampled (see ``tests/conftest.py``); with ``CI`` in the environment, all of it.

The tables of the second one are made straight from the models, those of the others by the migrations; « make check »
says whether the two differ.

What cannot run here is said in one line each. Exits with 1 as soon as one part has failed.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO
from urllib.parse import urlsplit, urlunsplit

import psycopg

POSTGRESQL = os.environ.get("DATABASE_URL_TEST", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS = ("127.0.0.1", 6379)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


CASE_FILES = ["tests/pre_cases", "tests/journeys"]


def main() -> int:
    run = secrets.token_hex(4)  # two runs at once never share a database
    left_out = [
        marker for marker, reason in (("browser", chromium_missing()), ("redis", redis_missing())) if said(reason)
    ]
    names = [f"marelle_{run}", f"marelle_keys_{run}"]
    on_postgresql = not said(postgresql_missing())
    command = pytest_command(left_out)
    parts = {
        "SQLite": (sqlite_environment(), [*command, *(f"--ignore={path}" for path in CASE_FILES)]),
        "SQLite, case files and journeys": (sqlite_environment(), [*command, "--no-migrations", *CASE_FILES]),
    }
    if on_postgresql:
        parts["PostgreSQL"] = (postgresql_environment(*names), pytest_command(["browser", *left_out]))
    try:
        return int(any(run_together(parts)))
    finally:
        if on_postgresql:
            drop_databases([f"test_{name}" for name in names])


def run_together(parts: dict[str, tuple[dict[str, str], list[str]]]) -> list[int]:
    """Run every part at once; the first one writes as it goes, the others once they are over. Their statuses."""
    (first, (environment, command)), *others = parts.items()
    with ExitStack() as stack:
        started = [(name, *stack.enter_context(in_background(*part))) for name, part in others]
        print(f"\n== {first} ==", flush=True)
        statuses = [subprocess.run(command, env=environment, check=False).returncode]
        for name, process, output in started:
            statuses.append(process.wait())
            output.seek(0)
            print(f"\n== {name} ==", flush=True)
            sys.stdout.write(output.read().decode(errors="replace"))
            sys.stdout.flush()
    return statuses


@contextmanager
def in_background(
    environment: dict[str, str], command: list[str]
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """A part that runs meanwhile, and what it writes; it never outlives the block."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield process, output
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


def said(reason: str) -> bool:
    """Say why something is left out; False when there is no reason to."""
    if reason:
        print(reason, flush=True)
    return bool(reason)


def pytest_command(left_out: list[str]) -> list[str]:
    """Everything but the tests under these markers; what was given to this program goes to pytest."""
    markers = " and ".join(f"not {marker}" for marker in dict.fromkeys(left_out))
    return [sys.executable, "-m", "tests.frames", "-q", *(["-m", markers] if markers else []), *sys.argv[1:]]


def sqlite_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "KEYSTORE_URL")}


def postgresql_environment(data: str, keys: str) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": database_url(data), "KEYSTORE_URL": database_url(keys)}


def database_url(name: str) -> str:
    return urlunsplit(urlsplit(POSTGRESQL)._replace(path=f"/{name}"))


def chromium_missing() -> str:
    found = any(shutil.which(name) for name in CHROMIUM)
    return "" if found else "Chromium est absent : les parcours dans un navigateur ne sont pas joués."


def redis_missing() -> str:
    with socket.socket() as probe:
        probe.settimeout(1)
        answers = probe.connect_ex(REDIS) == 0
    return "" if answers else "Redis ne répond pas sur 127.0.0.1:6379 : les tests qui en ont besoin ne sont pas joués."


def postgresql_missing() -> str:
    try:
        with psycopg.connect(POSTGRESQL, connect_timeout=2) as connection:
            row = connection.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.OperationalError:
        return "PostgreSQL ne répond pas : la suite n’est jouée que sur SQLite (DATABASE_URL_TEST en désigne un autre)."
    if row is None or not row[0]:
        return "PostgreSQL répond, mais ce compte n’y crée pas de base : la suite n’est jouée que sur SQLite."
    return ""


def drop_databases(names: list[str]) -> None:
    """What an interrupted run would leave; pytest has normally dropped them already."""
    with psycopg.connect(POSTGRESQL, autocommit=True) as connection:
        for name in names:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


if __name__ == "__main__":
    sys.exit(main())
