"""The form that the family receives: plain words, a tagged PDF, the same in JSON."""

import io
import json
import zipfile
from typing import Any

import pytest

from pre_cases.models import FileDecision
from pre_cases.subject_access.document import RIGHTS, TITLE, TITLE_YOUNG, archive_of, blocks_of, decided, words_of
from tests.cast import Cast
from tests.family_requests import ask, gathered
from tests.whole_file import make_whole_file

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def content(**text: Any) -> dict[str, Any]:
    passage = {"number": 1, "label": "Notes", "text": "Avec Lina.", "flags": ["Lina"]} | text
    author = {"professional": 7, "function": "référent", "organisation": "Ville"}
    item = {"title": "Échange", "facts": [["Auteur", author]], "texts": [passage]}
    section = {"title": "Échanges", "source": "l’équipe", "items": [item]}
    return {"child": "Inès", "sections": [section], "readers": [], "flagged": [1]}


class TestDecided:
    def test_leaves_a_function_instead_of_a_name(self) -> None:
        (item,) = decided(content(), [])["sections"][0]["items"]
        assert item == {
            "title": "Échange",
            "facts": [["Auteur", "référent (Ville)"]],
            "texts": [["Notes", "Avec Lina."]],
        }

    @pytest.mark.parametrize(("words", "shown"), [("Lina", "Avec [masqué]."), (None, "[masqué]")])
    def test_masks(self, words: str | None, shown: str) -> None:
        decision = FileDecision(kind="mask", passage=1, words=words)
        assert decided(content(), [decision])["sections"][0]["items"][0]["texts"] == [["Notes", shown]]

    def test_says_nothing_of_what_was_flagged(self) -> None:
        assert "flags" not in json.dumps(decided(content(), []))


class TestWordsOf:
    def test_are_apart_by_commas(self) -> None:
        assert words_of(FileDecision(words=" Lina, son frère,, ")) == ["Lina", "son frère"]
        assert words_of(FileDecision(words=None)) == []


class TestArchiveOf:
    def test_holds_the_same_in_both_forms_with_rights_terms_and_readers(self, cast: Cast) -> None:
        make_whole_file(cast.ines_parcours, cast.benoit)
        request = ask(cast.ines, cast.amina)
        file = gathered(request, cast.amina)
        with zipfile.ZipFile(io.BytesIO(archive_of(file.gathered, [], request))) as archive:
            assert sorted(archive.namelist()) == ["donnees-de-l-enfant.json", "donnees-de-l-enfant.pdf"]
            pdf, data = archive.read("donnees-de-l-enfant.pdf"), json.loads(archive.read("donnees-de-l-enfant.json"))
        assert pdf.startswith(b"%PDF-")
        assert b"/StructTreeRoot" in pdf
        assert (data["title"], data["rights"]) == (TITLE, RIGHTS)
        assert any("24 mois" in sentence for sentence in data["kept"])
        texts = json.dumps(blocks_of(data), ensure_ascii=False)
        for section in data["sections"]:
            assert section["title"] in texts

    def test_speaks_to_the_young_person(self, cast: Cast) -> None:
        request = ask(cast.ines, cast.amina, adult=None)
        with zipfile.ZipFile(io.BytesIO(archive_of(content(), [], request))) as archive:
            assert json.loads(archive.read("donnees-de-l-enfant.json"))["title"] == TITLE_YOUNG
