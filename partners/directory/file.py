"""A directory file read line by line: encodings, separators, quotes. Its memory does not grow with the file."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from audit.services import Refused
from partners.directory.columns import find_columns, missing_columns

SEPARATORS = (";", ",", "\t", "|")
SIGNATURES = {
    b"PK\x03\x04": "un classeur ou une archive",
    b"\xd0\xcf\x11\xe0": "un ancien classeur",
    b"%PDF": "un document PDF",
    b"\x1f\x8b": "une archive compressée",
}
LONGEST_HEADER = 1_000_000  # characters
LINES_OF_A_RECORD = 10  # a quoted cell may hold line ends, but an unclosed quote must not swallow the file


class NotADirectory(Refused):
    """The file is no school directory; the message says so in one French sentence."""


@dataclass(slots=True)
class Record:
    """The cells of one line; ``number`` is where it begins in the file; ``problem`` tells why it cannot be read."""

    number: int
    cells: list[str]
    problem: str = ""


def _byte_by_byte(error: UnicodeError) -> tuple[str, int]:
    """What is not UTF-8 is taken for Windows' western encoding, so that one stray byte does not spoil the others."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("marelle.cp1252", _byte_by_byte)


class DirectoryFile:
    """A file recognised as a directory by its header. ``records()`` may be called as many times as needed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.encoding = self._check_signature()
        with self._open() as stream:
            header, _ = self._read_header(stream)
        self.separator = max(SEPARATORS, key=lambda mark: len(find_columns(self._cells(header, mark))))
        titles = self._cells(header, self.separator)
        self.columns = find_columns(titles)
        self.width = len(titles)
        self._last_needed = max(self.columns.values(), default=0)
        missing = missing_columns(self.columns)
        if missing:
            raise NotADirectory(
                f"Le fichier {path.name} n’est pas un annuaire de l’éducation\u00a0: il y manque {', '.join(missing)}."
            )

    def records(self) -> Iterator[Record]:
        """Every line that is not blank, in order, the header left out."""
        with self._open() as stream:
            _, number = self._read_header(stream)
            waiting: list[str] = []
            while line := waiting.pop(0) if waiting else stream.readline():
                number += 1
                if not line.strip(f'{self.separator}\r\n\t "'):
                    continue
                cells, used = self._record(line, waiting, stream)
                yield Record(number, cells, self._problem(cells))
                del waiting[:used]
                number += used

    def cell(self, record: Record, field: str) -> str:
        """One cell as typed; empty when the line stops before it."""
        position = self.columns[field]
        return record.cells[position] if position < len(record.cells) else ""

    def _record(self, line: str, waiting: list[str], stream: TextIO) -> tuple[list[str], int]:
        """Cells of the record that ``line`` begins, and how many of the ``waiting`` lines it took besides."""
        first = self._cells(line, self.separator)
        if line.count('"') % 2 == 0 or len(first) == self.width:
            return first, 0
        text = line
        for used in range(1, LINES_OF_A_RECORD):
            if len(waiting) < used:
                waiting.append(stream.readline())
            text += waiting[used - 1]
            cells = self._cells(text, self.separator)
            if text.count('"') % 2 == 0 and len(cells) == self.width:
                return cells, used
        return first, 0

    def _problem(self, cells: list[str]) -> str:
        """A spreadsheet may drop empty cells at the end of a line, or add some; anything else has shifted."""
        if not cells:
            return "guillemets ou cellule illisibles"
        if len(cells) <= self._last_needed or any(cell.strip() for cell in cells[self.width :]):
            return f"{len(cells)} cellules au lieu de {self.width}"
        return ""

    @staticmethod
    def _cells(line: str, separator: str) -> list[str]:
        try:
            return next(csv.reader([line], delimiter=separator), [])
        except csv.Error:
            return []

    def _read_header(self, stream: TextIO) -> tuple[str, int]:
        """The first line that is not blank, and its number."""
        number = 0
        while line := stream.readline(LONGEST_HEADER):
            number += 1
            if line.strip():
                return line, number
        raise NotADirectory(f"Le fichier {self.path.name} est vide.")

    def _open(self) -> TextIO:
        return self.path.open(encoding=self.encoding, errors="marelle.cp1252", newline="")

    def _check_signature(self) -> str:
        """The encoding to read with, after the first bytes have shown that this is text."""
        name = self.path.name or str(self.path)
        start = self._first_bytes(name)
        for signature, what in SIGNATURES.items():
            if start.startswith(signature):
                raise NotADirectory(f"Le fichier {name} est {what}\u00a0: enregistrez l’annuaire au format CSV.")
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if b"\0" in start:
            raise NotADirectory(
                f"Le fichier {name} n’est pas un fichier de texte\u00a0: l’annuaire est attendu en CSV."
            )
        return "utf-8-sig"

    def _first_bytes(self, name: str) -> bytes:
        try:
            if self.path.is_dir():
                raise NotADirectory(f"{name} est un dossier\u00a0: indiquez le fichier CSV de l’annuaire.")
            if not self.path.exists():
                raise NotADirectory(f"Le fichier {name} n’existe pas.")
            if not self.path.is_file():
                raise NotADirectory(f"{name} n’est pas un fichier.")
            with self.path.open("rb") as stream:
                return stream.read(65_536)
        except (OSError, ValueError) as error:
            raise NotADirectory(f"Le fichier {name[:80]} ne peut pas être ouvert en lecture.") from error
