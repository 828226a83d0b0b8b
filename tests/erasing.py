"""« make erasures »: a hundred children erased among fourteen hundred, and everything that it must not change.

The invented city on SQLite files of its own, the job as the worker runs it. Looks for what the erased had (every sealed
value and every wrapped key) in the raw bytes of both databases, compares every other row byte for byte and the figures
of every year, and reads the old data with the present keystore. Exits with 1 when something is found. The suite plays
the same with fewer children (``tests/pre_cases/test_erasing.py``).
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from pre_cases.models import Child
    from referents.models import User

ROOT = Path(__file__).resolve().parent.parent
SCALE, ERASED = 0.235, 100  # about 1,400 children
BEGINNING = rb"\x01\x01\x00\x01(.{12})"  # of a sealed value: format, algorithm, key version, then its nonce
BEGINNING_IN_HEX = rb"01010001([0-9a-f]{24})"
AN_ID = re.compile(r"[0-9a-f]{32}")
CHANGED = {
    "default.audit_event",
    "default.pre_cases_erasure",
    "default.pre_cases_yearlyfacts",
    "keys.keystore_tombstone",
}


@dataclass
class Before:
    """What is known of the erased and of the others before anything leaves."""

    ids: set[str]
    nonces: set[bytes]
    wrapped: set[bytes]
    names: dict[UUID, tuple[Any, UUID, str]]  # by child: its sealed first name, its key, and the name
    figures: dict[Any, list[Any]]
    rows: dict[str, Counter[str]]


@dataclass
class Faults:
    found: list[str] = field(default_factory=list)

    def expect(self, is_true: bool, sentence: str) -> None:
        print(f"{'ok ' if is_true else 'NO '} {sentence}", flush=True)
        if not is_true:
            self.found.append(sentence)


def erase_and_compare(erased: list[Child], by: User, officer: User, raw: Any, *, years: int = 99) -> list[str]:
    """Erase these children through the whole job; what is not as it should be afterwards, one sentence each.

    ``raw`` gives the bytes of both databases as they lie on the disk; ``years`` limits the years that are over whose
    figures are compared, the oldest first.
    """
    faults = Faults()
    before = look(erased, raw(), years)
    seconds = time.monotonic()
    carry_out(erased, by, officer)
    print(f"    {len(erased)} erased in {time.monotonic() - seconds:.1f} s", flush=True)
    compare(before, erased, raw(), faults)
    return faults.found


def carry_out(erased: list[Child], by: User, officer: User) -> None:
    from audit.encryption.keys import load_keys_of
    from pre_cases.services.erasure_job import run_erasure
    from pre_cases.services.erasure_request import approve_erasure, request_erasure

    for child in erased:
        load_keys_of(child)
        asked = request_erasure(child=child, motive="family", reason="Demande.", by=by)
        run_erasure(erasure_id=approve_erasure(erasure=asked, by=officer).pk)


def look(erased: list[Child], raw: bytes, years: int) -> Before:
    from audit.encryption.keys import load_keys_of
    from audit.encryption.keystore.models import DataKey
    from pre_cases.models import Child
    from tests.whole_file import everything

    ids, nonces, keys = set(), set(), set()
    for plan in plans_of(erased):
        ids |= {pk.hex for found in plan.rows.values() for pk in found if isinstance(pk, UUID)}
        ids |= {key.hex for key in plan.data_keys}
        nonces |= set(sealed_in(plan))
        keys |= plan.data_keys
    wrapped = {bytes(row) for row in DataKey.objects.filter(key_id__in=keys).values_list("wrapped", flat=True)}
    assert nonces <= nonces_in(raw), "the control fails: what is there is not found"
    children = {child.pk: child for child in Child.objects.all()}
    load_keys_of(*children.values())
    sealed = Child.objects.values_list("pk", "first_name", "data_key_id")
    names = {pk: (envelope, key, children[pk].first_name) for pk, envelope, key in sealed}
    return Before(ids, nonces, wrapped, names, figures_by_year(years_compared(years)), everything())


def plans_of(erased: list[Child]) -> Iterable[Any]:
    """What leaves with each, and with their families once the last child of one is among them."""
    from audit.erasure import plan_for
    from pre_cases.models import Child, Family
    from pre_cases.services.erasure import plan_erasure

    for child in erased:
        yield plan_erasure(child)
    left = Child.objects.exclude(pk__in=[child.pk for child in erased]).values("family")
    for family in Family.objects.filter(children__in=erased).exclude(pk__in=left).distinct():
        yield plan_for(family)


def sealed_in(plan: Any) -> Iterable[bytes]:
    """The nonce of each sealed value of these rows and of their history."""
    from audit.encryption.keyed import encrypted_fields

    for model, ids in plan.rows.items():
        versions = [model._base_manager.filter(pk__in=ids)]
        if hasattr(model, "history"):
            versions.append(model.history.model._base_manager.filter(id__in=ids))
        for rows in versions:
            for sealed_field in encrypted_fields(rows.model):
                for value in rows.values_list(sealed_field.attname, flat=True):
                    if value is not None:
                        yield bytes(value.data)[4:16]


def nonces_in(raw: bytes) -> set[bytes]:
    """Those of every sealed value in these bytes, as SQLite or a dump of PostgreSQL writes them."""
    return set(re.findall(BEGINNING, raw, re.DOTALL)) | set(map(_unhex, re.findall(BEGINNING_IN_HEX, raw)))


def _unhex(text: bytes) -> bytes:
    return bytes.fromhex(text.decode())


def years_compared(most: int) -> list[Any]:
    """The oldest years that are over, and the two that run."""
    from django.utils import timezone

    from pre_cases.statistics.period import Period
    from pre_cases.statistics.years import finished_years, running_school_year

    running = [Period.civil_year(timezone.localdate().year), Period.school_year(running_school_year().starts_on.year)]
    return [*finished_years()[::-1][:most], *running]


def figures_by_year(years: Iterable[Any]) -> dict[Any, list[Any]]:
    """Every figure of the programme by year, exact; of a year that runs, those that are not a mean or a median."""
    from django.utils import timezone

    from pre_cases.statistics.extent import whole_extent
    from pre_cases.statistics.report import figures

    today = timezone.localdate()
    found = {}
    for year in years:
        cells = [cell for table in figures(year, whole_extent()) for cell in table.cells]
        is_over = year.ends_on < today
        found[year] = [
            cell for cell in cells if is_over or (cell.base in ("", "children") and cell.table not in LIVING_ONLY)
        ]
    return found


# Of a year that runs: establishments, teams and people at work.
LIVING_ONLY = {"schools_concerned", "teams", "caseload"}


def compare(before: Before, erased: list[Child], raw: bytes, faults: Faults) -> None:
    from audit.encryption.errors import UnreadableValue
    from pre_cases.models import Child, Erasure
    from tests.whole_file import difference, everything

    done = Erasure.objects.filter(subject_id__in=[child.pk for child in erased], state="done").count()
    faults.expect(done == len(erased), f"{done} certificates for {len(erased)} children")
    residue = before.nonces & nonces_in(raw)
    faults.expect(not residue, f"{len(residue)} of {len(before.nonces)} sealed values left in the raw bytes")
    left = sum(key in raw or key.hex().encode() in raw for key in before.wrapped)
    faults.expect(not left, f"{left} of {len(before.wrapped)} wrapped keys left in the raw bytes")
    after = everything()
    lost, made = difference(before.rows, after), difference(after, before.rows)
    foreign = [row for rows in lost.values() for row in rows if not before.ids & set(AN_ID.findall(row))]
    others = sum(map(len, before.rows.values())) - sum(map(len, lost.values()))
    faults.expect(not foreign, f"{others} other rows byte-identical, {len(foreign)} changed")
    faults.expect(set(made) <= CHANGED, f"rows written only where erasures are remembered: {sorted(made)}")
    now = figures_by_year(before.figures)
    changed = [cell for year, cells in before.figures.items() for cell in set(cells) ^ set(now.get(year, []))]
    numbers = sum(map(len, before.figures.values()))
    faults.expect(not changed, f"{numbers} figures of {len(before.figures)} years unchanged, but {changed[:4]}")
    gone = {child.pk for child in erased}
    readable = {pk for pk, old in before.names.items() if _reads(pk, old, UnreadableValue)}
    faults.expect(not readable & gone, f"{len(readable & gone)} of the erased readable in the old data")
    living = set(Child.objects.values_list("pk", flat=True))
    faults.expect(readable == living == set(before.names) - gone, f"{len(living)} others readable in the old data")


def _reads(pk: UUID, old: tuple[Any, UUID, str], unreadable: type[Exception]) -> bool:
    """Whether an old sealed first name opens with the present keystore, and is the right one."""
    from audit.encryption.keys import load_keys, own_key_ring
    from pre_cases.models import Child

    envelope, key, name = old
    sealed = Child._meta.get_field("first_name")
    with own_key_ring():
        load_keys([key])
        try:
            return sealed.value_of(sealed.unseal(envelope, pk, key), pk) == name
        except unreadable:
            return False


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="marelle-erasures-") as folder:
        os.environ.update(
            MARELLE_ENV_FILE=os.devnull,
            MARELLE_VAR_DIR=folder,
            MARELLE_DEMO="1",
            SECRET_KEY=secrets.token_urlsafe(60),
            MARELLE_KEY_PROVIDER="env:MARELLE_CAMPAIGN_KEY",
            MARELLE_CAMPAIGN_KEY=base64.b64encode(secrets.token_bytes(32)).decode(),
            MARELLE_SIGNING_KEY="env:MARELLE_CAMPAIGN_SIGNING_KEY",
            MARELLE_CAMPAIGN_SIGNING_KEY=base64.b64encode(secrets.token_bytes(32)).decode(),
            CELERY_BROKER_URL="memory://",
            DJANGO_SETTINGS_MODULE="config.settings",
        )
        for name in ("DATABASE_URL", "KEYSTORE_URL"):
            os.environ.pop(name, None)
        sys.path.insert(0, str(ROOT))
        import django

        django.setup()
        return play(Path(folder))


def play(folder: Path) -> int:
    from django.core.management import call_command
    from django.db import connections

    from audit.encryption.keys import key_ring
    from pre_cases.models import Child, RetentionHold
    from referents.models import User

    for alias in ("default", "keys"):
        call_command("migrate", database=alias, verbosity=0, skip_checks=True)
    call_command("load_demo", scale=SCALE)

    def raw() -> bytes:
        for alias in ("default", "keys"):
            with connections[alias].cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())

    with key_ring():
        RetentionHold.objects.all()._raw_delete("default")  # the demonstration keeps its past
        RetentionHold.history.all()._raw_delete("default")
        closed = list(Child.objects.exclude(parcours_list__closed_on__isnull=True).order_by("pk").distinct())
        erased = Random(1).sample(closed, ERASED)
        print(f"    {Child.objects.count()} children, {ERASED} to erase", flush=True)
        people = [User.objects.get(first_name=name, email__contains="demo.") for name in ("Amina", "Gaëlle")]
        return int(bool(erase_and_compare(erased, *people, raw)))


if __name__ == "__main__":
    sys.exit(main())
