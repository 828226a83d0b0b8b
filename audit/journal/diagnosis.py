"""What was done to a sealed event: found from the table that its seal holds, once the roots have said that it was."""

from __future__ import annotations

from uuid import UUID

from django.db import DatabaseError, models, transaction

from audit.journal import log
from audit.journal.merkle import leaf_hashes
from audit.journal.models import Event
from audit.journal.seals import Entry, Seal, entries_of
from audit.journal.triggers import ALIAS

NEARBY = 100  # events looked at beyond a seal: another id moves an event within its transaction


class Fault(models.TextChoices):
    ALTERED = "altered", "événement modifié"
    DELETED = "deleted", "événement supprimé"
    INSERTED = "inserted", "événement ajouté après coup"
    REORDERED = "reordered", "événement déplacé"
    TRUNCATED = "truncated", "fin du journal coupée"
    FORGED_SEAL = "forged_seal", "sceau falsifié"
    BROKEN_CHAIN = "broken_chain", "chaîne des sceaux rompue"
    MISSING_KEY = "missing_key", "clé de signature absente ou inconnue"
    REWRITTEN = "rewritten", "journal réécrit : il ne continue pas le point de contrôle"


class FoundFault(Exception):
    """The first thing that is wrong, and where."""

    def __init__(self, fault: Fault, *, event: UUID | None = None, seal: int | None = None) -> None:
        super().__init__(fault)
        self.fault = fault
        self.event = event
        self.seal = seal


def first_bad_event(seal: Seal, start: int) -> FoundFault | None:
    """What happened to the events of a seal, which are ``start`` events into the log; None when they are as sealed."""
    present = log.ids(start, seal.count + NEARBY)
    for place, entry in enumerate(entries_of(bytes(seal.index))):
        there = present[place] if place < len(present) else None
        if there != entry.id:
            fault, event = _displaced(entry, there, present)
            return FoundFault(fault, event=event, seal=seal.number)
        if not _is_as_sealed(entry):
            return FoundFault(Fault.ALTERED, event=entry.id, seal=seal.number)
    return None


def _displaced(entry: Entry, there: UUID | None, present: list[UUID]) -> tuple[Fault, UUID]:
    """Another event, or none, is at the place of this one; ``present`` are those around it."""
    if not _exists(entry.id):
        if there is None:
            return Fault.TRUNCATED, entry.id
        if any(_is_as_sealed(entry, now=event, but_for="id") for event in present):
            return Fault.ALTERED, entry.id
        return Fault.DELETED, entry.id
    if there is not None:
        known = _entry_of(there)
        if known is None:
            return Fault.INSERTED, there
        if not _is_as_sealed(known):
            entry = known
    if _is_as_sealed(entry) or _is_as_sealed(entry, but_for="transaction_id"):
        return Fault.REORDERED, entry.id
    return Fault.ALTERED, entry.id


def _is_as_sealed(entry: Entry, *, now: UUID | None = None, but_for: str = "") -> bool:
    """Whether an event (``now``, under another id) gives the hash sealed, one column set back to what it was."""
    former = {"id": entry.id, "transaction_id": entry.transaction}
    try:
        with transaction.atomic(using=ALIAS):
            content = log.content_of(now or entry.id, {but_for: former[but_for]} if but_for else None)
    except DatabaseError:
        return False  # a value that no event holds
    return content is not None and leaf_hashes([content])[0][:8] == entry.leaf


def _exists(event_id: UUID) -> bool:
    return Event.objects.filter(pk=event_id).exists()


def _entry_of(event_id: UUID) -> Entry | None:
    """What a seal holds of an event, wherever it was sealed."""
    for index in Seal.objects.order_by("number").values_list("index", flat=True).iterator(chunk_size=200):
        if event_id.bytes in bytes(index):
            for entry in entries_of(bytes(index)):
                if entry.id == event_id:
                    return entry
    return None
