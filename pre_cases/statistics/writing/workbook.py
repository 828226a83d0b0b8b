"""The workbook: a cover with the period and the method, then one sheet per table, for people who read spreadsheets."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from pre_cases.statistics.catalogue import HIDDEN_MARK, method, thresholds
from pre_cases.statistics.period import Period
from pre_cases.statistics.writing.certificate import Certificate
from pre_cases.statistics.writing.csv_files import guarded
from pre_cases.statistics.writing.grid import Figure, Grid

FORBIDDEN_IN_NAMES = re.compile(r"[][:*?/\\']")
EPOCH = (1980, 1, 1, 0, 0, 0)
BOLD = Font(bold=True)
TITLE = Font(bold=True, size=14)
WRAPPED = Alignment(wrap_text=True, vertical="top")
HEAD_FILL = PatternFill("solid", fgColor="FFF3E8E0")
HIDDEN_FONT = Font(color="FF6B6B6B", italic=True)
LABEL_WIDTH, FIGURE_WIDTH, HEADER_ROW = 46, 15, 5


def workbook(grids: list[Grid], period: Period, extracted_on: str, proved: Certificate) -> bytes:
    """An .xlsx whose bytes depend on the figures and the day of extraction only."""
    book = Workbook()
    cover = book.active
    names = _sheet_names(grids)
    _write_cover(cover, grids, names, period, extracted_on)
    for grid, name in zip(grids, names, strict=True):
        _write_table(book.create_sheet(name), grid)
    _write_certificate(book.create_sheet("Certificat"), proved)
    buffer = io.BytesIO()
    book.save(buffer)
    return _same_bytes(buffer.getvalue())


def _sheet_names(grids: list[Grid]) -> list[str]:
    """A number and the title, within the 31 signs that a spreadsheet allows."""
    titles = [FORBIDDEN_IN_NAMES.sub("", grid.title) for grid in grids]
    return [f"{number:02d} {title}"[:31].strip() for number, title in enumerate(titles, 1)]


def _put(sheet: Any, row: int, column: int, value: Any, font: Font | None = None) -> Any:
    cell = sheet.cell(row, column, guarded(value) if isinstance(value, str) else value)
    if font is not None:
        cell.font = font
    return cell


def _write_cover(sheet: Any, grids: list[Grid], names: list[str], period: Period, extracted_on: str) -> None:
    sheet.title = "Présentation"
    sheet.column_dimensions["A"].width = 34
    sheet.column_dimensions["B"].width = 60
    sheet.column_dimensions["C"].width = 16
    sheet.column_dimensions["D"].width = 100
    _put(sheet, 1, 1, "Programme de réussite éducative : chiffres de la période", TITLE)
    facts = [
        ("Période", period.label),
        ("Du", f"{period.starts_on:%d/%m/%Y}"),
        ("Au (compris)", f"{period.ends_on:%d/%m/%Y}"),
        ("Extraction du", datetime.fromisoformat(extracted_on).strftime("%d/%m/%Y")),
        ("Seuil des effectifs de personnes", thresholds()),
        ("Tableaux", len(grids)),
        ("Cases masquées", sum(grid.suppressed for grid in grids)),
        ("Publication", "publiable" if period.is_whole_year else "NE PAS PUBLIER"),
    ]
    row = 2
    for name, value in facts:
        row += 1
        _put(sheet, row, 1, name, BOLD)
        _put(sheet, row, 2, value).alignment = Alignment(horizontal="left")
    row += 1
    for paragraph in method(period):
        row += 1
        _put(sheet, row, 1, paragraph).alignment = WRAPPED
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=4)
        sheet.row_dimensions[row].height = 34
    row += 2
    for column, head in enumerate(("Feuille", "Tableau", "Cases masquées", "Définition"), 1):
        _put(sheet, row, column, head, BOLD).fill = HEAD_FILL
    for grid, name in zip(grids, names, strict=True):
        row += 1
        link = _put(sheet, row, 1, name)
        link.hyperlink = f"#'{name}'!A1"
        link.style = "Hyperlink"
        _put(sheet, row, 2, grid.title).alignment = WRAPPED
        _put(sheet, row, 3, grid.suppressed)
        _put(sheet, row, 4, grid.definition).alignment = WRAPPED


def _write_table(sheet: Any, grid: Grid) -> None:
    width = len(grid.heads) + len(grid.places)
    _put(sheet, 1, 1, grid.title, TITLE)
    _put(sheet, 2, 1, grid.definition).alignment = WRAPPED
    sheet.row_dimensions[2].height = 48
    sheet.merge_cells(start_row=2, start_column=1, end_row=2, end_column=max(width, 2))
    _put(sheet, 3, 1, f"Total : {grid.base}.{_hidden_note(grid)}")
    for column, head in enumerate((*grid.heads, *grid.places), 1):
        cell = _put(sheet, HEADER_ROW, column, head, BOLD)
        cell.fill = HEAD_FILL
        cell.alignment = Alignment(wrap_text=True, horizontal="left" if column <= len(grid.heads) else "right")
        sheet.column_dimensions[get_column_letter(column)].width = (
            LABEL_WIDTH if column == 1 else 28 if column <= len(grid.heads) else FIGURE_WIDTH
        )
    for row, line in enumerate(grid.lines, HEADER_ROW + 1):
        font = BOLD if line.is_total else None
        for column, label in enumerate(line.labels, 1):
            _put(sheet, row, column, label, font)
        for column, figure in enumerate(line.figures, len(line.labels) + 1):
            _write_figure(sheet, row, column, figure, font)
    sheet.freeze_panes = sheet.cell(HEADER_ROW + 1, len(grid.heads) + 1)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{HEADER_ROW}:{HEADER_ROW}"


def _write_certificate(sheet: Any, proved: Certificate) -> None:
    """The facts of the whole release, then a line for each group of tables protected together."""
    sheet.column_dimensions["A"].width = LABEL_WIDTH
    _put(sheet, 1, 1, "Certificat de protection", TITLE)
    row = 2
    for name, value in proved.items():
        if not isinstance(value, list):
            row += 1
            _put(sheet, row, 1, name, BOLD)
            _put(sheet, row, 2, _flat(value)).alignment = Alignment(horizontal="left")
    row += 1
    heads = list(proved["ties"][0]) if proved["ties"] else []
    for number, tied in enumerate([dict(zip(heads, heads, strict=True)), *proved["ties"]]):
        row += 1
        for column, head in enumerate(heads, 1):
            _put(sheet, row, column, _flat(tied[head]), None if number else BOLD)


def _flat(value: Any) -> Any:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value


def _hidden_note(grid: Grid) -> str:
    if not grid.suppressed:
        return ""
    return f" « {HIDDEN_MARK} » : case masquée ({grid.suppressed} en tout), voir la présentation."


def _write_figure(sheet: Any, row: int, column: int, figure: Figure, font: Font | None) -> None:
    if figure.is_hidden:
        cell = _put(sheet, row, column, HIDDEN_MARK, HIDDEN_FONT)
        cell.alignment = Alignment(horizontal="right")
    elif figure.value is not None:
        whole = figure.value == figure.value.to_integral_value()
        cell = _put(sheet, row, column, int(figure.value) if whole else float(figure.value), font)
        cell.number_format = "#,##0" if whole else "#,##0.0#"


def _same_bytes(content: bytes) -> bytes:
    """The same workbook without the clock: fixed dates inside, fixed dates on the members of the archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            member = source.read(name)
            if name == "docProps/core.xml":
                member = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2000-01-01T00:00:00Z", member)
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, member)
    return buffer.getvalue()
