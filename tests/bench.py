"""« make bench »: first pages of the day from 1,000 to 10,000 parcours, encryption, search, rights. Nothing is a test.

On PostgreSQL when a server answers, on SQLite otherwise. Times are of this machine: only their ratio means something.
``python tests/bench.py access`` measures the rights alone, up to 1,000,000 parcours; ``journal`` the events, their
seals and their verification (with ``--sqlite`` too); ``history`` a timeline among 10,000,000 rows.
"""

import gc
import os
import platform
import secrets
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests import suite

SIZES = (1_000, 10_000)
REPEATS = 30


def main() -> None:
    name = f"marelle_bench_{secrets.token_hex(4)}"
    on_postgresql = "--sqlite" not in sys.argv[1:] and not suite.said(suite.postgresql_missing())
    if on_postgresql:
        os.environ.update(DATABASE_URL=suite.database_url(name), KEYSTORE_URL=suite.database_url(f"{name}_keys"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from tests import bench_access, bench_journal

    parts = {"pages": pages, "journal": bench_journal.run_journal}
    if on_postgresql:
        parts |= {"access": bench_access.run, "history": bench_journal.run_history}
    else:
        print("Les droits et l’historique à grande échelle ne sont mesurés que sur PostgreSQL.")
    asked = [name for name in parts if name in sys.argv[1:]]
    for name in asked or parts:
        parts[name]()


def pages() -> None:
    """The pages of the day in two invented cities, encryption and search."""
    import django
    from django.db import connection

    from tests import bench_encryption

    measures = {}
    for size in SIZES:
        with city(size):
            gc.collect()
            gc.freeze()  # a server's memory does not hold the city that was just loaded
            measures[size] = list(measured())
            version = server_version()
            if size == min(SIZES):
                bench_encryption.run()
            if size == max(SIZES):
                bench_encryption.searches(bench_encryption.scopes_of(400))
    print(f"\nPython {platform.python_version()}, Django {django.__version__}, {connection.vendor} {version}")
    print(f"Médiane de {REPEATS} lectures, en millisecondes, requêtes entre parenthèses.\n")
    print(f"{'page':<28}" + "".join(f"{size:>14}" for size in SIZES) + f"{'rapport':>10}")
    for small, large in zip(*measures.values(), strict=True):
        cells = "".join(f"{f'{row[1]:.1f} ({row[2]})':>14}" for row in (small, large))
        print(f"{small[0]:<28}{cells}{large[1] / small[1]:>10.2f}")


@contextmanager
def city(children: int) -> Iterator[None]:
    """A throw-away database with so many children followed this school year."""
    from django.db import connection
    from django.test.runner import DiscoverRunner
    from django.utils import timezone

    from pre_cases.demo.calendar import Targets
    from pre_cases.demo.load import load

    runner = DiscoverRunner(verbosity=0, interactive=False)
    runner.setup_test_environment()
    databases = runner.setup_databases(serialized_aliases=[])
    try:
        print(f"{children} enfants sur {connection.vendor}…", flush=True)
        load(seed=1, today=timezone.localdate(), targets=Targets(0, 0, children))
        yield
    finally:
        runner.teardown_databases(databases)
        runner.teardown_test_environment()


def measured() -> Iterator[tuple[str, float, int]]:
    """For each page: its name, the median time of a reading in milliseconds, and its queries on both databases."""
    from django.urls import reverse

    from pre_cases.demo.accounts import AMINA, BENOIT, DAVID
    from referents.models import Membership, Role, User
    from tests.conftest import SecureClient, sign_in
    from tests.queries import queries_of

    team = Membership.objects.get(user__email=BENOIT.email, role=Role.REFERENT).team
    assert team is not None
    for account, title, url in (
        (BENOIT, "Mes parcours", reverse("pre_cases:my_parcours")),
        (AMINA, "Parcours d’une équipe", reverse("pre_cases:team_parcours", args=[team.code])),
        (AMINA, "Tableau d’une équipe", reverse("pre_cases:team_board", args=[team.code])),
        (DAVID, "Partagés avec moi", reverse("pre_cases:shared_parcours")),
    ):
        client = SecureClient()
        sign_in(client, User.objects.get(email=account.email))
        queries = len(queries_of(client, url))
        times = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            Context().run(client.get, url)  # as a request: no data key is left from the one before
            times.append((time.perf_counter() - began) * 1_000)
        yield title, statistics.median(times), queries


def server_version() -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version")
        return str(cursor.fetchone()[0])


if __name__ == "__main__":
    main()
