"""Sex and age of each followed child. Birth dates are encrypted: read by chunks, kept for one line, never stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from itertools import islice
from typing import Any

from audit.encryption.keys import UnreadableValue, key_ring, load_keys_of
from audit.encryption.keystore.models import Tombstone
from audit.journal.models import Action
from audit.journal.record import record_event
from partners.models import AgeBand
from pre_cases.models import Child
from pre_cases.statistics.population import CHUNK, Population
from pre_cases.statistics.tables import UNKNOWN

PURPOSE = "annual_statistics"


def read_identities(population: Population, on_share: Callable[[float], None] = lambda share: None) -> None:
    """Fill in sex and age band; ``on_share`` hears the share read, from 0 to 1.

    One event says that the keys of so many children were used, before the first is. The keys of a chunk leave with it,
    unless the caller already holds a ring.
    """
    if not population.children:
        return
    record_event(Action.KEY_USE, kind="pre_cases.child", purpose=PURPOSE, detail={"children": len(population.children)})
    rows = Child.objects.filter(pk__in=population.child_ids()).only("id", "sex", "birth_date", "data_key_id").order_by()
    done = 0
    for chunk in _chunks(rows.iterator(chunk_size=CHUNK)):
        with key_ring():
            known = [child for child in chunk if child.pk in population.children]
            load_keys_of(*known)
            for child in known:
                _read(population, child)
        done += len(chunk)
        on_share(min(1.0, done / len(population.children)))


def _chunks(rows: Iterator[Child]) -> Iterator[list[Child]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _read(population: Population, child: Any) -> None:
    facts = population.children[child.pk]
    facts.sex = child.sex or UNKNOWN
    age = _age(child, facts.reference_day(population.period))
    facts.age_band = UNKNOWN if age is None or age < 0 else AgeBand.of(age).value


def _age(child: Any, on: date) -> int | None:
    """None too for a child whose key is destroyed and whose rows have not left yet: killed, or just restored."""
    try:
        found: int | None = child.age(on)
    except UnreadableValue:
        if not Tombstone.objects.filter(key_id=child.data_key_id).exists():
            raise
        return None
    return found
