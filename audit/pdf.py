"""Documents for people, as tagged PDF in French (PDF/UA-1, ISO 14289-1) that a screen reader can follow.

pdf = write_pdf(title="…", blocks=[heading("…"), paragraph("…"), table("…", header=[…], rows=[…])])

Texts are data: whatever they hold is printed, never interpreted. A process of its own sets each document, so that
its memory leaves with it, and a crash or an endless document stops nothing else.
"""

from __future__ import annotations

import json
import subprocess  # nosec B404 - our own module, without a shell
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SECONDS_AT_MOST = 120
TYPESETTING = Path(__file__).resolve().parent / "typesetting.py"

Block = dict[str, Any]


class PdfFailed(Exception):
    """The document could not be set; the message is a code, never a text of the document."""


def heading(text: str, *, level: int = 1) -> Block:
    """A title inside the document; levels follow each other, 1 the highest, or a screen reader loses its way."""
    return {"kind": "heading", "text": text, "level": level}


def paragraph(text: str) -> Block:
    return {"kind": "paragraph", "text": text}


def bullets(items: Sequence[str]) -> Block:
    return {"kind": "bullets", "items": list(items)}


def pairs(rows: Sequence[tuple[str, str]]) -> Block:
    """Names and their values, « Née le : 3 mars 2008 »."""
    return {"kind": "pairs", "rows": [list(row) for row in rows]}


def table(caption: str, *, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Block:
    """A table read with its caption and headers; every row holds as many cells as the header (ValueError)."""
    if any(len(row) != len(header) for row in rows):
        raise ValueError("a row of the table has not as many cells as its header")
    return {"kind": "table", "caption": caption, "header": list(header), "rows": [list(row) for row in rows]}


def write_pdf(*, title: str, blocks: Sequence[Block], footer: str = "", author: str = "Marelle") -> bytes:
    """The document's bytes; the same data give the same bytes. Raises PdfFailed.

    A character that no vendored font draws (an emoji) is printed « \ufffd », and the last line says how many were.
    """
    data = {"title": title, "blocks": list(blocks), "footer": footer, "author": author}
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603 - our own module, no shell
            [sys.executable, "-I", str(TYPESETTING)],
            input=json.dumps(data).encode(),
            capture_output=True,
            check=False,
            timeout=SECONDS_AT_MOST,
            env={},
        )
    except subprocess.TimeoutExpired:
        raise PdfFailed("timeout") from None
    if done.returncode or not done.stdout.startswith(b"%PDF-"):
        raise PdfFailed(f"exit {done.returncode}")
    return done.stdout
