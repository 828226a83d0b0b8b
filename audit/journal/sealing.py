"""Sealing what was committed, a few seconds later and in no request: one sealer at a time, in batches of one month."""

from __future__ import annotations

from hashlib import sha256
from itertools import takewhile

from django.db import connections, transaction

from audit.journal.log import Line, Place, PlaceLost, horizon, read_lines
from audit.journal.merkle import RightEdge, leaf_hashes, root_of
from audit.journal.seals import NO_SEAL, PurgedMonth, Seal, index_of
from audit.journal.triggers import ALIAS
from audit.signing import BadSignature, UnknownKey

BATCH = 10_000  # events under one seal, at most
LOCK = int.from_bytes(b"sealer")  # PostgreSQL's advisory locks are numbers


class JournalDamaged(Exception):
    """The journal cannot be continued: ``verify_journal`` says what was done to it. Nothing was sealed."""


def seal_committed() -> int:
    """Seal every event that is committed and not sealed yet, in as many batches as needed; how many seals.

    Nothing happens while another process is sealing. Raises JournalDamaged, or SigningKeyUnavailable: the events then
    wait, and nobody is kept from working.
    """
    below = horizon()
    made = 0
    while _seal_next(below):
        made += 1
    return made


def place_sealed() -> Place | None:
    """The last event sealed that is still in the journal; None when none is."""
    left = PurgedMonth.objects.values("month")
    seal = Seal.objects.exclude(month__in=left).defer("index").order_by("-number").first()
    return seal.place if seal is not None else None


@transaction.atomic(using=ALIAS)
def _seal_next(below: int | None) -> Seal | None:
    if not _is_alone():
        return None
    last = Seal.objects.defer("index").order_by("-number").first()
    _require_signed(last)
    try:
        lines = read_lines(place_sealed(), below, BATCH)
    except PlaceLost as error:
        raise JournalDamaged(f"The last sealed event, {error}, is no longer in the journal.") from None
    lines = list(takewhile(lambda line: line.month == lines[0].month, lines))
    if not lines:
        return None
    seal = _seal(lines, after=last)
    seal.sign()
    seal.save(force_insert=True)
    return seal


def _seal(lines: list[Line], *, after: Seal | None) -> Seal:
    leaves = leaf_hashes(line.content for line in lines)
    edge = RightEdge(after.size, bytes(after.edge)) if after is not None else RightEdge()
    edge.extend(leaves)
    index = index_of(lines, leaves)
    return Seal(
        number=after.number + 1 if after is not None else 1,
        month=lines[0].month,
        first_event=lines[0].id,
        last_event=lines[-1].id,
        last_transaction=lines[-1].transaction,
        count=len(lines),
        size=edge.size,
        root=root_of(leaves),
        log_root=edge.root,
        edge=bytes(edge),
        index=index,
        index_digest=sha256(index).digest(),
        previous=after.hash if after is not None else NO_SEAL,
    )


def _require_signed(last: Seal | None) -> None:
    """A chain is only continued from a seal that we signed: what is signed after it vouches for all before."""
    if last is None:
        return
    try:
        last.verify()
        edge = RightEdge(last.size, bytes(last.edge))
    except (BadSignature, UnknownKey, ValueError) as error:
        raise JournalDamaged(f"Seal {last.number} is not one of ours ({type(error).__name__}).") from None
    if edge.root != bytes(last.log_root):
        raise JournalDamaged(f"Seal {last.number} does not hold together.")


def _is_alone() -> bool:
    """The lock lasts as long as the transaction; on SQLite the transaction is the lock."""
    connection = connections[ALIAS]
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])
