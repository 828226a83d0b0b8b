"""What a file is, judged by its content alone: its name and the type that a browser announces prove nothing.

A format is accepted when it begins, and is built, as its standard says: PDF (ISO 32000), JPEG (ITU T.81), PNG (ISO
15948), ODT (ISO 26300), DOCX (ISO 29500). A text with macros is none of them.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import BinaryIO

from pre_cases.models import ContentType

HEAD = 1024
BLANK = b"\xef\xbb\xbf\r\n\t "  # what may stand before the beginning of a PDF; anything else makes two files of one
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
ODT_MIMETYPE = b"application/vnd.oasis.opendocument.text"
DOCX_MAIN = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
DOCX_OVERRIDE = re.compile(rb"<Override\b[^<>]*>")
DOCX_REFUSED = re.compile(rb"macroEnabled|vbaProject|activeX|&|<!", re.IGNORECASE)  # and what could hide them
READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others have no limit to what one reading gives
ENCRYPTED = 0x1  # of the flags of a part
LONGEST_PART = 256 * 1024  # of the two parts read inside an archive
MOST_PARTS = 5_000
LONGEST_END = 22 + 65_535  # of the last record, with its comment
ACTIVE_PARTS = ("vbaproject.bin", "basic/", "scripts/", "word/activex/")

EXTENSIONS = {
    ContentType.PDF: "pdf",
    ContentType.JPEG: "jpg",
    ContentType.PNG: "png",
    ContentType.ODT: "odt",
    ContentType.DOCX: "docx",
}


def content_type_of(file: BinaryIO) -> ContentType | None:
    """The format of a file that can be read from any place; None when it is none of those accepted."""
    file.seek(0)
    head = file.read(HEAD)
    if head.startswith(b"\xff\xd8\xff"):
        return ContentType.JPEG
    if head.startswith(PNG_SIGNATURE):
        return ContentType.PNG
    if head.lstrip(BLANK).startswith(b"%PDF-"):
        return ContentType.PDF if _ends_like_a_pdf(file) else None
    return _text_in_an_archive(file) if head.startswith(b"PK\x03\x04") else None


def _ends_like_a_pdf(file: BinaryIO) -> bool:
    size = file.seek(0, io.SEEK_END)
    file.seek(max(size - HEAD, 0))
    return b"%%EOF" in file.read()


def _has_a_short_directory(file: BinaryIO) -> bool:
    """What the end of the archive says of its directory, before anything of it is read (APPNOTE 4.3.16)."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(size - LONGEST_END, 0))
    end = file.read(LONGEST_END)
    at = end.rfind(b"PK\x05\x06")
    if at < 0 or len(end) < at + 22:
        return False
    parts, length = int.from_bytes(end[at + 10 : at + 12], "little"), int.from_bytes(end[at + 12 : at + 16], "little")
    return parts <= MOST_PARTS and length <= MOST_PARTS * 200


def _text_in_an_archive(file: BinaryIO) -> ContentType | None:
    if not _has_a_short_directory(file):
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            names = {part.filename.lower() for part in parts}
            if (
                len(parts) > MOST_PARTS
                or len(names) < len(parts)
                or any(active in name for name in names for active in ACTIVE_PARTS)
            ):
                return None
            if any(part.compress_type not in READABLE or part.flag_bits & ENCRYPTED for part in parts):
                return None
            if "mimetype" in names and _part(archive, "mimetype").strip() == ODT_MIMETYPE and "content.xml" in names:
                return ContentType.ODT
            if "word/document.xml" in names and _is_plain_docx(_part(archive, "[Content_Types].xml")):
                return ContentType.DOCX
    except (
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        NotImplementedError,
        RuntimeError,
        OSError,
        EOFError,
        ValueError,
        OverflowError,
    ):
        return None
    return None


def _is_plain_docx(content_types: bytes) -> bool:
    """The main part is declared a plain text, and nothing is declared a macro."""
    declared = [tag for tag in DOCX_OVERRIDE.findall(content_types) if b'"/word/document.xml"' in tag]
    main = b'ContentType="' + DOCX_MAIN + b'"'
    return bool(declared) and all(main in tag for tag in declared) and not DOCX_REFUSED.search(content_types)


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    """One part; b"" for one too long to be what it should: it is never read whole."""
    with archive.open(name) as part:
        content = part.read(LONGEST_PART + 1)
    return content if len(content) <= LONGEST_PART else b""


def safe_name(typed: str, content_type: ContentType) -> str:
    """The name to keep: without folders or signs that a disk refuses, ending as its content does, 160 signs at most."""
    base = typed.replace("\\", "/").rsplit("/", maxsplit=1)[-1]
    kept = "".join(c for c in base if c.isprintable() and c not in '<>:"|?*').strip(" .")
    stem, _, ending = kept.rpartition(".")
    known = {*EXTENSIONS.values(), "jpeg"}
    stem = stem if stem and ending.lower() in known else kept
    return f"{stem[:150] or 'document'}.{EXTENSIONS[content_type]}"
