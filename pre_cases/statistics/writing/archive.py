"""All the files of one report: in a folder for the command, in one archive for the page."""

from __future__ import annotations

import io
import json
import zipfile

from pre_cases.statistics.catalogue import method, publication, thresholds
from pre_cases.statistics.report import Report
from pre_cases.statistics.writing.certificate import certificate_of
from pre_cases.statistics.writing.csv_files import FILES, csv_files, read_rows
from pre_cases.statistics.writing.grid import Grid, grids_of
from pre_cases.statistics.writing.rows import Rows, rows_of
from pre_cases.statistics.writing.workbook import EPOCH, workbook

WORKBOOK = "statistiques.xlsx"
README = "LISEZ-MOI.txt"
CERTIFICATE = "certificat.json"
NAMES = (*FILES, WORKBOOK, CERTIFICATE, README)


def files_of(report: Report) -> dict[str, bytes]:
    """The content of each file by name; no name of a child, of an adult or of a team is in any of them."""
    rows = rows_of(report)
    proved = certificate_of(report)
    book = workbook(grids_of(rows), report.period, report.extracted_on.isoformat(), proved)
    stated = json.dumps(proved, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return {**csv_files(rows), WORKBOOK: book, CERTIFICATE: stated.encode(), README: _readme(report).encode()}


def zip_of(files: dict[str, bytes]) -> bytes:
    """One archive of the files, the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


def read_grids(archive: bytes) -> list[Grid]:
    """The tables of an archive, exactly as its CSV files hold them."""
    return grids_of(rows_in(archive))


def rows_in(archive: bytes) -> Rows:
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        return read_rows({name: source.read(name) for name in FILES})


def members_of(archive: bytes) -> dict[str, bytes]:
    """The files of an archive by name, as they were put there."""
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        return {name: source.read(name) for name in source.namelist()}


def _readme(report: Report) -> str:
    lines = [
        "Programme de réussite éducative de Paris : chiffres protégés",
        "",
        f"Période : {report.period.label}, du {report.period.starts_on:%d/%m/%Y} au "
        f"{report.period.ends_on:%d/%m/%Y} compris",
        f"Extraction du {report.extracted_on:%d/%m/%Y}",
        f"Publication : {publication(report.period)}",
        f"Seuil : {thresholds()} ; cases masquées : {report.suppressed}",
        "",
        *method(report.period),
        "",
        "cells.csv : une ligne par chiffre (« * » : total ; status « suppressed » : case masquée, valeur vide).",
        "tables.csv : titre, définition, base et seuil de chaque tableau. geography.csv : les lieux.",
        "categories.csv : les libellés des catégories et des mesures. statistiques.xlsx : les mêmes chiffres, à lire.",
        "",
    ]
    return "\n".join(lines)
