import string
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partners.directory import values
from partners.directory.values import UnreadableValue
from partners.models.school import Nature, PriorityStatus, uai_letter


class TestReadUai:
    @pytest.mark.parametrize("cell", ["0759001B", " 0759001b ", "0759 001 B", "759001B", "\u00a00759001B"])
    def test_forgives_case_spaces_and_a_lost_zero(self, cell):
        assert values.read_uai(cell) == "0759001B"

    @pytest.mark.parametrize("cell", ["", "0759001A", "école", "0759001", "75,9001"])
    def test_refuses_with_a_reason(self, cell):
        with pytest.raises(UnreadableValue, match="numéro UAI"):
            values.read_uai(cell)

    @given(st.integers(min_value=0, max_value=9_999_999), st.sampled_from(string.ascii_uppercase))
    def test_accepts_one_letter_of_twenty_six(self, number, letter):
        digits = f"{number:07d}"
        if letter == uai_letter(digits):
            assert values.read_uai(digits + letter) == digits + letter
        else:
            with pytest.raises(UnreadableValue):
                values.read_uai(digits + letter)


class TestReadNumbers:
    @pytest.mark.parametrize(
        ("cell", "postcode"),
        [
            ("94260", "94260"),
            ("94260.0", "94260"),
            ("94260,00", "94260"),
            ("94 260", "94260"),
            ("1000", "01000"),
            ("1000.0", "01000"),
            ("", ""),
            ("-", ""),
        ],
    )
    def test_postcode_survives_a_spreadsheet(self, cell, postcode):
        assert values.read_postcode(cell) == postcode

    @pytest.mark.parametrize("cell", ["F-94260", "942601", "94260.5", "12"])
    def test_postcode_is_refused_rather_than_guessed(self, cell):
        with pytest.raises(UnreadableValue, match="code postal illisible"):
            values.read_postcode(cell)

    @pytest.mark.parametrize(
        ("cell", "code"),
        [("075", "075"), ("75", "075"), ("75.0", "075"), ("1", "001"), ("2A", "02A"), ("02b", "02B"), ("971", "971")],
    )
    def test_departement_has_three_characters(self, cell, code):
        assert values.read_departement(cell) == code

    def test_departement_is_found_in_the_uai(self):
        assert [values.departement_of(uai) for uai in ("0759001B", "6200002H", "7200009X", "02A1234Z", "2B12345Z")] == [
            "075",
            "02A",
            "02B",
            "02A",
            "02B",
        ]


class TestReadDate:
    @pytest.mark.parametrize(
        "cell",
        [
            "2025-09-03",
            "2025-9-3",
            "03/09/2025",
            "3/9/2025",
            "03-09-2025",
            "03.09.2025",
            "2025/09/03",
            "20250903",
            "2025-09-03T00:00:00",
            "2025-09-03T02:00:00+02:00",
            "2025-09-03 00:00:00",
            "03/09/2025 14:30",
            "45903",
            "45903.0",
        ],
    )
    def test_reads_every_way_of_writing_a_day(self, cell):
        assert values.read_date(cell) == date(2025, 9, 3)

    @pytest.mark.parametrize("cell", ["", " ", "-", "NaN"])
    def test_takes_nothing_for_no_day(self, cell):
        assert values.read_date(cell) is None

    @pytest.mark.parametrize("cell", ["31/02/2025", "2025-13-01", "hier", "03/09/25", "0", "20251301", "123456"])
    def test_refuses_what_is_no_day(self, cell):
        with pytest.raises(UnreadableValue, match="date illisible"):
            values.read_date(cell)

    @given(st.dates(min_value=date(1800, 1, 1), max_value=date(2200, 12, 31)))
    def test_reads_back_what_it_is_given(self, day):
        assert values.read_date(f"{day:%d/%m/%Y}") == values.read_date(day.isoformat()) == day


class TestReadWords:
    @pytest.mark.parametrize(
        ("cell", "label"),
        [
            ("REP", PriorityStatus.REP),
            ("REP+", PriorityStatus.REP_PLUS),
            ("rep +", PriorityStatus.REP_PLUS),
            ("Éclair", PriorityStatus.ECLAIR),
            ("ZEP", PriorityStatus.ZEP),
            ("", None),
            ("Hors EP", None),
        ],
    )
    def test_priority_knows_the_labels(self, cell, label):
        assert values.read_priority(cell) == label

    def test_priority_unknown_is_refused(self):
        with pytest.raises(UnreadableValue, match="éducation prioritaire illisible"):
            values.read_priority("REP++")

    @pytest.mark.parametrize(
        ("cell", "state"),
        [
            ("OUVERT", "open"),
            ("1", "open"),
            ("1,0", "open"),
            ("", "open"),
            ("A FERMER", "to_close"),
            ("À ouvrir", "to_open"),
            ("FERMÉ", "closed"),
            ("Fermée", "closed"),
            ("4.0", "closed"),
        ],
    )
    def test_state_is_read_as_a_word_or_a_code(self, cell, state):
        assert values.read_state(cell) == state

    @pytest.mark.parametrize(
        ("code", "nature"),
        [
            ("101", Nature.MATERNELLE),
            ("103.0", Nature.MATERNELLE),
            ("151", Nature.ELEMENTAIRE),
            ("153,0", Nature.ELEMENTAIRE),
            ("162", Nature.SPECIALISED),
            ("340", Nature.COLLEGE),
            ("390", Nature.SPECIALISED),
            ("302", Nature.LYCEE),
            ("320", Nature.LYCEE),
            ("502", Nature.SPECIALISED),
            ("809", Nature.OTHER),
            ("", None),
        ],
    )
    def test_nature_comes_from_its_code(self, code, nature):
        assert values.read_nature(code) == nature

    @pytest.mark.parametrize(
        ("label", "nature"),
        [
            ("ECOLE MATERNELLE D APPLICATION", Nature.MATERNELLE),
            ("ECOLE MATERNELLE SPECIALISEE", Nature.SPECIALISED),
            ("École de niveau élémentaire", Nature.ELEMENTAIRE),
            ("COLLEGE", Nature.COLLEGE),
            ("LYCEE POLYVALENT", Nature.LYCEE),
            ("INSTITUT MEDICO-EDUCATIF", Nature.SPECIALISED),
            ("SERVICE DE LA DSDEN", Nature.OTHER),
        ],
    )
    def test_nature_comes_from_its_label_without_a_code(self, label, nature):
        assert values.read_nature("", label) == nature

    @pytest.mark.parametrize(("cell", "sector"), [("Public", "public"), ("Privé", "private"), ("-", "")])
    def test_sector_is_public_private_or_unsaid(self, cell, sector):
        assert values.read_sector(cell) == sector

    @given(st.text(max_size=60))
    def test_no_cell_breaks_a_reader(self, cell):
        text = values.read_text(cell)
        assert values.read_text(text) == text
        assert "\x00" not in text
        for read in (values.read_uai, values.read_postcode, values.read_date, values.read_nature, values.read_state):
            with suppress(UnreadableValue):
                read(cell)
