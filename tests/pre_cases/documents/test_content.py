"""A file is judged by its content; its name is kept without what could harm or mislead."""

import io
import tracemalloc

import pytest

from pre_cases.documents.content import LONGEST_PART, MOST_PARTS, content_type_of, safe_name
from pre_cases.models import ContentType
from tests.pre_cases.documents import samples

MEBIBYTE = 1024 * 1024
ACCEPTED = {
    ContentType.PDF: samples.pdf(),
    ContentType.JPEG: samples.jpeg(samples.JFIF),
    ContentType.PNG: samples.png(),
    ContentType.ODT: samples.odt(),
    ContentType.DOCX: samples.docx(),
}
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
REFUSED = {
    "an empty file": b"",
    "a page of the web": HTML,
    "a page that ends like a PDF": HTML + b"\n%%EOF\n",
    "a program of Windows": b"MZ\x90\0" + bytes(60) + b"PE\0\0",
    "a program of Linux": b"\x7fELF\x02\x01\x01" + bytes(60),
    "a drawing with scripts": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "a GIF": b"GIF89a\x01\0\x01\0\0\0\0;",
    "a TIFF": samples.tiff([(0x0112, 3, b"\0\x01\0\0")]),
    "an old Word": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),
    "a PDF without an end": samples.pdf(end=b""),
    "a PDF whose end stands far from the end": samples.pdf(end=b"%%EOF\n" + bytes(2_000)),
    "a PDF that begins too far": samples.pdf(before=bytes(1_100)),
    "an archive": samples.archive({"bulletin.pdf": samples.pdf()}),
    "an empty archive": b"PK\x05\x06" + bytes(18),
    "a text with macros": samples.docx({"word/vbaProject.bin": b"x"}, main=samples.WORD_WITH_MACROS),
    "a text with macros that says it has none": samples.docx({"word/vbaProject.bin": b"x"}),
    "a text with macros under other capitals": samples.docx({"word/VBAPROJECT.BIN": b"x"}),
    "a text declared with macros": samples.docx(main=samples.WORD_WITH_MACROS),
    "a text with an ActiveX control": samples.docx({"word/activeX/activeX1.xml": b"x"}),
    "an ODT with Basic": samples.odt({"Basic/Standard/Module1.xml": b"x"}),
    "an ODT with Python": samples.odt({"Scripts/python/macro.py": b"x"}),
    "an ODT without a text": samples.archive({"mimetype": samples.ODT_TYPE}),
    "a spreadsheet of LibreOffice": samples.odt(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"),
    "a model of a text": samples.odt(mimetype=samples.ODT_TYPE + b"-template"),
    "a spreadsheet of Excel": samples.xlsx(),
    "a DOCX that does not say what it holds": samples.archive({"word/document.xml": b"<w/>"}),
    "a DOCX without a text": samples.archive({"[Content_Types].xml": samples.WORD}),
    "too many parts": samples.odt({f"Pictures/{number}": b"" for number in range(MOST_PARTS)}),
}


def found(content: bytes) -> ContentType | None:
    return content_type_of(io.BytesIO(content))


class TestTheContent:
    @pytest.mark.parametrize("content_type", ACCEPTED, ids=lambda kind: kind.name)
    def test_says_each_accepted_format(self, content_type: ContentType) -> None:
        assert found(ACCEPTED[content_type]) is content_type

    def test_covers_every_format_that_a_document_may_have(self) -> None:
        assert set(ACCEPTED) == set(ContentType)

    @pytest.mark.parametrize("content_type", ACCEPTED, ids=lambda kind: kind.name)
    def test_is_read_from_its_beginning_wherever_the_file_stands(self, content_type: ContentType) -> None:
        file = io.BytesIO(ACCEPTED[content_type])
        file.seek(0, io.SEEK_END)
        assert content_type_of(file) is content_type

    @pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
    def test_refuses_what_is_none_of_them(self, content: bytes) -> None:
        assert found(content) is None

    def test_accepts_a_pdf_after_a_few_bytes_or_before_a_few(self) -> None:
        assert found(samples.pdf(before=b"\xef\xbb\xbf\r\n", end=b"%%EOF" + b"\n" * 500)) is ContentType.PDF

    @pytest.mark.parametrize("content_type", [ContentType.ODT, ContentType.DOCX], ids=lambda kind: kind.name)
    def test_refuses_an_archive_cut_anywhere(self, content_type: ContentType) -> None:
        whole = ACCEPTED[content_type]
        for cut in range(0, len(whole) - 1, 7):
            assert found(whole[:cut]) is None, cut

    def test_refuses_a_part_whose_compression_is_damaged(self) -> None:
        damaged = bytearray(samples.docx())
        start = damaged.index(b"[Content_Types].xml") + len(b"[Content_Types].xml")
        damaged[start : start + 4] = b"\xff\xff\xff\xff"
        assert found(bytes(damaged)) is None

    def test_refuses_a_part_under_a_password(self) -> None:
        locked = bytearray(samples.docx())
        for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            locked[locked.index(signature) + flags] |= 1
        assert found(bytes(locked)) is None


class TestAnArchiveThatSwells:
    """A part of a few kilobytes that would fill the memory once decompressed."""

    @pytest.mark.parametrize("part", ["[Content_Types].xml", "mimetype"])
    def test_is_never_read_whole(self, part: str) -> None:
        swelling = bytes(40 * MEBIBYTE) + samples.WORD + samples.ODT_TYPE
        if part == "mimetype":  # written first and compressed, unlike a true one
            bomb = samples.archive({"Mimetype": swelling, "content.xml": b"<x/>"}).replace(b"Mimetype", b"mimetype")
        else:
            bomb = samples.archive({part: swelling, "word/document.xml": b"<w/>"})
        assert len(bomb) < MEBIBYTE
        tracemalloc.start()
        try:
            assert found(bomb) is None
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most < 8 * LONGEST_PART

    def test_is_not_decompressed_to_know_its_format(self) -> None:
        bomb = samples.docx({"word/document.xml": bytes(40 * MEBIBYTE)})
        tracemalloc.start()
        try:
            assert found(bomb) is ContentType.DOCX
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most < 8 * LONGEST_PART


class TestTheName:
    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            ("bulletin.pdf", "bulletin.pdf"),
            ("Accord signé d’Inès.PDF", "Accord signé d’Inès.pdf"),
            ("../../etc/passwd.pdf", "passwd.pdf"),
            ("C:\\Documents\\accord.pdf", "accord.pdf"),
            ("dossier/", "document.pdf"),
            ("a\x00c\x1bc\no\trd.pdf", "accord.pdf"),
            ("accord\u202efdp.exe", "accordfdp.exe.pdf"),  # shown « accordexe.pdf » by the right-to-left sign
            ("acc\u200bo\ufeffrd.pdf", "accord.pdf"),
            ("acc\ud800ord.pdf", "accord.pdf"),
            ('a<c>c:o"r|d?*.pdf', "accord.pdf"),
            ("accord", "accord.pdf"),
            ("accord.docx", "accord.pdf"),
            ("accord.pdf.exe", "accord.pdf.exe.pdf"),
            ("accord.exe.pdf", "accord.exe.pdf"),
            ("accord 12.03.2026", "accord 12.03.2026.pdf"),
            (".htaccess", "htaccess.pdf"),
            ("accord.pdf. . ", "accord.pdf"),
            ("", "document.pdf"),
            (" .. ", "document.pdf"),
        ],
    )
    def test_loses_what_could_harm_or_mislead(self, typed: str, kept: str) -> None:
        assert safe_name(typed, ContentType.PDF) == kept

    @pytest.mark.parametrize("content_type", ContentType, ids=lambda kind: kind.name)
    def test_ends_as_its_content_does(self, content_type: ContentType) -> None:
        ending = {"PDF": "pdf", "JPEG": "jpg", "PNG": "png", "ODT": "odt", "DOCX": "docx"}[content_type.name]
        for typed in ("photo.jpeg", "photo.JPG", "photo.png", "photo.docx", "photo"):
            assert safe_name(typed, content_type) == f"photo.{ending}"

    @pytest.mark.parametrize("content_type", ContentType, ids=lambda kind: kind.name)
    def test_is_never_longer_than_its_column(self, content_type: ContentType) -> None:
        for typed in ("é" * 10_000, "é" * 10_000 + ".docx", "é." * 10_000):
            kept = safe_name(typed, content_type)
            assert kept.startswith("é")
            assert len(kept) <= 160
