"""What the journal costs: the event of a page, sealing and verifying a million events, a timeline among ten million.

« python tests/bench.py journal » and « … history ». Times are of this machine; the bars are ratios within one run, but
for the verification, whose bar is a rate.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any
from unittest import mock

from django.db import connection, transaction
from django.test import override_settings
from django.test.runner import DiscoverRunner

from audit.journal import log, sealing
from audit.journal.models import Event
from audit.journal.verify import verify_journal
from pre_cases.models import Entry
from tests import access_volume

EVENTS, RATE = 1_000_000, 200_000
PAGES, SHARE = 200, 0.10
FEW, MANY, SLOWER = 10_000, 10_000_000, 2.0
VERSIONS = 20  # rows of history of one record
HISTORY = Entry.history.model


@contextmanager
def database() -> Iterator[None]:
    """A throw-away database, dropped whatever happens."""
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases(serialized_aliases=[])
    try:
        yield
    finally:
        runner.teardown_databases(databases)


def best(function: Callable[[], Any], times: int) -> float:
    """The shortest of several readings, in seconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        function()
        found.append(time.perf_counter() - began)
    return min(found)


def say(kept: bool, said: str, value: str) -> None:
    print(f"{'ok' if kept else 'KO':<4}{said:<60}{value}", flush=True)


# -- the event of a page ------------------------------------------------------------------------------------------


def event_of_a_page() -> None:
    """The same page with its event and without, one after the other; inside ``bench.city()``."""
    from django.urls import reverse

    from audit.journal import consult
    from pre_cases.demo.accounts import BENOIT
    from pre_cases.models import Parcours
    from referents.models import User
    from tests.conftest import SecureClient, sign_in

    benoit = User.objects.get(email=BENOIT.email)
    client = SecureClient()
    sign_in(client, benoit)
    parcours = Parcours.objects.visible_to(benoit).first()
    assert parcours is not None
    for title, url in (
        ("Mes parcours", reverse("pre_cases:my_parcours")),
        ("Un parcours", reverse("pre_cases:parcours_detail", args=[parcours.pk])),
    ):
        times: dict[bool, list[float]] = {True: [], False: []}
        for number in range(2 * PAGES):
            is_kept = bool(number % 2)
            without = mock.patch.object(consult, "record_event") if not is_kept else mock.patch.dict({})
            with without:
                began = time.perf_counter()
                answer = Context().run(client.get, url)
                times[is_kept].append(time.perf_counter() - began)
            assert answer.status_code == 200
        page, bare = statistics.median(times[True]), statistics.median(times[False])
        share = (page - bare) / page
        said = f"{title} : l’événement ≤ {SHARE:.0%} de la page"
        say(share <= SHARE, said, f"{share:.1%} ({(page - bare) * 1_000:.2f} ms sur {page * 1_000:.1f})")


# -- sealing and verifying ----------------------------------------------------------------------------------------


def million() -> None:
    """A million events written by hand, sealed in batches of all sizes, and verified."""
    fill(EVENTS)
    written = Event.objects.count()  # with those of the pages above
    with tempfile.TemporaryDirectory() as folder, override_settings(JOURNAL_CHECKPOINTS=f"{folder}/checkpoints"):
        for title, batches in (("grands lots", 10_000), ("lots de 50 en moyenne", 100)):
            with transaction.atomic():
                began = time.perf_counter()
                seals = seal_all(batches)
                sealed = time.perf_counter() - began
                report = verify_journal()
                assert report.is_sound, report
                assert (report.events, report.unsealed) == (written, 0)
                rate = written / best(verify_journal, 3)
                transaction.set_rollback(True)
            print(f"    {title} : {seals} sceaux en {sealed:.1f} s ({written / sealed:,.0f} événements par seconde)")
            say(rate >= RATE, f"{title} : verify_journal ≥ {RATE:,} événements par seconde", f"{rate:,.0f}")


def seal_all(largest: int) -> int:
    chance, made = random.Random(1), 0
    while True:
        with mock.patch.object(sealing, "BATCH", chance.randrange(1, largest + 1) if largest < 1_000 else largest):
            if sealing._seal_next(None) is None:
                return made
        made += 1


def fill(count: int) -> None:
    """Events as pages write them."""
    columns = ", ".join(log.COLUMNS)
    if connection.vendor == "postgresql":
        rows = (
            f"SELECT {access_volume.uuid(1)}, '2026-03-01'::timestamptz + i * interval '0.5 second', 'read', i % 200, "
            "NULL, 'referent', i % 12, 'pre_cases.parcours', jsonb_build_array(gen_random_uuid()), gen_random_uuid(), "
            "i % 12, '', '', gen_random_uuid(), '192.0.2.0/24', '{}', 1000 + i FROM generate_series(1, %s) i"
        )
    else:
        rows = (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s) SELECT printf('%%032x', i), "
            "strftime('%%Y-%%m-%%d %%H:%%M:%%S', '2026-03-01', (i / 2) || ' seconds') || "
            "printf('.%%06d', i %% 1000000), "
            "'read', i %% 200, NULL, 'referent', i %% 12, 'pre_cases.parcours', "
            "'[\"' || lower(hex(randomblob(18))) || '\"]', lower(hex(randomblob(16))), i %% 12, '', '', "
            "lower(hex(randomblob(16))), '192.0.2.0/24', '{}', 0 FROM n"
        )
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            rows = rows.replace(" % ", " %% ")
        cursor.execute(f"INSERT INTO {Event._meta.db_table} ({columns}) {rows}", [count])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


# -- a timeline among many ----------------------------------------------------------------------------------------


def timelines() -> None:
    """The history of one record, its last page and the whole of it, as the table grows a thousand times."""
    table, measures = HISTORY._meta.db_table, {}
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} SET UNLOGGED")
        for size in (FEW, MANY):
            began = time.perf_counter()
            cursor.execute(f"TRUNCATE {table}")
            with access_volume.rebuilt_after(cursor, [table]):
                access_volume.insert(
                    cursor,
                    HISTORY,
                    f"(SELECT g / {VERSIONS} AS i, g FROM generate_series(0, {size - 1}) g) rows",
                    id=access_volume.uuid(1),
                    parcours=access_volume.uuid(2),
                    history_id="g + 1",
                    history_date="'2026-01-01'::timestamptz + g * interval '1 second'",
                    history_type="'~'",
                )
            cursor.execute(f"VACUUM (ANALYZE) {table}")
            print(f"    {size:,} lignes d’historique en {time.perf_counter() - began:.0f} s", flush=True)
            measures[size] = timeline(size)
    ratio = measures[MANY] / measures[FEW]
    say(ratio <= SLOWER, f"un fil parmi {MANY:,} lignes ≤ {SLOWER:g} × parmi {FEW:,}", f"{ratio:.2f}")


def timeline(size: int) -> float:
    """Median time of the history of a record, drawn among all, in milliseconds."""
    chance, times = random.Random(size), []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {access_volume.uuid(1)} FROM generate_series(0, {size // VERSIONS - 1}) i OFFSET 0")
        drawn = chance.sample([pk for (pk,) in cursor.fetchmany(100_000)], min(300, size // VERSIONS))
    for pk in drawn:
        began = time.perf_counter()
        assert len(list(HISTORY.objects.filter(id=pk).order_by("-history_date")[:100])) == VERSIONS
        times.append(time.perf_counter() - began)
    median = statistics.median(times[len(times) // 3 :]) * 1_000
    print(f"    un fil de {VERSIONS} versions parmi {size:,} lignes : {median:.2f} ms", flush=True)
    return median


def run_journal() -> None:
    from tests import bench

    with bench.city(min(bench.SIZES)):
        event_of_a_page()
        million()


def run_history() -> None:
    with database():
        timelines()
