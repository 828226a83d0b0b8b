"""Releases that overlap: what one of them published is known to whoever reads the next.

Two patterns of one population, each safe alone, show together what each of them hides; two populations some children
apart come close to it. So the leaves of both are crossed: a leaf of the joint instance is a pair, the cell of a child
in the earlier release and in the later one, either of which may be missing. What the earlier release showed is an
equation that nothing can hide any more, and what it hid stays protected.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from audit.disclosure.instance import Attacker, Figure, Instance, Primary

Pair = tuple[int | None, int | None]


def earlier_id(number: int) -> int:
    """The id, in a joint instance, of a figure of the earlier release: below 0, apart from those of the later one."""
    return -1 - number


def joint(
    earlier: Instance,
    suppressed: Collection[int],
    later: Instance,
    persons: Mapping[Pair, int],
    *,
    is_closed: bool = False,
) -> Instance:
    """The later instance, to protect together with an earlier release and what that one suppressed.

    ``persons`` counts the children by pair of leaves. Children may keep their leaf, come or go, whoever they are; when
    ``is_closed`` (one reference date told twice) everybody knows that nobody came or went. Other pairs are taken as
    known to be empty unless somebody is there, and a team as knowing both cells of its children: both make the
    attackers stronger than they are. Figures of the later release keep their ids. Ids must be 0 or more.
    """
    pairs = _pairs(earlier, later, persons, is_closed)
    hidden = frozenset(suppressed)
    before: dict[int, set[int]] = {}
    after: dict[int, set[int]] = {}
    for place, (old, new) in enumerate(pairs):
        if old is not None:
            before.setdefault(old, set()).add(place)
        if new is not None:
            after.setdefault(new, set()).add(place)
    figures = [
        Figure(
            earlier_id(figure.id),
            f"earlier: {figure.table}",
            figure.label,
            _of(before, figure.leaves),
            published=False,
            released=figure.is_shown(hidden),
        )
        for figure in earlier.figures
    ]
    figures += [
        Figure(figure.id, figure.table, figure.label, _of(after, figure.leaves), figure.published, figure.released)
        for figure in later.figures
    ]
    owned: dict[str, frozenset[int]] = {}
    for instance, places in ((earlier, before), (later, after)):
        for who in instance.insiders:
            owned[who.id] = owned.get(who.id, frozenset()) | _of(places, who.leaves)
    primary = [Primary(earlier_id(item.figure), item.lo, item.hi) for item in earlier.to_protect()]
    return Instance(
        counts=tuple(persons.get(pair, 0) for pair in pairs),
        figures=tuple(figures),
        threshold=later.threshold,
        insiders=tuple(Attacker(who, leaves) for who, leaves in owned.items()),
        primary=(*primary, *later.to_protect()),
        lines=later.lines,
        id=f"{later.id} after {earlier.id}",
    )


def _pairs(earlier: Instance, later: Instance, persons: Mapping[Pair, int], is_closed: bool) -> list[Pair]:
    old = [leaf for leaf in range(len(earlier.counts)) if leaf not in earlier.structural_zeros]
    new = [leaf for leaf in range(len(later.counts)) if leaf not in later.structural_zeros]
    usual: list[Pair] = [(leaf, leaf) for leaf in old if leaf in set(new)]
    if not is_closed:
        usual += [(leaf, None) for leaf in old]
        usual += [(None, leaf) for leaf in new]
    return list(dict.fromkeys([*usual, *sorted((pair for pair, count in persons.items() if count), key=str)]))


def _of(places: Mapping[int, set[int]], leaves: frozenset[int]) -> frozenset[int]:
    return frozenset().union(*(places.get(leaf, ()) for leaf in leaves))
