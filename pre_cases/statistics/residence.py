"""Priority neighbourhood and eligibility of each followed child: fixed at the entry, never computed again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import groupby
from typing import NamedTuple

from pre_cases.models import Residence
from pre_cases.statistics.population import CHUNK, Population
from pre_cases.statistics.schooling import NO_LABEL
from pre_cases.statistics.tables import UNKNOWN

OUTSIDE = "outside"


class Home(NamedTuple):
    """One residence, half-open; ``determined_on`` is None while nobody has looked."""

    starts_on: date
    ends_on: date | None
    qpv_code: str
    qpv_generation: str
    determined_on: date | None


def read_residences(population: Population) -> None:
    """Fill in the residence of each child at the entry, and then the eligibility. Schooling is read before."""
    rows = (
        Residence.objects.filter(child__in=population.child_ids(), starts_on__lte=population.period.ends_on)
        .order_by("child_id", "starts_on", "id")
        .values_list("child_id", *Home._fields)
    )
    for child_id, group in groupby(rows.iterator(chunk_size=CHUNK), key=lambda row: row[0]):
        child = population.children.get(child_id)
        if child is not None:
            child.residence = residence_on((Home(*row[1:]) for row in group), child.last.entered_on)
    for child in population.children.values():
        child.eligibility = eligibility(child.residence, child.label_at_entry)


def residence_on(homes: Iterable[Home], day: date) -> str:
    """The generation of the priority neighbourhood lived in on a day, ``outside``, or not filled in.

    Only the generation in force that day counts. Of two homes (alternating residence) either suffices; outside is
    said only when every home was looked at.
    """
    generation = Residence.generation_on(day)
    current = [home for home in homes if home.starts_on <= day and (home.ends_on is None or day < home.ends_on)]
    looked = [home for home in current if home.determined_on and _generation(home) == generation]
    if any(home.qpv_code for home in looked):
        return generation
    return OUTSIDE if looked and len(looked) == len(current) else UNKNOWN


def _generation(home: Home) -> str:
    if home.qpv_generation or home.determined_on is None:
        return home.qpv_generation
    return Residence.generation_on(home.determined_on)


def eligibility(residence: str, label: str) -> str:
    """The two facts at the entry, joined: unknown as soon as one of them is."""
    if UNKNOWN in (residence, label):
        return UNKNOWN
    lives_in, goes_to = residence != OUTSIDE, label != NO_LABEL
    if lives_in and goes_to:
        return "both"
    return "qpv_only" if lives_in else "rep_only" if goes_to else "neither"
