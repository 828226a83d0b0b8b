"""Tidy CSV: UTF-8, comma, one header line; texts that a spreadsheet would run as a formula are guarded."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from pre_cases.statistics.writing.rows import (
    CATEGORY_COLUMNS,
    CELL_COLUMNS,
    GEOGRAPHY_COLUMNS,
    TABLE_COLUMNS,
    Row,
    Rows,
)

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
FILES = {
    "cells.csv": CELL_COLUMNS,
    "tables.csv": TABLE_COLUMNS,
    "geography.csv": GEOGRAPHY_COLUMNS,
    "categories.csv": CATEGORY_COLUMNS,
}


def guarded(text: str) -> str:
    """The text, behind an apostrophe when a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_files(rows: Rows) -> dict[str, bytes]:
    """``cells.csv``, ``tables.csv``, ``geography.csv`` and ``categories.csv``, by name."""
    contents = (rows.cells, rows.tables, rows.geography, rows.categories)
    return {name: _write(columns, lines) for (name, columns), lines in zip(FILES.items(), contents, strict=True)}


def read_rows(files: dict[str, bytes]) -> Rows:
    """The rows that ``csv_files`` wrote; raises KeyError when a file is missing."""
    return Rows(*(list(csv.DictReader(io.StringIO(files[name].decode()))) for name in FILES))


def _write(columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([row[name] if name == "value" else guarded(row[name]) for name in columns])
    return buffer.getvalue().encode()
