"""A picture is kept without what it says of who took it and where; its pixels are the same, byte for byte."""

import io
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pre_cases.documents.pictures import PART, BrokenPicture, without_metadata
from pre_cases.models import ContentType
from tests.pre_cases.documents import samples
from tests.pre_cases.documents.samples import chunk, exif, jpeg, png, segment, upright

CANARY = b"canari-48.8925-2.3444"
JPEG, PNG = ContentType.JPEG, ContentType.PNG
ORIENTATIONS = range(2, 9)


def cleaned(content: bytes, content_type: ContentType = JPEG) -> bytes:
    return b"".join(without_metadata(io.BytesIO(content), content_type))


def kept_or_broken(content: bytes, content_type: ContentType) -> None:
    """Either parts, fewer than the bytes that were read, or BrokenPicture; anything else is an error."""
    most = len(content) + 2
    try:
        parts = list(islice(without_metadata(io.BytesIO(content), content_type), most))
    except BrokenPicture:
        return
    assert len(parts) < most
    assert len(b"".join(parts)) <= len(content) + len(upright(6))


SAID = {
    "Exif": exif(1, canary=CANARY),
    "Exif without an orientation": exif(None, canary=CANARY),
    "XMP": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + CANARY),
    "long XMP": segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + CANARY),
    "IPTC": segment(0xED, b"Photoshop 3.0\08BIM\x04\x04" + CANARY),
    "previews": segment(0xE2, b"MPF\0" + CANARY),
    "FlashPix": segment(0xE2, b"FPXR\0" + CANARY),
    "APP3": segment(0xE3, CANARY),
    "C2PA": segment(0xEB, b"JP\0\0" + CANARY),
    "APP15": segment(0xEF, CANARY),
    "a comment": segment(0xFE, CANARY),
    "a comment as long as may be": segment(0xFE, CANARY + bytes(65_533 - len(CANARY))),
}


class TestAPhotograph:
    def test_that_says_nothing_stays_as_it_is(self) -> None:
        photograph = jpeg(samples.JFIF, samples.ADOBE, samples.COLOURS)
        assert cleaned(photograph) == photograph

    @pytest.mark.parametrize("said", SAID.values(), ids=SAID)
    def test_loses_what_it_says(self, said: bytes) -> None:
        assert CANARY in jpeg(said)
        assert cleaned(jpeg(samples.JFIF, said)) == jpeg(samples.JFIF)
        assert cleaned(jpeg(said, said, samples.COLOURS, said)) == jpeg(samples.COLOURS)

    def test_loses_what_follows_its_end(self) -> None:
        assert cleaned(jpeg(after=CANARY)) == jpeg()
        assert cleaned(jpeg(after=jpeg(segment(0xFE, CANARY)))) == jpeg()

    def test_loses_what_is_said_between_two_scans(self) -> None:
        scan = samples.SCAN_HEAD + samples.SCAN
        before = samples.TABLE + samples.FRAME + samples.CODES + scan
        assert cleaned(jpeg(scans=before + segment(0xFE, CANARY) + scan)) == jpeg(scans=before + scan)

    def test_is_read_from_its_beginning_wherever_the_file_stands(self) -> None:
        file = io.BytesIO(jpeg())
        file.seek(10)
        assert b"".join(without_metadata(file, JPEG)) == jpeg()


MAKERS = {
    "CIFF": segment(0xE0, b"II\x1a\0\0\0HEAPCCDR" + CANARY),
    "JFXX": segment(0xE0, b"JFXX\0\x10" + CANARY),
    "OCAD": segment(0xE0, b"Ocad$Rev: 14797 $" + CANARY),
    "JFIF under other capitals": segment(0xE0, b"jfif\0" + CANARY),
    "no APP14 of Adobe": segment(0xEE, CANARY),
    "APP14 of Adobe under other capitals": segment(0xEE, b"adobe\0" + CANARY),
    "no ICC profile": segment(0xE2, b"ICC_PROFILE" + CANARY),
    **{f"JPG{marker - 0xF0}": segment(marker, CANARY) for marker in range(0xF0, 0xFE)},
}


class TestASegmentOfAMaker:
    """What the standard leaves to makers of cameras, or keeps for later: what it says, nobody knows."""

    @pytest.mark.parametrize("made", MAKERS.values(), ids=MAKERS)
    def test_is_left_out(self, made: bytes) -> None:
        photograph = jpeg(samples.JFIF, samples.ADOBE, samples.COLOURS)
        assert cleaned(jpeg(made, samples.JFIF, made, samples.ADOBE, samples.COLOURS, made)) == photograph

    def test_is_left_out_under_every_reserved_marker(self) -> None:
        for marker in range(0x02, 0xC0):
            assert cleaned(jpeg(samples.JFIF, segment(marker, CANARY))) == jpeg(samples.JFIF), hex(marker)

    def test_keeps_of_jfif_its_density_and_no_preview(self) -> None:
        told = b"JFIF\0\x01\x02\x01\x01\x2c\x01\x2c"
        preview = segment(0xE0, told + b"\x05\x05" + CANARY.ljust(75, b"x"))
        assert cleaned(jpeg(preview)) == jpeg(segment(0xE0, told + b"\0\0"))

    def test_keeps_of_adobe_its_colours_and_nothing_after(self) -> None:
        assert cleaned(jpeg(samples.ADOBE)) == jpeg(samples.ADOBE)
        assert cleaned(jpeg(segment(0xEE, samples.ADOBE[4:] + CANARY))) == jpeg(samples.ADOBE)


class TestTheOrientation:
    @pytest.mark.parametrize("order", ["big", "little"])
    @pytest.mark.parametrize("orientation", ORIENTATIONS)
    def test_is_all_that_stays_of_exif(self, orientation: int, order: str) -> None:
        photograph = jpeg(samples.JFIF, exif(orientation, order=order, canary=CANARY), samples.COLOURS)
        assert cleaned(photograph) == jpeg(samples.JFIF, upright(orientation), samples.COLOURS)

    @pytest.mark.parametrize("order", ["big", "little"])
    @pytest.mark.parametrize("orientation", [None, 0, 1, 9, 255, 65_535])
    def test_is_not_written_for_a_picture_that_stands_upright(self, orientation: int | None, order: str) -> None:
        assert cleaned(jpeg(exif(orientation, order=order, canary=CANARY))) == jpeg()

    def test_is_said_once(self) -> None:
        assert cleaned(jpeg(exif(6), exif(3))) == jpeg(upright(6))
        assert cleaned(jpeg(exif(1), exif(3))) == jpeg()

    @pytest.mark.parametrize("orientation", ORIENTATIONS)
    def test_stays_when_a_picture_is_sent_again(self, orientation: int) -> None:
        once = cleaned(jpeg(exif(orientation)))
        assert cleaned(once) == once

    def test_is_not_looked_for_without_end(self) -> None:
        """A directory that announces 65,535 entries, or that begins far beyond the segment."""
        for directory in (b"MM\0\x2a\0\0\0\x08\xff\xff", b"MM\0\x2a\xff\xff\xff\xff", b"II\x2a\0\0\0\0\0", b"MM", b""):
            assert cleaned(jpeg(segment(0xE1, b"Exif\0\0" + directory))) == jpeg()

    @given(st.sampled_from([b"", b"MM\0\x2a", b"II\x2a\0"]), st.binary(max_size=60))
    def test_of_any_bytes_breaks_nothing(self, beginning: bytes, rest: bytes) -> None:
        kept = cleaned(jpeg(segment(0xE1, b"Exif\0\0" + beginning + rest)))
        assert kept in {jpeg(), *(jpeg(upright(orientation)) for orientation in ORIENTATIONS)}


STUFFING = b"\x12\xff\x00\x34\xff\x00\xff\x00"
RESTARTS = b"".join(b"\x56" + bytes([0xFF, 0xD0 + number]) for number in range(8))


SCANS = {
    "nothing": b"",
    "stuffed bytes": STUFFING,
    "restarts": RESTARTS,
    "both": STUFFING + RESTARTS + STUFFING,
    "many stuffed bytes": b"\xff\x00" * 5_000,
    "fill bytes": b"\xff\xff\xff",
    "several reads": b"a" * 3 * PART,
}


class TestThePixels:
    @pytest.mark.parametrize("scan", SCANS.values(), ids=SCANS)
    def test_are_unchanged(self, scan: bytes) -> None:
        assert cleaned(jpeg(exif(1, canary=CANARY), scan=scan, after=CANARY)) == jpeg(scan=scan)

    def test_of_every_scan_are_unchanged(self) -> None:
        """A progressive picture: several scans, tables between them."""
        scans = samples.TABLE + samples.PROGRESSIVE_FRAME + samples.CODES
        for number in range(10):
            head = segment(0xDA, bytes([1, 1, 0, number, number, 0]))
            scans += samples.CODES + head + STUFFING + bytes([number]) * 100 + RESTARTS
        assert cleaned(jpeg(exif(8), scans=scans, after=CANARY)) == jpeg(upright(8), scans=scans)

    @pytest.mark.parametrize("beyond", range(-4, 5))
    @pytest.mark.parametrize(
        "tail", [b"", b"\xff\x00", b"\xff\xd3\x01", b"\xff\xff", b"\xff\xff\xff\x00z"], ids=bytes.hex
    )
    def test_are_unchanged_when_a_read_ends_there(self, beyond: int, tail: bytes) -> None:
        """The scan is read in parts of 64 KiB: a marker, or a stuffed byte, may be cut in two."""
        photograph = jpeg(scan=b"a" * (PART + beyond) + tail)
        assert cleaned(photograph) == photograph

    @pytest.mark.parametrize("beyond", range(-4, 5))
    def test_end_where_a_marker_cut_in_two_begins(self, beyond: int) -> None:
        first, second = samples.SCAN_HEAD + b"a" * (PART + beyond), samples.SCAN_HEAD + b"b" * (PART + beyond)
        both = jpeg(scans=samples.FRAME + first + segment(0xFE, CANARY) + second, after=CANARY)
        assert cleaned(both) == jpeg(scans=samples.FRAME + first + second)

    def test_may_be_fill_bytes_for_longer_than_a_read(self) -> None:
        photograph = jpeg(scan=b"\xff" * (PART + 3))
        assert cleaned(photograph) == photograph


FILLED = jpeg(exif(6, canary=CANARY), b"\xff\xff" + samples.COLOURS, scan=STUFFING + RESTARTS)


class TestABrokenPhotograph:
    @given(st.sampled_from([jpeg(), FILLED, jpeg(segment(0xFE, CANARY))]), st.data())
    def test_is_told_wherever_it_is_cut(self, photograph: bytes, data: st.DataObject) -> None:
        cut = data.draw(st.integers(0, len(photograph) - 1))
        with pytest.raises(BrokenPicture):
            cleaned(photograph[:cut])

    @pytest.mark.parametrize("scan", [b"a" * (PART - 1) + b"\xff", b"a" * PART, b"a" * PART + b"\xff", b"\xff" * PART])
    def test_is_told_when_its_scan_has_no_end(self, scan: bytes) -> None:
        photograph = jpeg(scan=scan)
        with pytest.raises(BrokenPicture):
            cleaned(photograph[: photograph.index(scan) + len(scan)])

    @pytest.mark.parametrize(
        "content",
        [
            png(),
            b"\xff\xd8\xff\xe1\0\0" + samples.END,  # a segment shorter than its own length
            b"\xff\xd8\xff\xe1\0\x01" + samples.END,
            b"\xff\xd8" + b"no marker" + samples.END,
            b"\xff\xd8\xff\x00" + samples.END,
        ],
    )
    def test_is_told_when_it_is_built_otherwise(self, content: bytes) -> None:
        with pytest.raises(BrokenPicture):
            cleaned(content)

    @pytest.mark.parametrize("inside", [b"\xff\xd8", jpeg(segment(0xFE, CANARY))], ids=["a beginning", "a picture"])
    def test_is_told_when_another_one_begins_inside(self, inside: bytes) -> None:
        scan = samples.SCAN_HEAD + samples.SCAN
        for content in (
            jpeg(inside),
            jpeg(samples.JFIF, inside),
            jpeg(scan=samples.SCAN + inside),
            jpeg(scans=samples.TABLE + samples.FRAME + samples.CODES + scan + inside + scan),
        ):
            with pytest.raises(BrokenPicture):
                cleaned(content)

    @given(st.binary(max_size=200))
    def test_is_all_that_any_bytes_can_be(self, rest: bytes) -> None:
        kept_or_broken(b"\xff\xd8" + rest, JPEG)

    @given(st.lists(st.one_of(st.binary(max_size=6), st.sampled_from([b"\xff", samples.SCAN_HEAD, RESTARTS, exif(5)]))))
    def test_is_all_that_any_segments_can_be(self, parts: list[bytes]) -> None:
        kept_or_broken(b"\xff\xd8" + b"".join(parts) + samples.END, JPEG)

    @given(st.integers(0, len(FILLED) - 1), st.binary(max_size=3))
    def test_is_all_that_a_few_other_bytes_can_make(self, place: int, other: bytes) -> None:
        kept_or_broken(FILLED[:place] + other + FILLED[place + len(other) :], JPEG)


IMPOSSIBLE = {
    "longer than a chunk may be": (2**31).to_bytes(4) + b"IDAT",
    "longer than the file": (2**31 - 1).to_bytes(4) + b"tEXt",
    "named otherwise than by letters": bytes(4) + b"12\0\n" + bytes(4),
    "named by accents": bytes(4) + "é".encode() * 2 + bytes(4),
}


DRAWS = {
    b"PLTE": 768,
    b"tRNS": 256,
    b"gAMA": 4,
    b"cHRM": 32,
    b"sRGB": 1,
    b"iCCP": PART + 1,
    b"sBIT": 4,
    b"bKGD": 6,
    b"pHYs": 9,
}  # as large as each may be


class TestADrawing:
    def test_that_says_nothing_stays_as_it_is(self) -> None:
        colours = [chunk(kind, bytes(size)) for kind, size in DRAWS.items()]
        drawing = png(*colours, chunk(b"IDAT", b"a" * (PART + 1)))
        assert cleaned(drawing, PNG) == drawing

    @pytest.mark.parametrize(
        "kind", [b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME", b"acTL", b"fcTL", b"fdAT", b"caBX", b"hIST", b"prVt"]
    )
    def test_loses_what_it_says(self, kind: bytes) -> None:
        for said in (CANARY, CANARY * 5_000):
            assert cleaned(png(chunk(kind, said)), PNG) == png()

    def test_loses_what_follows_its_end(self) -> None:
        assert cleaned(png(after=CANARY), PNG) == png()
        assert cleaned(png(after=chunk(b"tEXt", CANARY) + samples.LAST), PNG) == png()

    def test_loses_what_is_said_after_its_pixels(self) -> None:
        said = png()[: -len(samples.LAST)] + chunk(b"tEXt", CANARY) + samples.LAST
        assert cleaned(said, PNG) == png()

    @given(st.sampled_from([png(), png(chunk(b"tEXt", CANARY))]), st.data())
    def test_is_told_broken_wherever_it_is_cut(self, drawing: bytes, data: st.DataObject) -> None:
        cut = data.draw(st.integers(0, len(drawing) - 1))
        with pytest.raises(BrokenPicture):
            cleaned(drawing[:cut], PNG)

    @pytest.mark.parametrize("chunks", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
    def test_is_told_broken_when_it_is_built_otherwise(self, chunks: bytes) -> None:
        with pytest.raises(BrokenPicture):
            cleaned(png(chunks), PNG)
        with pytest.raises(BrokenPicture):
            cleaned(jpeg(), PNG)

    @pytest.mark.parametrize("kind", [kind for kind in DRAWS if kind != b"iCCP"], ids=bytes.decode)
    def test_is_told_broken_when_a_chunk_says_more_than_it_may(self, kind: bytes) -> None:
        for size in (0, DRAWS[kind] + 1, DRAWS[kind] + len(CANARY)):
            with pytest.raises(BrokenPicture):
                cleaned(png(chunk(kind, CANARY.ljust(size, b"x")[:size])), PNG)

    @pytest.mark.parametrize("said", [b"x", CANARY, CANARY * 5_000], ids=len)
    def test_is_told_broken_when_its_end_says_something(self, said: bytes) -> None:
        drawing = png()[: -len(samples.LAST)]
        assert cleaned(drawing + samples.LAST, PNG) == png()
        with pytest.raises(BrokenPicture):
            cleaned(drawing + chunk(b"IEND", said), PNG)

    @pytest.mark.parametrize("size", [0, 12, 14, 13 + len(CANARY)])
    def test_is_told_broken_when_its_beginning_has_another_size(self, size: int) -> None:
        with pytest.raises(BrokenPicture):
            cleaned(samples.PNG_SIGNATURE + chunk(b"IHDR", bytes(size)) + samples.DRAWING + samples.LAST, PNG)

    @given(st.binary(max_size=200))
    def test_may_be_any_bytes(self, rest: bytes) -> None:
        kept_or_broken(samples.PNG_SIGNATURE + rest, PNG)

    @given(st.lists(st.tuples(st.sampled_from([b"IHDR", b"IDAT", b"tEXt", b"IEND"]), st.integers(0, 40), st.binary())))
    def test_may_be_any_chunks(self, chunks: list[tuple[bytes, int, bytes]]) -> None:
        parts = [size.to_bytes(4) + kind + content for kind, size, content in chunks]
        kept_or_broken(samples.PNG_SIGNATURE + b"".join(parts), PNG)


class TestAnotherFile:
    @pytest.mark.parametrize("content_type", [ContentType.PDF, ContentType.ODT, ContentType.DOCX])
    @pytest.mark.parametrize("size", [0, 1, PART, PART + 1, 3 * PART])
    def test_is_kept_as_it_is(self, content_type: ContentType, size: int) -> None:
        file = io.BytesIO(b"x" * size)
        file.seek(size)
        parts = list(without_metadata(file, content_type))
        assert b"".join(parts) == b"x" * size
        assert all(len(part) <= PART for part in parts)
