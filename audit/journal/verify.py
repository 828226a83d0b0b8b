"""Reading the whole journal again: every event, seal, departed month and checkpoint, and the first thing that is wrong.

A seal holds the hash of the one before, and the sealer continues only a seal that it has verified: the signature of the
last one vouches for all. The others are verified only to say which one was forged. The root of the whole journal at
each seal says that no event before it has changed; that of the batch, signed with it, says nothing more.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import date
from hashlib import sha256
from uuid import UUID

from django.db import DatabaseError, connections, models

from audit import signing
from audit.journal import log
from audit.journal.checkpoint import Checkpoint, is_continued, last_checkpoint
from audit.journal.diagnosis import Fault, FoundFault, first_bad_event
from audit.journal.merkle import RightEdge, leaf_hashes
from audit.journal.purge import is_kept
from audit.journal.seals import NO_SEAL, PurgedMonth, Seal
from audit.journal.triggers import ALIAS

logger = logging.getLogger(__name__)

SEALS_AT_ONCE = 200


@dataclass
class Report:
    """What a verification has read, and the first fault that it met ("" when there is none).

    ``event`` is the first bad event and ``seal`` the number of its seal, where they are known; ``checkpoint`` is the
    size of the journal at the last checkpoint compared, None when there was none to compare.
    """

    fault: str = ""
    event: UUID | None = None
    seal: int | None = None
    events: int = 0
    unsealed: int = 0
    seals: int = 0
    months: list[date] = field(default_factory=list)
    checkpoint: int | None = None

    @property
    def is_sound(self) -> bool:
        return not self.fault

    @property
    def sentence(self) -> str:
        """In French, for a page or a terminal."""
        if self.is_sound:
            return f"Journal intact : {self.events} événements lus, {self.seals} sceaux, {self.unsealed} à sceller."
        where = [f"événement {self.event}"] if self.event else []
        where += [f"sceau {self.seal}"] if self.seal else []
        label = str(Fault(self.fault).label)
        return f"{label[0].upper()}{label[1:]}{' : ' if where else ''}{', '.join(where)}."

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"sound": self.is_sound, "sentence": self.sentence}


def verify_journal(since: Iterable[Checkpoint] = ()) -> Report:
    """Read everything again, at one instant and without keeping anybody from writing.

    ``since``: checkpoints kept elsewhere, which the journal must continue; the installation's own file is always asked.
    """
    report = Report()
    try:
        with log.snapshot():
            report.months = sorted(_months_left())
            with closing(log.contents()) as contents:  # before the snapshot ends
                _read_again(report, _Leaves(contents))
            _compare(report, since)
    except FoundFault as found:
        report.fault, report.event, report.seal = found.fault, found.event, found.seal
    except signing.SigningKeyUnavailable as error:
        logger.critical("The journal cannot be verified: %s", error)
        report.fault = Fault.MISSING_KEY
    return report


def _months_left() -> Iterator[date]:
    for month in PurgedMonth.objects.all():
        if not _is_signed(month) or is_kept(month.month, at=month.purged_at):
            raise FoundFault(Fault.FORGED_SEAL)
        yield month.month


def _read_again(report: Report, leaves: _Leaves) -> None:
    known, left = set(signing.public_keys()), set(report.months)
    edge, last, start = RightEdge(), None, 0
    for seal in _seals():
        if not _follows(seal, last, left):
            raise _blame([last, seal])
        if seal.key_id not in known:
            raise FoundFault(Fault.MISSING_KEY, seal=seal.number)
        if seal.month in left:
            edge = _edge_kept(seal)
        else:
            edge.extend(leaves.take(seal.count))
            if edge.root != bytes(seal.log_root):
                found = first_bad_event(seal, start) if _is_signed(seal) else _blame([seal])
                if found is not None:
                    raise found
                edge = _edge_kept(seal)  # the engine stopped on a value further on
            start += seal.count
            if bytes(edge) != bytes(seal.edge):
                raise FoundFault(Fault.FORGED_SEAL, seal=seal.number)
        last = seal
        report.seals, report.events = seal.number, start
    if last is not None and not _is_signed(last):
        raise _blame(_seals())
    report.unsealed = leaves.count_rest()
    if leaves.are_cut:
        raise FoundFault(Fault.ALTERED)
    report.events += report.unsealed


class _Leaves:
    """The hashes of the events of the log, taken in their order."""

    def __init__(self, chunks: Iterator[Iterable[bytes]]) -> None:
        self.are_cut = False  # by a value that no event holds, which SQLite takes in any column
        self._chunks = chunks
        self._waiting: list[bytes] = []

    def take(self, count: int) -> list[bytes]:
        """The next ones; fewer when the log ends, or holds a value that no event holds."""
        while len(self._waiting) < count:
            more = self._more()
            if not more:
                break
            self._waiting += more
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    def count_rest(self) -> int:
        rest = len(self._waiting)
        while more := self._more():
            rest += len(more)
        return rest

    def _more(self) -> list[bytes]:
        try:
            with connections[ALIAS].wrap_database_errors:
                return leaf_hashes(next(self._chunks, ()))
        except DatabaseError:
            if connections[ALIAS].vendor == "postgresql":
                raise
            self.are_cut = True
            return []


def _seals() -> Iterator[Seal]:
    return Seal.objects.order_by("number").iterator(chunk_size=SEALS_AT_ONCE)


def _follows(seal: Seal, last: Seal | None, left: set[date]) -> bool:
    number, size, previous = (last.number, last.size, last.hash) if last is not None else (0, 0, NO_SEAL)
    index = bytes(seal.index)
    has_index = sha256(index).digest() == bytes(seal.index_digest) or (not index and seal.month in left)
    return (
        has_index and seal.number == number + 1 and seal.size == size + seal.count and bytes(seal.previous) == previous
    )


def _edge_kept(seal: Seal) -> RightEdge:
    """The tree as it was when a departed month had been sealed."""
    try:
        edge = RightEdge(seal.size, bytes(seal.edge))
    except ValueError:
        raise FoundFault(Fault.FORGED_SEAL, seal=seal.number) from None
    if edge.root != bytes(seal.log_root):
        raise FoundFault(Fault.FORGED_SEAL, seal=seal.number)
    return edge


def _blame(seals: Iterable[Seal | None]) -> FoundFault:
    """The first seal that we did not sign; when we signed them all, the last one does not belong where it is."""
    number = None
    for seal in seals:
        if seal is not None:
            number = seal.number
            if not _is_signed(seal) or not _holds_its_index(seal):
                return FoundFault(Fault.FORGED_SEAL, seal=number)
    return FoundFault(Fault.BROKEN_CHAIN, seal=number)


def _holds_its_index(seal: Seal) -> bool:
    """Or none at all: it leaves with its month."""
    return not seal.index or sha256(bytes(seal.index)).digest() == bytes(seal.index_digest)


def _is_signed(record: Seal | PurgedMonth) -> bool:
    try:
        record.verify()
    except signing.BadSignature:
        return False
    except signing.UnknownKey:
        raise FoundFault(Fault.MISSING_KEY, seal=record.pk if isinstance(record, Seal) else None) from None
    return True


def _compare(report: Report, since: Iterable[Checkpoint]) -> None:
    try:
        own = last_checkpoint()
    except signing.BadSignature:
        raise FoundFault(Fault.REWRITTEN) from None
    except signing.UnknownKey:
        raise FoundFault(Fault.MISSING_KEY) from None
    largest = Seal.objects.aggregate(size=models.Max("size"))["size"] or 0
    for checkpoint in (*since, *([own] if own is not None else [])):
        if checkpoint.size > largest:
            raise FoundFault(Fault.TRUNCATED)
        if not is_continued(checkpoint):
            raise FoundFault(Fault.REWRITTEN)
        report.checkpoint = max(report.checkpoint or 0, checkpoint.size)
