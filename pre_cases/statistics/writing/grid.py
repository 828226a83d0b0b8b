"""Tables laid out for reading: one line per category and measure, one column per place."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from pre_cases.statistics.catalogue import HIDDEN_MARK
from pre_cases.statistics.writing.rows import MEASURE, Row, Rows

NARROW = "\u202f"


@dataclass(frozen=True)
class Figure:
    """One value at one place: a number, hidden, or absent (the mean of nobody)."""

    place: str
    value: Decimal | None
    is_hidden: bool = False

    @property
    def text(self) -> str:
        """As the screen shows it, in French: « 1 400 », « 34,5 », « c », « — »."""
        if self.is_hidden:
            return HIDDEN_MARK
        if self.value is None:
            return "—"
        value = self.value.to_integral_value() if self.value == self.value.to_integral_value() else self.value
        return f"{value:,}".replace(",", NARROW).replace(".", ",")


@dataclass(frozen=True)
class Line:
    labels: tuple[str, ...]
    figures: tuple[Figure, ...]
    is_total: bool = False


@dataclass(frozen=True)
class Grid:
    """One table; ``heads`` are the titles of the label columns, ``places`` those of the figures."""

    code: str
    title: str
    definition: str
    base: str
    theme: str
    threshold: str
    suppressed: int
    heads: tuple[str, ...]
    places: tuple[str, ...]
    lines: list[Line] = field(default_factory=list)

    @property
    def readable_lines(self) -> list[Line]:
        """The lines worth a place on a screen: the totals, and those with something to read."""
        return [line for line in self.lines if line.is_total or not all(f.is_hidden for f in line.figures)]

    @property
    def has_hidden_lines(self) -> bool:
        return len(self.readable_lines) < len(self.lines)


def grids_of(rows: Rows) -> list[Grid]:
    """Every table in the order of the files."""
    labels = {(row["table"], row["variable"], row["category"]): row["label"] for row in rows.categories}
    by_table: dict[str, list[Row]] = {row["table"]: [] for row in rows.tables}
    for row in rows.cells:
        by_table[row["table"]].append(row)
    return [_grid(table, by_table[table["table"]], labels, rows.geography) for table in rows.tables]


def _grid(table: Row, cells: list[Row], labels: dict[tuple[str, str, str], str], geography: list[Row]) -> Grid:
    code = table["table"]
    present = {cell["geography"] for cell in cells}
    places = [row for row in geography if row["code"] in present]
    first = cells[0]
    measures = list(dict.fromkeys(cell["measure"] for cell in cells))
    variables = [name for name in (first["variable"], first["variable_2"]) if name]
    heads = [labels[code, name, ""] for name in variables]
    grid = Grid(
        code,
        table["title"],
        table["definition"],
        table["base"],
        table["theme"],
        table["threshold"],
        int(table["suppressed"]),
        tuple([*heads, "Mesure"] if len(measures) > 1 else heads),
        tuple(_short(row["label"]) for row in places),
    )
    by_key = {(c["category"], c["category_2"], c["measure"], c["geography"]): c for c in cells}
    for category, category_2, measure in dict.fromkeys(key[:3] for key in by_key):
        names = [labels[code, first["variable"], category]]
        if first["variable_2"]:
            names.append(labels[code, first["variable_2"], category_2])
        if len(measures) > 1:
            names.append(labels[code, MEASURE, measure])
        figures = tuple(
            _figure(_short(row["label"]), by_key.get((category, category_2, measure, row["code"])), grid)
            for row in places
        )
        is_total = category == "*" and category_2 in ("", "*")
        grid.lines.append(Line(tuple(names), figures, is_total))
    return grid


def _short(label: str) -> str:
    """A place at the head of a narrow column, « 18e arr. »."""
    return label.replace("arrondissement", "arr.")


def _figure(place: str, cell: Row | None, grid: Grid) -> Figure:
    if cell is None:  # of a mean or a share, a suppressed table keeps no mark
        return Figure(place, None, is_hidden=bool(grid.suppressed))
    return Figure(place, Decimal(cell["value"]) if cell["value"] else None, is_hidden=cell["status"] == "suppressed")
