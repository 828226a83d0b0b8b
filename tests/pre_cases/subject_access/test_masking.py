import pytest
from hypothesis import given
from hypothesis import strategies as st

from pre_cases.subject_access.masking import folded, found_in, without


class TestFolded:
    @given(st.text())
    def test_keeps_one_character_for_one(self, text: str) -> None:
        assert len(folded(text)) == len(text)


class TestFoundIn:
    @pytest.mark.parametrize("text", ["Avec LINA.", "lina", "(Lina)", "Liná et lui"])
    def test_finds_a_name_whatever_its_case_and_accents(self, text: str) -> None:
        assert found_in(text, ["Lina"]) == ["Lina"]

    @pytest.mark.parametrize("text", ["Paulina", "Linasse", "", "Li na"])
    def test_finds_whole_words_only(self, text: str) -> None:
        assert found_in(text, ["Lina", ""]) == []


class TestWithout:
    def test_replaces_every_occurrence_and_leaves_the_rest(self) -> None:
        assert without("Noé, noe et Noémie", ["Noé"]) == "[masqué], [masqué] et Noémie"

    def test_finds_an_address_however_it_is_written(self) -> None:
        text = "Elle vit au 3, RUE de l’Évangile\n75018 Paris depuis mai."
        hidden = without(text, ["3 rue de l'évangile, 75018 Paris"], replaced_by="[ici]")
        assert hidden == "Elle vit au [ici] depuis mai."

    def test_finds_a_name_whose_accents_stand_alone(self) -> None:
        assert without("Avec Le\u0301a hier", ["Léa"]) == "Avec [masqué] hier"
        assert found_in("Avec Léa", ["Le\u0301a"]) == ["Le\u0301a"]

    @given(text=st.text("abé ,-"), word=st.text("abé", min_size=1))
    def test_leaves_none_of_a_word(self, text: str, word: str) -> None:
        assert found_in(without(text, [word]), [word]) == []
