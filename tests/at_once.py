"""Several people acting at the same instant, on the real engine."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

from django.db import connections

from audit.encryption.keys import key_ring
from audit.services import Refused


@contextmanager
def separate_connections(folder: Path) -> Iterator[None]:
    """Threads work on the real engine: SQLite's test databases, in memory, are copied to files as in production."""
    in_memory = {a: connections[a].settings_dict["NAME"] for a in connections if connections[a].vendor == "sqlite"}
    for alias in in_memory:
        with connections[alias].cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(folder / alias)])
        with closing(sqlite3.connect(folder / alias)) as copy:  # as a served database is: two threads cannot switch it
            copy.execute("PRAGMA journal_mode=WAL")
    try:
        for alias in in_memory:
            connections.settings[alias]["NAME"] = str(folder / alias)
        yield
    finally:
        for alias, name in in_memory.items():
            connections.settings[alias]["NAME"] = name


def at_once(folder: Path, changes: list[Callable[[], Any]], count: Callable[[], int]) -> tuple[list[str], int]:
    """Run changes together, each with its own connection and key ring.

    Gives what each one met, sorted (the name of what it made, or the sentence that refused it), and what ``count``
    finds afterwards.
    """
    together = Barrier(len(changes))

    def run(change: Callable[[], Any]) -> str:
        try:
            with key_ring():
                together.wait(timeout=20)
                return type(change()).__name__
        except Refused as refusal:
            return str(refusal)
        finally:
            connections.close_all()

    def look() -> int:
        try:
            return count()
        finally:
            connections.close_all()

    with separate_connections(folder), ThreadPoolExecutor() as threads:
        outcomes = sorted(threads.map(run, changes))
        return outcomes, threads.submit(look).result()
