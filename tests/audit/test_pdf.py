import re
import sys
import unicodedata
import zlib

import pytest

from audit import pdf as pdf_module
from audit.pdf import PdfFailed, bullets, heading, pairs, paragraph, table, write_pdf
from audit.typesetting import MISSING, Cleaner

HOSTILE = [
    '#panic("x")',
    '#eval("1+1")',
    '#read("/etc/passwd")',
    "$x^2$ *gras* _it_ `code` <label> @ref // suite",
    "]] } ) \\u{1F600} = Titre",
    "1. liste\n- liste\n/ terme: x",
    "\x00\x07\x1b[31m\u202e\u200b\ufeff",
    "漢字 👩‍👧 e\u0301",
    "",
]


def uncompressed(pdf: bytes) -> bytes:
    """The PDF and the contents of its streams."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    opened = []
    for stream in streams:
        try:
            opened.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return pdf + b"\n".join(opened)


def whole_document(text: str) -> bytes:
    return write_pdf(
        title=f"Titre {text}",
        blocks=[
            heading(f"Partie {text}"),
            paragraph(text),
            bullets([text, "deux"]),
            pairs([(f"Nom {text}", text)]),
            table(f"Légende {text}", header=["Quoi", "Nombre"], rows=[[text, "3"]]),
        ],
        footer=text,
    )


class TestWritePdf:
    def test_is_tagged_and_says_its_language_title_and_standard(self) -> None:
        content = uncompressed(whole_document("Échanges"))
        assert re.search(rb"/Marked true", content)
        assert b"/StructTreeRoot" in content
        assert re.search(rb"/Lang\s*\(fr", content)
        assert b"<pdfuaid:part>1</pdfuaid:part>" in content
        assert b"/DisplayDocTitle true" in content

    def test_tags_headings_lists_and_the_headers_of_tables(self) -> None:
        content = uncompressed(whole_document("Échanges"))
        for tag in (b"/S/H1", b"/S/L", b"/S/LI", b"/S/Table", b"/S/TH", b"/S/TD", b"/S/Caption"):
            assert tag in content.replace(b"/S /", b"/S/"), tag

    @pytest.mark.parametrize("text", HOSTILE)
    def test_prints_whatever_is_typed_and_interprets_nothing(self, text: str) -> None:
        assert whole_document(text).startswith(b"%PDF-1.7")

    def test_gives_the_same_bytes_for_the_same_data(self) -> None:
        assert whole_document("a") == whole_document("a")

    def test_draws_every_character_that_it_keeps(self) -> None:
        drawable = [chr(code) for code in sorted(Cleaner().drawable)]
        kept = [c for c in drawable if unicodedata.category(c) not in ("Cc", "Cf")]
        assert len(kept) > 4_000
        write_pdf(title="Tout", blocks=[paragraph(" ".join(kept))])

    def test_refuses_a_row_that_does_not_fit_its_table(self) -> None:
        with pytest.raises(ValueError, match="cells"):
            table("Légende", header=["a", "b"], rows=[["1"]])

    def test_fails_without_a_word_of_the_document(self) -> None:
        with pytest.raises(PdfFailed) as failure:
            write_pdf(title="Prénom Secret", blocks=[{"kind": "inconnu", "text": "Secret"}])
        assert "Secret" not in str(failure.value)

    def test_is_stopped_when_it_never_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pdf_module, "SECONDS_AT_MOST", 0.001)
        with pytest.raises(PdfFailed, match="timeout"):
            write_pdf(title="a", blocks=[])

    def test_gives_its_process_no_secret_of_the_application(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given: dict[str, object] = {}

        def run(command: list[str], **options: object) -> object:
            given.update(options, command=command)
            raise pdf_module.subprocess.TimeoutExpired(command, 1)

        monkeypatch.setattr(pdf_module.subprocess, "run", run)
        with pytest.raises(PdfFailed):
            write_pdf(title="Secret", blocks=[])
        assert given["env"] == {}
        assert given["command"] == [sys.executable, "-I", str(pdf_module.TYPESETTING)]


class TestCleaner:
    def test_composes_drops_controls_and_counts_what_it_replaces(self) -> None:
        cleaner = Cleaner()
        assert cleaner.clean(["e\u0301\x00\u202ea", {"b": "漢字"}, 3]) == ["éa", {"b": MISSING * 2}, 3]
        assert cleaner.replaced == 2

    def test_keeps_the_typography_of_french_and_the_names_of_the_city(self) -> None:
        text = "« Élève » : 12\u202f000\u00a0€ – œuvre, Łukasz, Nguyễn, Şahin, العربية, Ελένη, Олена…"
        cleaner = Cleaner()
        assert cleaner.clean(text) == text
        assert cleaner.replaced == 0
