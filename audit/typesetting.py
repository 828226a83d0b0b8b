"""The short-lived process that sets one document: JSON in, PDF out, nothing on the disk.

Run by ``audit.pdf`` with an empty environment: it knows neither the settings nor a key, and the memory it took
leaves with it.
"""

import json
import sys
import unicodedata
from pathlib import Path
from typing import Any

import typst
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parent.parent
FONTS = Path(__file__).resolve().parent / "fonts"
MISSING = "\ufffd"
KEPT = "\n"


class Cleaner:
    """Text that the fonts can draw: PDF/UA refuses a character without a glyph. Counts what it replaces."""

    def __init__(self) -> None:
        self.drawable = frozenset().union(*map(_characters_of, FONTS.glob("*.ttf")))
        self.replaced = 0

    def clean(self, value: Any) -> Any:
        """The same data, each of its texts composed (NFC), without control or direction characters."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self.clean(item) for item in value]
        if isinstance(value, dict):
            return {key: self.clean(item) for key, item in value.items()}
        return value

    def _text(self, text: str) -> str:
        text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\t", " "))
        return "".join(map(self._character, text))

    def _character(self, character: str) -> str:
        if character in KEPT:
            return character
        if unicodedata.category(character) in ("Cc", "Cf"):
            return ""
        if ord(character) in self.drawable:
            return character
        self.replaced += 1
        return MISSING


def _characters_of(font: Path) -> set[int]:
    with TTFont(font, lazy=True) as opened:
        return set(opened.getBestCmap())


def set_document(data: dict[str, Any]) -> bytes:
    """The tagged PDF (PDF/UA-1) of a document's data; see ``audit.pdf``."""
    cleaner = Cleaner()
    cleaned = cleaner.clean(data) | {"replaced": cleaner.replaced}
    return typst.compile(
        str(ROOT / "templates" / "pdf" / "document.typ"),
        root=str(ROOT / "templates" / "pdf"),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards="ua-1",
        sys_inputs={"data": json.dumps(cleaned)},
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(set_document(json.load(sys.stdin.buffer)))
