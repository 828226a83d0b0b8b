"""What ties the values of one table where a child (or a saisine) may hold several: who holds which of them together.

A few values are tied as they are held. Of many, each is tied apart, as a question answered yes or no: its signature is
that of those who hold it, or of the others. A sign is tied to its heading. The total, those with a value recorded, is
tied elsewhere, with those without any.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from pre_cases.statistics.extent import Extent
from pre_cases.statistics.tables import TOTAL, UNKNOWN, Figures, Tally, signature, tie

FEW = 5

Held = Iterable[tuple[int, Collection[str]]]  # the team, and the values of one who holds some


def ties_of_values(extent: Extent, table: str, values: Sequence[str], held: Held) -> list[Figures]:
    """``held`` is read once."""
    known = [value for value in values if value != UNKNOWN]
    if len(known) <= FEW:
        clusters = {f"tie_{table}": frozenset(known)}
    else:
        clusters = {f"tie_{table}_{value}": frozenset([value]) for value in known}
    return list(_ties(extent, clusters, held, lambda value: (f"{table}:{value}",), (table,)))


def ties_of_headings(extent: Extent, table: str, above: str, parents: Mapping[str, str], held: Held) -> list[Figures]:
    """``parents`` gives the heading of each sign; ``above`` is the table of the headings."""
    clusters: dict[str, frozenset[str]] = {}
    for sign, heading in parents.items():
        code = f"tie_{table}_{heading}"
        clusters[code] = clusters.get(code, frozenset()) | {sign}
    return list(
        _ties(extent, clusters, held, lambda sign: (f"{table}:{sign}", f"{above}:{parents[sign]}"), (table, above))
    )


def _ties(
    extent: Extent,
    clusters: Mapping[str, frozenset[str]],
    held: Held,
    cells_of: Callable[[str], tuple[str, ...]],
    tables: Sequence[str],
) -> Iterator[Figures]:
    tallies = {code: Tally(tie(code), extent) for code in clusters}
    totals = [f"{table}:{TOTAL}" for table in tables]
    for team_id, values in held:
        for code, cluster in clusters.items():
            own = (cell for value in values if value in cluster for cell in cells_of(value))
            tallies[code].add(team_id, signature(*totals, *own))
    return (tally.figures() for tally in tallies.values())
