"""Small files built by hand: one of each accepted format, and the parts that tests add to them."""

import io
import zipfile
import zlib

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
ODT_TYPE = b"application/vnd.oasis.opendocument.text"
WORD = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
WORD_WITH_MACROS = b"application/vnd.ms-word.document.macroEnabled.main+xml"
EXCEL = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


# -- JPEG: a grey square of 8 by 8 --------------------------------------------------------------------------------


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2) + content


JFIF = segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
ADOBE = segment(0xEE, b"Adobe\0\x64\0\0\0\0\0")
COLOURS = segment(0xE2, b"ICC_PROFILE\0\x01\x01a profile")
TABLE = segment(0xDB, b"\0" + bytes([1]) * 64)
FRAME = segment(0xC0, b"\x08\0\x08\0\x08\x01\x01\x11\0")
PROGRESSIVE_FRAME = segment(0xC2, b"\x08\0\x08\0\x08\x01\x01\x11\0")
CODES = segment(0xC4, b"\0\x01" + bytes(15) + b"\0") + segment(0xC4, b"\x10\x01" + bytes(15) + b"\0")
SCAN_HEAD = segment(0xDA, b"\x01\x01\0\0\x3f\0")
SCAN = b"\x3f"
END = b"\xff\xd9"


def jpeg(*segments: bytes, scan: bytes = SCAN, scans: bytes | None = None, after: bytes = b"") -> bytes:
    """A picture with these segments after its beginning; ``scans`` takes the place of the only scan and its head."""
    drawn = TABLE + FRAME + CODES + SCAN_HEAD + scan if scans is None else scans
    return b"\xff\xd8" + b"".join(segments) + drawn + END + after


def tiff(entries: list[tuple[int, int, bytes]], *, order: str = "big", after: bytes = b"") -> bytes:
    """A TIFF directory (TIFF 6.0): tag, type, and the four bytes of the value; one value in each entry."""
    number = lambda value, size: value.to_bytes(size, order)  # noqa: E731
    rows = b"".join(number(tag, 2) + number(kind, 2) + number(1, 4) + value for tag, kind, value in entries)
    head = (b"MM" if order == "big" else b"II") + number(42, 2) + number(8, 4)
    return head + number(len(entries), 2) + rows + bytes(4) + after


def exif(orientation: int | None, *, order: str = "big", canary: bytes = b"") -> bytes:
    """An Exif segment as a telephone writes it: a maker, the orientation, a place (GPS directory), a preview."""
    short = lambda value: value.to_bytes(2, order) + b"\0\0"  # type: ignore[arg-type]  # noqa: E731
    entries = [(0x010F, 2, b"Tel\0")]
    if orientation is not None:
        entries.append((0x0112, 3, short(orientation)))
    entries.append((0x8825, 4, (200).to_bytes(4, order)))  # type: ignore[arg-type]
    return segment(0xE1, b"Exif\0\0" + tiff(entries, order=order, after=b"48.8925,2.3444 " + canary))


def upright(orientation: int) -> bytes:
    """The only Exif segment that a kept picture may hold: one entry, the orientation."""
    return segment(0xE1, b"Exif\0\0" + tiff([(0x0112, 3, orientation.to_bytes(2) + b"\0\0")]))


# -- PNG: one grey point ------------------------------------------------------------------------------------------


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    return len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)


HEADER = chunk(b"IHDR", b"\0\0\0\x01\0\0\0\x01\x08\0\0\0\0")
DRAWING = chunk(b"IDAT", zlib.compress(b"\0\x80"))
LAST = chunk(b"IEND")


def png(*chunks: bytes, after: bytes = b"") -> bytes:
    """A picture with these chunks between its header and its drawing."""
    return PNG_SIGNATURE + HEADER + b"".join(chunks) + DRAWING + LAST + after


# -- PDF and texts ------------------------------------------------------------------------------------------------


def pdf(*, before: bytes = b"", body: bytes = b"", end: bytes = b"%%EOF\n") -> bytes:
    objects = b"1 0 obj\n<</Type/Catalog>>\nendobj\n" + body + b"trailer\n<</Root 1 0 R>>\nstartxref\n9\n"
    return before + b"%PDF-1.7\n" + objects + end


def archive(parts: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as made:
        for name, content in parts.items():
            made.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else compression)
    return file.getvalue()


def odt(parts: dict[str, bytes] | None = None, *, mimetype: bytes = ODT_TYPE) -> bytes:
    known = {"mimetype": mimetype, "content.xml": b"<office/>", "META-INF/manifest.xml": b"<manifest/>"}
    return archive(known | (parts or {}))


def types(main: bytes) -> bytes:
    return b'<Types><Override PartName="/word/document.xml" ContentType="' + main + b'"/></Types>'


def docx(parts: dict[str, bytes] | None = None, *, main: bytes = WORD) -> bytes:
    known = {"[Content_Types].xml": types(main), "_rels/.rels": b"<r/>", "word/document.xml": b"<w/>"}
    return archive(known | (parts or {}))


def xlsx() -> bytes:
    sheets = b'<Types><Override PartName="/xl/workbook.xml" ContentType="' + EXCEL + b'"/></Types>'
    return archive({"[Content_Types].xml": sheets, "_rels/.rels": b"<r/>", "xl/workbook.xml": b"<x/>"})
