"""Tables by variables, turned into leaves and figures: the usual way to state an instance.

Every table has its totals, and every level of every hierarchy: a table by team and age shows each team, each area and
the whole, for each age and for all. Variables that are tied (age and class level) stand in one layout, whose impossible
combinations are structural zeros; tables of variables that are not tied, and share only margins that are all published,
may be protected apart, since any two populations that agree on those margins can be coupled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from audit.disclosure.instance import Attacker, Figure, Instance

TOTAL = "Total"


@dataclass(frozen=True, slots=True)
class Variable:
    """``levels`` group the categories, the finest level first: a parent for each category."""

    name: str
    categories: tuple[str, ...]
    levels: tuple[Mapping[str, str], ...] = ()

    def groups(self) -> dict[str, frozenset[str]]:
        """What a table shows of the variable: each category, each parent, the total."""
        groups: dict[str, frozenset[str]] = {category: frozenset([category]) for category in self.categories}
        for level in self.levels:
            for parent in dict.fromkeys(level.values()):
                groups[parent] = frozenset(category for category in self.categories if level[category] == parent)
        return groups | {TOTAL: frozenset(self.categories)}

    def sums(self) -> Iterator[tuple[str, list[str]]]:
        """The additions that a reader sees: a group and the groups of the level below that make it up."""
        groups = self.groups()
        below = list(self.categories)
        for level in self.levels:
            parents = list(dict.fromkeys(level.values()))
            for parent in parents:
                yield parent, [part for part in below if groups[part] <= groups[parent]]
            below = parents
        yield TOTAL, below


@dataclass(frozen=True, slots=True)
class Layout:
    """``tables`` name their variables; ``insiders`` is the variable each of whose categories knows its own leaves."""

    variables: tuple[Variable, ...]
    tables: Mapping[str, Sequence[str]]
    threshold: int
    insiders: str = ""
    thresholds: Mapping[str, int] | None = None
    is_possible: Callable[[Mapping[str, str]], bool] = lambda cell: True

    def instance(self, counts: Mapping[tuple[str, ...], int], name: str = "") -> Instance:
        """The instance of these counts, by categories in the order of the variables; a missing cell holds nobody."""
        cells = list(product(*(variable.categories for variable in self.variables)))
        names = [variable.name for variable in self.variables]
        figures: list[Figure] = []
        lines: list[tuple[int, tuple[int, ...]]] = []
        for table, by in self.tables.items():
            lines += self._add_table(table, by, cells, figures)
        own = names.index(self.insiders) if self.insiders else None
        insiders = self.variables[own].categories if own is not None else ()
        return Instance(
            counts=tuple(counts.get(cell, 0) for cell in cells),
            figures=tuple(figures),
            threshold=self.threshold,
            insiders=tuple(
                Attacker(
                    who, frozenset(place for place, cell in enumerate(cells) if own is not None and cell[own] == who)
                )
                for who in insiders
            ),
            structural_zeros=frozenset(
                place for place, cell in enumerate(cells) if not self.is_possible(dict(zip(names, cell, strict=True)))
            ),
            thresholds=self.thresholds or {},
            lines=tuple(lines),
            id=name,
        )

    def _add_table(
        self, table: str, by: Sequence[str], cells: list[tuple[str, ...]], figures: list[Figure]
    ) -> list[tuple[int, tuple[int, ...]]]:
        """Append the figures of a table; its lines."""
        axes = {variable.name: place for place, variable in enumerate(self.variables)}
        variables = [self.variables[axes[name]] for name in by]
        inside: dict[tuple[str, ...], set[int]] = {}
        holders = [
            {
                category: [group for group, held in variable.groups().items() if category in held]
                for category in variable.categories
            }
            for variable in variables
        ]
        for combination in product(*(variable.groups() for variable in variables)):
            inside[combination] = set()
        for place, cell in enumerate(cells):
            for combination in product(*(held[cell[axes[name]]] for held, name in zip(holders, by, strict=True))):
                inside[combination].add(place)
        ids = {}
        for combination, leaves in inside.items():
            ids[combination] = len(figures)
            label = ";".join(f"{name}={group}" for name, group in zip(by, combination, strict=True))
            figures.append(Figure(len(figures), table, label, frozenset(leaves)))
        return [
            (ids[combination], tuple(ids[(*combination[:axis], part, *combination[axis + 1 :])] for part in parts))
            for axis, variable in enumerate(variables)
            for total, parts in variable.sums()
            for combination in ids
            if combination[axis] == total
        ]
