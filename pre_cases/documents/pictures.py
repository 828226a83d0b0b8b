"""A picture without what it says of who took it, where and with what; its pixels are not touched.

JPEG segments and PNG chunks are copied one by one: what draws the picture and its colour profile stay, the rest is
left out (Exif, XMP, IPTC, comments, texts, dates, previews, makers' segments, whatever follows the end). Of Exif only
the orientation is written again, without which a photograph taken upright would lie on its side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from pre_cases.documents.content import PNG_SIGNATURE
from pre_cases.models import ContentType

PART = 64 * 1024
MOST_SEGMENTS, MOST_FILL_BYTES = 10_000, 1_000
# in compressed data: neither a stuffed byte, nor a restart, nor a fill byte (ITU T.81, B.1.1)
MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
# JPEG markers (ITU T.81, table B.1)
SOI, EOI, SOS, APP0, APP1, APP2, APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
ALONE = {0x01, *range(0xD0, 0xD8)}  # without a length: TEM, RST0 to RST7
DRAWS = {*range(0xC0, 0xD0), *range(0xDA, 0xE0)} - {0xC8}  # frames, tables, scans, restart interval
JFIF, ADOBE = b"JFIF\0", b"Adobe"
JFIF_SIZE = ADOBE_SIZE = 12  # what they say of the colours and the density; a preview may follow
ICC = b"ICC_PROFILE\0"
EXIF = b"Exif\0\0"
ORIENTATION = 0x0112
# PNG chunks that draw, with the sizes that each may have
ANY_SIZE = range(2**31)
PNG_DRAWS = {
    b"IHDR": range(13, 14), b"PLTE": range(3, 769), b"IDAT": ANY_SIZE, b"IEND": range(1), b"tRNS": range(1, 257),
    b"gAMA": range(4, 5), b"cHRM": range(32, 33), b"sRGB": range(1, 2), b"iCCP": ANY_SIZE, b"sBIT": range(1, 5),
    b"bKGD": range(1, 7), b"pHYs": range(9, 10),
}  # fmt: skip


class BrokenPicture(ValueError):
    """The file begins like a picture and is not one."""


def without_metadata(file: BinaryIO, content_type: ContentType) -> Iterator[bytes]:
    """The content to keep of any accepted file, in parts; raises BrokenPicture. Only pictures are changed."""
    file.seek(0)
    if content_type == ContentType.JPEG:
        return _jpeg(file)
    if content_type == ContentType.PNG:
        return _png(file)
    return iter(lambda: file.read(PART), b"")


def _jpeg(file: BinaryIO) -> Iterator[bytes]:
    if file.read(2) != bytes([0xFF, SOI]):
        raise BrokenPicture("no beginning")
    yield bytes([0xFF, SOI])
    upright = False
    for _ in range(MOST_SEGMENTS):
        marker = _marker(file)
        if marker == EOI:
            yield bytes([0xFF, EOI])
            return
        if marker in ALONE:
            yield bytes([0xFF, marker])
            continue
        segment = _segment(file)
        if marker == APP1 and segment.startswith(EXIF) and not upright:
            upright = True
            yield from _orientation_alone(segment[len(EXIF) :])
        elif kept := _kept(marker, segment):
            yield bytes([0xFF, marker]) + (len(kept) + 2).to_bytes(2) + kept
        if marker == SOS:
            if not segment:
                raise BrokenPicture("a scan without a head")
            yield from _scan(file)
    raise BrokenPicture("too many segments")


def _kept(marker: int, segment: bytes) -> bytes:
    """Of a segment, what draws the picture or gives its colours; nothing of the others."""
    if marker in DRAWS:
        return segment
    if marker == APP0 and segment.startswith(JFIF):
        return segment[:JFIF_SIZE] + b"\0\0"  # no preview
    if marker == APP14 and segment.startswith(ADOBE):
        return segment[:ADOBE_SIZE]
    return segment if marker == APP2 and segment.startswith(ICC) else b""


def _marker(file: BinaryIO) -> int:
    if file.read(1) != b"\xff":
        raise BrokenPicture("no marker")
    byte = b"\xff"
    for _ in range(MOST_FILL_BYTES):
        if (byte := file.read(1)) != b"\xff":
            break
    if byte in (b"", b"\0", b"\xff", bytes([SOI])):
        raise BrokenPicture("cut in a marker")
    return byte[0]


def _segment(file: BinaryIO) -> bytes:
    size = int.from_bytes(file.read(2))
    segment = file.read(size - 2) if size >= 2 else b""
    if size < 2 or len(segment) != size - 2:
        raise BrokenPicture("cut in a segment")
    return segment


def _scan(file: BinaryIO) -> Iterator[bytes]:
    """Compressed data up to the next marker, which is left to be read."""
    while part := file.read(PART):
        found = MARKER.search(part)
        if found:
            yield part[: found.start()]
            file.seek(found.start() - len(part), 1)
            return
        if not part.endswith(b"\xff"):
            yield part
        elif len(part) > 1:  # a marker may be cut in two: it is read again whole
            yield part[:-1]
            file.seek(-1, 1)
        else:
            raise BrokenPicture("cut in a scan")
    raise BrokenPicture("no end")


def _orientation_alone(tiff: bytes) -> Iterator[bytes]:
    """An Exif segment that says the orientation and nothing else; nothing when the picture already stands upright."""
    value = _orientation(tiff)
    if value in range(2, 9):
        entry = ORIENTATION.to_bytes(2) + (3).to_bytes(2) + (1).to_bytes(4) + value.to_bytes(2) + b"\0\0"
        content = EXIF + b"MM\0\x2a" + (8).to_bytes(4) + (1).to_bytes(2) + entry + bytes(4)
        yield bytes([0xFF, APP1]) + (len(content) + 2).to_bytes(2) + content


def _orientation(tiff: bytes) -> int:
    """The value of the tag in the first directory (TIFF 6.0); 1, upright, when it cannot be read."""
    order = {b"II": "little", b"MM": "big"}.get(tiff[:2])
    if order is None:
        return 1

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], order)  # type: ignore[arg-type]

    start = number(4, 4)
    for place in range(min(number(start, 2), 512)):
        entry = start + 2 + 12 * place
        if number(entry, 2) == ORIENTATION:
            return number(entry + 8, 2)
    return 1


def _png(file: BinaryIO) -> Iterator[bytes]:
    if file.read(len(PNG_SIGNATURE)) != PNG_SIGNATURE:
        raise BrokenPicture("no beginning")
    yield PNG_SIGNATURE
    while True:
        head = file.read(8)
        size, kind = int.from_bytes(head[:4]), head[4:]
        if len(head) < 8 or size > 2**31 - 1 or not kind.isalpha():
            raise BrokenPicture("cut between two chunks")
        keep = kind in PNG_DRAWS
        if keep and size not in PNG_DRAWS[kind]:
            raise BrokenPicture("a chunk of a size that it cannot have")
        if keep:
            yield head
        left = size + 4  # and the checksum
        while left:
            part = file.read(min(left, PART))
            if not part:
                raise BrokenPicture("cut in a chunk")
            left -= len(part)
            if keep:
                yield part
        if kind == b"IEND":
            return
