"""A report as rows of text: what the CSV files hold, and what the workbook and the pages are laid out from."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from audit.disclosure.cells import TOTAL, Judged, Subject
from pre_cases.statistics.catalogue import THEME_OF, publication, threshold_of
from pre_cases.statistics.report import JudgedTable, Report
from pre_cases.statistics.tables import Spec

CELL_COLUMNS = (
    "table",
    "geography",
    "variable",
    "category",
    "variable_2",
    "category_2",
    "measure",
    "value",
    "status",
)
TABLE_COLUMNS = (
    "table",
    "title",
    "unit",
    "definition",
    "base",
    "theme",
    "threshold",
    "cells",
    "suppressed",
    "starts_on",
    "ends_on",
    "extracted_on",
    "publication",
)
GEOGRAPHY_COLUMNS = ("code", "label", "parent")
CATEGORY_COLUMNS = ("table", "variable", "category", "label")
MEASURE = "measure"  # the pseudo-variable under which the labels of the measures stand

Row = dict[str, str]


@dataclass(frozen=True)
class Rows:
    """The four files of a report, as rows keyed by column."""

    cells: list[Row]
    tables: list[Row]
    geography: list[Row]
    categories: list[Row]


def rows_of(report: Report) -> Rows:
    return Rows(
        [_cell(judged) for _, table in report for judged in table.judged],
        [_table(report, table) for table in report.tables],
        [dict(zip(GEOGRAPHY_COLUMNS, (g.code, g.label, g.parent), strict=True)) for g in report.extent.geographies],
        [row for spec in report.specs for row in _categories(spec)],
    )


def _cell(judged: Judged) -> Row:
    cell = judged.cell
    return {
        "table": cell.table,
        "geography": cell.geography,
        "variable": cell.variable,
        "category": cell.category,
        "variable_2": cell.variable_2,
        "category_2": cell.category_2,
        "measure": cell.measure,
        "value": number(judged.value),
        "status": judged.status.value,
    }


def number(value: int | Decimal | None) -> str:
    """A plain number, point for the decimals; empty for a suppressed one."""
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


def _table(report: Report, table: JudgedTable) -> Row:
    spec = table.spec
    values: dict[str, Any] = {
        "table": spec.code,
        "title": spec.title,
        "unit": ", ".join(measure.label for measure in spec.measures),
        "definition": spec.definition,
        "base": spec.base,
        "theme": THEME_OF[spec.code],
        "threshold": threshold_of(spec.code) if spec.subject is Subject.PERSONS else "",
        "cells": len(table.judged),
        "suppressed": table.suppressed,
        "starts_on": report.period.starts_on.isoformat(),
        "ends_on": report.period.ends_on.isoformat(),
        "extracted_on": report.extracted_on.isoformat(),
        "publication": publication(report.period),
    }
    return {name: str(value) for name, value in values.items()}


def _categories(spec: Spec) -> list[Row]:
    variables = [spec.variable] if spec.variable_2 is None else [spec.variable, spec.variable_2]
    labels = [(variable.code, TOTAL, "total") for variable in variables]
    labels += [(variable.code, "", variable.label) for variable in variables]
    labels += [(variable.code, c.code, c.label) for variable in variables for c in variable.categories]
    labels += [(MEASURE, measure.code, measure.label) for measure in spec.measures]
    return [dict(zip(CATEGORY_COLUMNS, (spec.code, *label), strict=True)) for label in labels]
