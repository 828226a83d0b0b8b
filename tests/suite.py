"""The whole test suite, as « make test » runs it: on SQLite, and on PostgreSQL when a server answers.

What cannot run here is said in one line each. Exits with 1 as soon as one part has failed.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg

POSTGRESQL = os.environ.get("DATABASE_URL_TEST", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS = ("127.0.0.1", 6379)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def main() -> int:
    run = secrets.token_hex(4)  # two runs at once never share a database
    left_out = [
        marker for marker, reason in (("browser", chromium_missing()), ("redis", redis_missing())) if said(reason)
    ]
    if said(postgresql_missing()):
        return run_pytest("SQLite", sqlite_environment(), left_out)
    names = [f"marelle_{run}", f"marelle_keys_{run}"]
    try:
        with on_postgresql(names, left_out) as other:
            status = run_pytest("SQLite", sqlite_environment(), left_out)
            print("\n== PostgreSQL ==", flush=True)
            return int(any([status, other()]))
    finally:
        drop_databases([f"test_{name}" for name in names])


@contextmanager
def on_postgresql(names: list[str], left_out: list[str]) -> Iterator[Callable[[], int]]:
    """Run the suite on PostgreSQL meanwhile; the function given waits for it, shows it and tells its status."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            pytest_command(["browser", *left_out]),
            env=postgresql_environment(*names),
            stdout=output,
            stderr=subprocess.STDOUT,
        )

        def finish() -> int:
            status = process.wait()
            output.seek(0)
            sys.stdout.write(output.read().decode(errors="replace"))
            sys.stdout.flush()
            return status

        try:
            yield finish
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


def said(reason: str) -> bool:
    """Say why something is left out; False when there is no reason to."""
    if reason:
        print(reason, flush=True)
    return bool(reason)


def run_pytest(name: str, environment: dict[str, str], left_out: list[str]) -> int:
    """Run the suite once; gives the status of pytest, which prints its own closing lines."""
    print(f"\n== {name} ==", flush=True)
    return subprocess.run(pytest_command(left_out), env=environment, check=False).returncode


def pytest_command(left_out: list[str]) -> list[str]:
    """Everything but the tests under these markers; what was given to this program goes to pytest."""
    markers = " and ".join(f"not {marker}" for marker in dict.fromkeys(left_out))
    return [sys.executable, "-m", "pytest", "-q", *(["-m", markers] if markers else []), *sys.argv[1:]]


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
