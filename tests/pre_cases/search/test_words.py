"""Two names are the same to a reader: accents, order, beginnings, spelling; and near ones are not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pre_cases.search.words import (
    BEGINNING,
    EXACT,
    LONGEST_TYPED,
    SOUND,
    SPELLING,
    NameQuery,
    plain,
    search_words,
    sound,
)

FRENCH = st.text("abehnoABEHNOàâäçéèêëîïôöùûüÿñœæŒÆÉÈ'’- .,0123😀", max_size=20)


def rank(typed: str, first_name: str, family_name: str = "Morel") -> int | None:
    return NameQuery(typed).rank(search_words(first_name, family_name))


class TestPlainText:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("BENOÎT", "benoit"),
            ("Benoi\u0302t", "benoit"),  # the accent apart, as some computers write it
            ("N'Diaye", "n diaye"),
            ("N’Diaye", "n diaye"),
            ("Jean-Noël", "jean noel"),
            ("Jean\u2011Noël", "jean noel"),
            ("Œuvrard", "oeuvrard"),
            ("Lætitia", "laetitia"),
            ("Weiß", "weiss"),
            ("𝕬", "a"),  # capitals that only a second reading makes small
            ("𝔐𝔬𝔯𝔢𝔩", "morel"),
            ("Ǽ", "ae"),
            ("ǽ", "ae"),
            ("Ǿ", "o"),
            ("Łukasz", "lukasz"),
            ("Đorđe", "dorde"),
            ("Søren", "soren"),
            ("N\u02bcDiaye", "n diaye"),  # the apostrophe that is a letter
            ("  El \u00a0 Haddad\n", "el haddad"),
            ("Inès 2", "ines 2"),
            ("😀", ""),
            ("-'’.", ""),
            ("", ""),
        ],
    )
    def test_has_no_accent_nor_sign(self, text: str, found: str) -> None:
        assert plain(text) == found

    @given(FRENCH)
    def test_is_plain_already(self, text: str) -> None:
        once = plain(text)
        assert plain(once) == once
        assert all(c.isalnum() or c == " " for c in once)


class TestSearchWords:
    def test_hold_each_word_and_each_name_beside_its_sound(self) -> None:
        assert search_words("Inès", "El Haddad") == "ines:IN el:EL haddad:ADA elhaddad:ELADA"

    def test_hold_a_word_once(self) -> None:
        assert search_words("Tom", "Tom").count("tom:") == 1

    @pytest.mark.parametrize("empty", ["", "  ", "😀", "'"])
    def test_of_no_name_hold_nothing(self, empty: str) -> None:
        assert search_words(empty, empty) == ""

    def test_may_be_written_in_any_letters(self) -> None:
        for name in ("李", "محمد", "Мария", "2"):
            assert rank(name, name) == EXACT

    def test_may_be_as_long_as_nobody_is_named(self) -> None:
        name = "abcdefghij" * 1_000
        words = search_words(name, "Morel", lambda word: "X")
        assert words == f"{name}:X morel:X"
        assert NameQuery(name).rank(words) == BEGINNING  # what was typed is cut

    @settings(deadline=None)
    @given(FRENCH, FRENCH)
    def test_are_units_whatever_the_names(self, first_name: str, family_name: str) -> None:
        for unit in filter(None, search_words(first_name, family_name).split(" ")):
            word, _, code = unit.partition(":")
            assert word
            assert code
            assert ":" not in code


SAME = [
    ("Benoit", "BENOÎT"),
    ("Benoît", "Bennoit"),
    ("El Haddad", "Elhaddad"),
    ("El-Haddad", "El Haddad"),
    ("N'Diaye", "Ndiaye"),
    ("N’Diaye", "Ndiaye"),
    ("N'Diaye", "N’Diaye"),
    ("N Diaye", "N’DIAYE"),
    ("Lefèvre", "Lefebvre"),
    ("Jean-Baptiste", "Jean Baptiste"),
    ("Jean-Baptiste", "Jeanbaptiste"),
    ("Cœur", "Coeur"),
    ("Lætitia", "Laetitia"),
    ("Kévin", "Quevin"),
    ("Mathieu", "Matthieu"),
    ("De la Tour", "Delatour"),
]
NEAR_MISSES = [
    ("Léo", "Léa"),
    ("Tom", "Thomas"),
    ("Amir", "Samir"),
    ("Inès", "Agnès"),
    ("Nora", "Cora"),
    ("Morel", "Moreau"),
]


class TestTheSameName:
    @pytest.mark.parametrize(("one", "other"), SAME)
    def test_is_found_both_ways(self, one: str, other: str) -> None:
        for typed, known in ((one, other), (other, one), (one, one), (other, other)):
            assert rank(typed, "Zoé", known) is not None, (typed, known)
            assert rank(typed, known, "Zoé") is not None, (typed, known)
            assert rank(f"Zoé {typed}", "Zoé", known) is not None, (typed, known)
            assert rank(f"{typed} Zoé", "Zoé", known) is not None, (typed, known)

    @pytest.mark.parametrize(("one", "other"), NEAR_MISSES)
    def test_is_not_another_one_that_is_near(self, one: str, other: str) -> None:
        assert rank(one, other, "Diallo") is None
        assert rank(other, one, "Diallo") is None

    def test_is_found_in_any_order(self) -> None:
        for typed in ("Inès El Haddad", "El Haddad Inès", "haddad inès", "elhaddad INES", "el ines haddad"):
            assert rank(typed, "Inès", "El Haddad") == EXACT, typed

    @pytest.mark.parametrize("typed", ["I", "in", "Inè", "hadd", "el h", "ines el", "Elhad", "h i"])
    def test_is_found_by_its_beginning(self, typed: str) -> None:
        assert rank(typed, "Inès", "El Haddad") in (EXACT, BEGINNING)

    @pytest.mark.parametrize("typed", ["nès", "dad", "ines durand", "ines el haddad durand", "inesel h", "123"])
    def test_asks_for_every_word(self, typed: str) -> None:
        assert rank(typed, "Inès", "El Haddad") is None

    def test_may_hold_digits(self) -> None:
        assert rank("inès 2", "Inès 2") == EXACT
        assert rank("2", "Inès 2") == EXACT
        assert rank("3", "Inès 2") is None


class TestTheRank:
    def test_goes_from_what_is_written_to_what_is_near(self) -> None:
        assert EXACT < BEGINNING < SOUND < SPELLING
        assert rank("lefevre", "Zoé", "Lefèvre") == EXACT
        assert rank("lefev", "Zoé", "Lefèvre") == BEGINNING
        assert rank("lefebvre", "Zoé", "Lefèvre") == SPELLING
        assert rank("bennoit", "Benoît") == SOUND

    def test_is_that_of_the_word_that_answers_worst(self) -> None:
        assert rank("zoe lefebvre", "Zoé", "Lefèvre") == SPELLING
        assert rank("zo lefevre", "Zoé", "Lefèvre") == BEGINNING

    def test_is_that_of_the_way_that_answers_best(self) -> None:
        """« el haddad » answers as two words and as one."""
        assert rank("el haddad", "Zoé", "Elhaddad") == EXACT
        assert rank("el hadad", "El", "Haddad") == SOUND

    def test_keeps_the_place_of_each_name(self) -> None:
        names = [search_words("Zoé", name) for name in ("Lefebvre", "Diallo", "Lefèvre", "Lefèvre-Petit", "Lefèvreaux")]
        assert NameQuery("lefèvre").answers(names) == {0: SPELLING, 2: EXACT, 3: EXACT, 4: BEGINNING}
        assert NameQuery("lefèvre").answers([]) == {}


class TestWhatIsTyped:
    @pytest.mark.parametrize("typed", ["", " ", "\n\t", "-", "'’", "😀", "\u0301", "\x00"])
    def test_is_no_question_when_it_holds_no_letter(self, typed: str) -> None:
        assert not NameQuery(typed)
        assert NameQuery(typed).answers([search_words("Inès", "Morel")]) == {}
        assert NameQuery(typed).rank(search_words("Inès", "Morel")) is None

    def test_is_a_question_otherwise(self) -> None:
        assert NameQuery("i")
        assert NameQuery("😀 Inès")
        assert rank("😀 Inès", "Inès") == EXACT

    def test_is_cut_when_it_is_too_long(self) -> None:
        assert rank("a" * 10_000, "Inès") is None
        assert rank("inès " * 2_000, "Inès") == EXACT
        assert rank("inès" + " " * LONGEST_TYPED + "durand", "Inès") == EXACT

    def test_of_more_words_than_a_name_has_is_cut(self) -> None:
        assert rank("Jean Pierre Paul de la Tour", "Jean-Pierre Paul", "de la Tour") == EXACT


WRITTEN = st.text(alphabet="abeilnoè' ", max_size=7)
NAMES = st.tuples(WRITTEN, WRITTEN).filter(lambda names: plain("".join(names)) != "")


class TestAnswersTogether:
    @settings(deadline=None, max_examples=60)
    @given(WRITTEN, st.lists(NAMES, max_size=6))
    def test_are_those_of_each_name_alone(self, typed: str, names: list[tuple[str, str]]) -> None:
        query = NameQuery(typed)
        words = [search_words(*name) for name in names]
        alone = {place: found for place, text in enumerate(words) if (found := query.rank(text)) is not None}
        assert query.answers(words) == alone

    @settings(deadline=None, max_examples=60)
    @given(WRITTEN, WRITTEN)
    def test_hold_the_name_itself(self, first_name: str, family_name: str) -> None:
        query = NameQuery(f"{first_name} {family_name}")
        found = query.rank(search_words(first_name, family_name))
        assert found == (EXACT if query else None)


class TestAnswersOverAnything:
    """What a column holds may have been written otherwise: it answers nothing, and stops no search."""

    @pytest.mark.parametrize("written", ["", " ", "  ", "ines", "ines morel", "\x00", "ines\n", "é", "a" * 10_000])
    @pytest.mark.parametrize("typed", ["ines", "i", "morel", "ines morel", "lefebvre", "2"])
    def test_without_a_sound_are_none(self, written: str, typed: str) -> None:
        assert NameQuery(typed).answers([written]) == {}
        assert NameQuery(typed).rank(written) is None

    def test_leave_the_others_where_they_are(self) -> None:
        words = search_words("Inès", "Morel")
        assert NameQuery("ines morel").answers(["", words, "ines", f"morel {words}", "ines morel"]) == {
            1: EXACT,
            3: EXACT,
        }

    @settings(deadline=None)
    @given(st.text("ines:INMorel ", max_size=20))
    def test_are_an_answer(self, written: str) -> None:
        for typed in ("i", "ines", "ines morel"):
            assert set(NameQuery(typed).answers([written, search_words("Inès", "Morel")])) in ({1}, {0, 1})


class TestTheSound:
    def test_is_that_of_french(self) -> None:
        assert sound("benoit") == sound("bennoit")
        assert sound("quevin") == sound("kevin")

    def test_is_the_word_itself_when_it_has_none(self) -> None:
        assert (sound("2"), sound("محمد")) == ("2", "محمد")
