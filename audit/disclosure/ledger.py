"""Releases that overlap: what one of them published is known to whoever reads the next.

Two patterns of one population, each safe alone, show together what each of them hides; two populations some children
apart come close to it. So the leaves of all are crossed: a leaf of the joint instance is a *path*, the cell of a child
in each release, any of which may be missing. What the earlier releases showed is an equation that nothing can hide any
more, and what they hid stays protected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from audit.disclosure.instance import Attacker, Figure, Instance, Primary

# The leaf of each release in turn, the later one last; None where the child is not counted.
Path = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """An earlier release: what it stated, and the figures (ids) that it suppressed."""

    instance: Instance
    suppressed: frozenset[int]


def earlier_id(number: int, release: int = 0, releases: int = 1) -> int:
    """The id, in a joint instance, of a figure of an earlier release: below 0, apart from those of the later one."""
    return -1 - (number * releases + release)


def joint(
    earlier: Sequence[Release], later: Instance, persons: Mapping[Path, int], *, is_closed: bool = False
) -> Instance:
    """The later instance, to protect together with earlier releases and what those suppressed.

    The leaves of all have one numbering. ``persons`` counts the children by path. Children may keep their leaf, come or
    go, whoever they are; when ``is_closed`` everybody knows that nobody else came or went. Other paths are taken as
    known to be empty unless somebody is there, and a team as knowing every cell of its children: both make the
    attackers stronger than they are. Figures of the later release keep their ids. Ids must be 0 or more.
    """
    everything = [release.instance for release in earlier] + [later]
    paths = _paths(everything, persons, is_closed)
    holding: list[dict[int, set[int]]] = [{} for _ in everything]
    for place, path in enumerate(paths):
        for held, leaf in zip(holding, path, strict=True):
            if leaf is not None:
                held.setdefault(leaf, set()).add(place)
    figures = [
        Figure(
            earlier_id(figure.id, number, len(earlier)),
            f"earlier: {figure.table}",
            figure.label,
            _of(holding[number], figure.leaves),
            published=False,
            released=figure.is_shown(release.suppressed),
        )
        for number, release in enumerate(earlier)
        for figure in release.instance.figures
    ]
    figures += [
        Figure(
            figure.id, figure.table, figure.label, _of(holding[-1], figure.leaves), figure.published, figure.released
        )
        for figure in later.figures
    ]
    owned: dict[str, frozenset[int]] = {}
    for instance, held in zip(everything, holding, strict=True):
        for who in instance.insiders:
            owned[who.id] = owned.get(who.id, frozenset()) | _of(held, who.leaves)
    primary = [
        Primary(earlier_id(item.figure, number, len(earlier)), item.lo, item.hi)
        for number, release in enumerate(earlier)
        for item in release.instance.to_protect()
    ]
    return Instance(
        counts=tuple(persons.get(path, 0) for path in paths),
        figures=tuple(figures),
        threshold=later.threshold,
        insiders=tuple(Attacker(who, leaves) for who, leaves in owned.items()),
        primary=(*primary, *later.to_protect()),
        lines=later.lines,
        id=" after ".join(instance.id for instance in reversed(everything)),
    )


def likeliest(counts: Sequence[Sequence[int]]) -> Counter[Path]:
    """The paths of children known by their counts alone, leaf by leaf in each release: as many as can be have stayed.

    Whoever reads the releases sees their sums, which no other choice would change.
    """
    paths: Counter[Path] = Counter()
    for leaf, numbers in enumerate(zip(*counts, strict=True)):
        left = list(numbers)
        while any(left):
            step = min(number for number in left if number)
            paths[tuple(leaf if number else None for number in left)] += step
            left = [number - step if number else 0 for number in left]
    return paths


def _paths(everything: Sequence[Instance], persons: Mapping[Path, int], is_closed: bool) -> list[Path]:
    size = len(everything)
    possible = [set(range(len(instance.counts))) - instance.structural_zeros for instance in everything]
    usual: list[Path] = [(leaf,) * size for leaf in sorted(set.intersection(*possible))]
    if not is_closed:
        for place, leaves in enumerate(possible):
            usual += [_alone(leaf, place, size) for leaf in sorted(leaves)]
    return list(dict.fromkeys([*usual, *sorted((path for path, count in persons.items() if count), key=str)]))


def _alone(leaf: int, place: int, size: int) -> Path:
    return tuple(leaf if other == place else None for other in range(size))


def _of(places: Mapping[int, set[int]], leaves: Iterable[int]) -> frozenset[int]:
    return frozenset().union(*(places.get(leaf, ()) for leaf in leaves))
