"""A file is judged by its content; its name is kept without what could harm or mislead."""

import io
import struct
import tracemalloc
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
DOCX = samples.docx()
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


def found_in_little_memory(content: bytes) -> ContentType | None:
    tracemalloc.start()
    try:
        answer = found(content)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 * LONGEST_PART
    return answer


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

    def test_accepts_a_pdf_that_ends_before_a_few_bytes(self) -> None:
        assert found(samples.pdf(end=b"%%EOF" + b"\n" * 500)) is ContentType.PDF

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
        assert found_in_little_memory(bomb) is None

    def test_is_not_decompressed_to_know_its_format(self) -> None:
        bomb = samples.docx({"word/document.xml": bytes(40 * MEBIBYTE)})
        assert found_in_little_memory(bomb) is ContentType.DOCX


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "lzma"])
class TestACompressionOfAnotherKind:
    """One reading of a few bytes may give any number of them: such an archive is not opened further."""

    def test_is_refused_without_being_read(self, compression: int) -> None:
        types = samples.types(samples.WORD) + bytes(40 * MEBIBYTE)
        bomb = samples.archive(
            {
                "[Content_Types].xml": types,
                "word/document.xml": b"<w/>",
                "mimetype": samples.ODT_TYPE,
                "content.xml": b"",
            },
            compression=compression,
        )
        assert len(bomb) < MEBIBYTE
        assert found_in_little_memory(bomb) is None

    def test_is_refused_in_a_part_that_is_not_read(self, compression: int) -> None:
        file = io.BytesIO(DOCX)
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr("word/media/image1.png", b"x", compression)
        assert found(file.getvalue()) is None

    def test_is_refused_however_little_it_holds(self, compression: int) -> None:
        parts = {"[Content_Types].xml": samples.types(samples.WORD), "word/document.xml": b"<w/>"}
        assert found(samples.archive(parts)) is ContentType.DOCX
        assert found(samples.archive(parts, compression=compression)) is None


CENTRAL = DOCX.index(b"PK\x01\x02")  # where the list of the parts begins
END = DOCX.rindex(b"PK\x05\x06")


def with_flags(part: str, flags: int) -> bytes:
    """The DOCX with other flags on one part, in its own head and in the list of the parts."""
    changed = bytearray(DOCX)
    for signature, flags_at, name_at in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        start = DOCX.index(part.encode(), 0 if name_at == 30 else CENTRAL) - name_at
        assert changed[start : start + 4] == signature
        changed[start + flags_at] |= flags
    return bytes(changed)


def damaged(at: int, *content: int) -> bytes:
    return DOCX[:at] + bytes(content) + DOCX[at + len(content) :]


def with_large_offset(offset: int) -> bytes:
    """The DOCX whose first part is said to begin there, in the 64 bits that an extra field may hold."""
    name_size = int.from_bytes(DOCX[CENTRAL + 28 : CENTRAL + 30], "little")
    after = CENTRAL + 46 + name_size
    head = bytearray(DOCX[CENTRAL:after])
    extra = struct.pack("<HHQ", 1, 8, offset)
    head[30:32] = len(extra).to_bytes(2, "little")
    head[42:46] = b"\xff" * 4
    size = END - CENTRAL + len(extra)
    end = DOCX[END : END + 12] + size.to_bytes(4, "little") + DOCX[END + 16 :]
    return DOCX[:CENTRAL] + bytes(head) + extra + DOCX[after:END] + end


DAMAGED = {
    "a list after the end of the file": damaged(END + 16, 0xFF, 0xFF, 0xFF, 0x7F),
    "a list longer than the file": damaged(END + 12, 0xFF, 0xFF, 0xFF, 0x7F),
    "a list of nothing": damaged(END + 12, 0, 0, 0, 0),
    "no list": b"PK\x03\x04" + DOCX[END:],
    "a part that is none": damaged(CENTRAL, 0, 0, 0, 0),
    "a name longer than the list": damaged(CENTRAL + 28, 0xFF, 0xFF),
    "an extra field longer than the list": damaged(CENTRAL + 30, 0xFF, 0xFF),
    "a part after the end of the file": damaged(CENTRAL + 42, 0xFF, 0xFF, 0xFF, 0x7F),
    "a part further than any file": with_large_offset(2**63 - 1),
    "a version that nobody knows": damaged(CENTRAL + 6, 0xFF),
    "a beginning without its signature": DOCX[4:],
}


class TestAnArchiveDamaged:
    """Whatever its list of parts says, the answer is that it is not accepted: never an error."""

    @pytest.mark.parametrize("part", ["[Content_Types].xml", "_rels/.rels", "word/document.xml"])
    def test_under_a_password_is_refused(self, part: str) -> None:
        assert found(with_flags(part, 0)) is ContentType.DOCX
        assert found(with_flags(part, 1)) is None

    def test_with_names_that_are_not_utf_8_is_refused(self) -> None:
        foreign = DOCX.replace(b"_rels/.rels", b"_rel\xe9/.rels")
        assert found(foreign) is ContentType.DOCX  # read as code page 437, as the standard says
        changed = bytearray(foreign)
        for signature, flags_at in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
            start = foreign.index(signature, foreign.index(signature) + 4)  # the second part
            changed[start + flags_at] |= 0x08  # « the names are in UTF-8 »
        assert found(bytes(changed)) is None

    @pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
    def test_in_its_list_is_refused(self, content: bytes) -> None:
        assert found(content) is None

    @pytest.mark.parametrize("offset", [2**63, 2**64 - 1])
    def test_in_an_offset_that_no_file_has_is_refused(self, offset: int) -> None:
        assert found(with_large_offset(0)) is ContentType.DOCX
        assert found(with_large_offset(offset)) is None

    @settings(deadline=None)
    @given(st.integers(CENTRAL, len(DOCX) - 1), st.binary(min_size=1, max_size=4))
    def test_anywhere_in_its_list_is_an_answer(self, at: int, content: bytes) -> None:
        assert found(damaged(at, *content)) in (None, ContentType.DOCX)


def declared(*tags: bytes) -> bytes:
    return samples.docx({"[Content_Types].xml": b"<Types>" + b"".join(tags) + b"</Types>", "word/x.bin": b"x"})


def override(name: bytes, content_type: bytes) -> bytes:
    return b'<Override PartName="' + name + b'" ContentType="' + content_type + b'"/>'


MAIN = override(b"/word/document.xml", samples.WORD)
VBA = b"application/vnd.ms-office.vbaProject"
NOT_PLAIN = {
    "a main part with macros": [override(b"/word/document.xml", samples.WORD_WITH_MACROS)],
    "a main part said twice": [MAIN, override(b"/word/document.xml", samples.WORD_WITH_MACROS)],
    "another part said the main one": [override(b"/word/x.bin", samples.WORD)],
    "another part said the main one beside the true one": [
        override(b"/word/x.bin", samples.WORD),
        override(b"/word/document.xml", samples.EXCEL),
    ],
    "the words in the name of another part": [
        override(b"/word/" + samples.WORD, b"text/xml"),
        override(b"/word/document.xml", b"text/xml"),
    ],
    "the words outside any tag": [samples.WORD, override(b"/word/document.xml", b"text/xml")],
    "the words in a default": [b'<Default Extension="xml" ContentType="' + samples.WORD + b'"/>'],
    "macros under another name": [MAIN, override(b"/word/x.bin", VBA)],
    "macros under other capitals": [MAIN, override(b"/word/x.bin", VBA.upper())],
    "macros by default": [MAIN, b'<Default Extension="bin" ContentType="' + VBA + b'"/>'],
    "a control by default": [MAIN, b'<Default Extension="bin" ContentType="application/vnd.ms-office.activeX"/>'],
}


class TestADocxThatDeclares:
    """[Content_Types].xml says what each part is, whatever its name."""

    def test_its_main_part_a_plain_text_is_accepted(self) -> None:
        assert found(declared(MAIN)) is ContentType.DOCX
        assert found(declared(b'<Default Extension="bin" ContentType="image/png"/>', MAIN)) is ContentType.DOCX

    @pytest.mark.parametrize("tags", NOT_PLAIN.values(), ids=NOT_PLAIN)
    def test_anything_else_is_refused(self, tags: list[bytes]) -> None:
        assert found(declared(*tags)) is None


OTHERS = {
    "a page": HTML,
    "a comment of a page": b"<!--",
    "a program of Windows": b"MZ\x90\0",
    "a program of Linux": b"\x7fELF",
    "a picture": b"GIF89a",
    "a spreadsheet": samples.xlsx(),
    "the beginning of an archive": b"PK\x03\x04",
    "PostScript": b"\r\n%!PS-Adobe-3.0\n",
    "a letter": b"x",
    "a zero": b"\0",
}
BLANKS = {
    "nothing": b"",
    "a byte order mark": b"\xef\xbb\xbf",
    "a line": b"\n",
    "lines": b"\r\n\r\n",
    "spaces": b" \t",
    "a byte order mark and a line": b"\xef\xbb\xbf\r\n",
    "many lines": b"\n" * 1_000,
}


class TestAPdfAfter:
    @pytest.mark.parametrize("before", OTHERS.values(), ids=OTHERS)
    def test_the_beginning_of_something_else_is_refused(self, before: bytes) -> None:
        """Another program would open that, and not the PDF."""
        for between in (b"", b"\n", b" " * 100):
            assert found(samples.pdf(before=before + between)) is None

    @pytest.mark.parametrize("before", BLANKS.values(), ids=BLANKS)
    def test_a_byte_order_mark_or_blank_lines_is_accepted(self, before: bytes) -> None:
        assert found(samples.pdf(before=before)) is ContentType.PDF


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
