"""Which tables of a report are protected together.

A *tie* says how many children (or facts) of each team stand in the same cells of several tables. It is one problem of
the engine: its leaves are a team and a signature, its figures every cell of those tables. A table that no tie names is
its own. A tie *decides* the cells that no earlier one has decided; those decided before are known to everybody where
they are shown, and where one is hidden nothing of the tie is shown either. So ties that are safe one by one are safe
together: docs/adr/0025-tied-tables-are-one-problem.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit.disclosure.cells import TOTAL, Cell, Subject
from pre_cases.statistics.tables import UNKNOWN, Figures

Leaf = tuple[str, str]  # a team (the top for what is not counted by team) and a signature

# Tables of one population: its total is one number, told by each of them.
FOLLOWED = (
    "movement",
    "interruptions",
    "sex",
    "age",
    "age_sex",
    "level_rollup",
    "level",
    "support",
    "school_status",
    "residence",
    "eligibility",
    "actions_per_child",
)
RECEIVED = ("saisine_source", "saisine_outcome")
SAISINE_SIGNS = ("saisine_signs", "saisine_signs_heading")
# Of several values: those with a value recorded, and those without, are what the ties of the values take as known.
BASES = ("tie_signs", "tie_actions")


@dataclass(frozen=True)
class Tie:
    code: str
    counts: Mapping[Leaf, int]


def ties_of(counted: Sequence[Figures]) -> list[Tie]:
    """Every tie, those whose cells others take as known first."""
    tables = {table.spec.code: table for table in counted if not table.spec.is_tie}
    crossed = [
        Tie(
            table.spec.code,
            {(cell.geography, cell.category): int(cell.value) for cell in table.cells if _is_leaf(cell)},
        )
        for table in sorted((table for table in counted if table.spec.is_tie), key=_bases_first)
    ]
    named = {entry.partition(":")[0] for tie in crossed for _, text in tie.counts for entry in text.split("|")}
    named |= {tie.code.removeprefix("tie_") for tie in crossed}
    alone = [
        Tie(f"tie_{code}", _of_table(table))
        for code, table in tables.items()
        if code not in named and table.spec.adds_up and table.spec.subject is Subject.PERSONS
    ]
    return [*_shared(tables), *crossed, *alone]


def _shared(tables: Mapping[str, Figures]) -> list[Tie]:
    """The populations: the children followed, the saisines received, those of them with a sign noted and without."""
    followed, received = ("|".join(f"{code}:{TOTAL}" for code in codes) for codes in (FOLLOWED, RECEIVED))
    noted = {
        part: "|".join([f"saisine_source:{TOTAL}", *(f"{code}:{part}" for code in SAISINE_SIGNS)])
        for part in (TOTAL, UNKNOWN)
    }
    return [
        Tie("tie_followed", _by_category(tables["movement"], {TOTAL: followed})),
        Tie("tie_received", _by_category(tables["saisine_source"], {TOTAL: received})),
        Tie("tie_saisine_signs", _by_category(tables["saisine_signs"], noted)),
    ]


def _is_leaf(cell: Cell) -> bool:
    return bool(cell.value) and cell.category != TOTAL and (is_team(cell.geography) or "@" in cell.category)


def is_team(place: str) -> bool:
    return place.startswith("team:")


def _bases_first(table: Figures) -> bool:
    return table.spec.code not in BASES


def _by_category(table: Figures, signatures: Mapping[str, str]) -> dict[Leaf, int]:
    counts: Counter[Leaf] = Counter()
    for cell in table.cells:
        if is_team(cell.geography) and cell.category in signatures and not cell.base:
            counts[cell.geography, signatures[cell.category]] += int(cell.value)
    return counts


def _of_table(table: Figures) -> dict[Leaf, int]:
    """A table that adds up, at the teams, or at the top when it is not counted by team."""
    cells = [cell for cell in table.cells if not cell.base and TOTAL not in (cell.category, cell.category_2)]
    by_team = [cell for cell in cells if is_team(cell.geography)]
    return {
        (cell.geography, f"{cell.table}:{cell.category}:{cell.category_2}".rstrip(":")): int(cell.value)
        for cell in by_team or cells
        if cell.value
    }
