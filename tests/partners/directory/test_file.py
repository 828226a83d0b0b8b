from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partners.directory.columns import find_columns, missing_columns
from partners.directory.file import DirectoryFile, NotADirectory

HEADER = "Code_UAI;Nom_etablissement;Nom_commune;code_nature"
SAMPLES = Path(__file__).parent.parent / "samples"


@pytest.fixture
def written(tmp_path):
    def write(content: str | bytes, encoding: str = "utf-8") -> DirectoryFile:
        path = tmp_path / "annuaire.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return DirectoryFile(path)

    return write


def cells(directory: DirectoryFile) -> list[list[str]]:
    return [record.cells for record in directory.records()]


class TestFindColumns:
    @pytest.mark.parametrize(
        "titles",
        [
            ["Identifiant_de_l_etablissement", "Nom_etablissement", "Code_postal", "code_nature"],
            ["Identifiant de l'établissement", "Nom établissement", "CODE POSTAL", "Code nature"],
            ["numero_uai", "appellation_officielle", "code_postal_uai", "nature_uai"],
            ["Code établissement", "Appellation officielle", "Code postal", "Code nature"],
        ],
    )
    def test_knows_the_names_of_every_edition(self, titles):
        assert find_columns(titles) == {"uai": 0, "name": 1, "postcode": 2, "nature": 3}

    def test_keeps_the_first_of_two_columns_that_say_the_same(self):
        assert find_columns(["uai", "Code UAI"]) == {"uai": 0}

    def test_missing_columns_are_named(self):
        assert missing_columns(find_columns(["UAI", "Nom de la commune", "IPS"])) == [
            "le nom de l’établissement",
            "la nature de l’établissement",
        ]


class TestDirectoryFile:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16"])
    @pytest.mark.parametrize("separator", [";", ",", "\t"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_reads_any_encoding_separator_and_line_end(self, written, encoding, separator, end):
        text = end.join([HEADER, "0759001B;École Éloïse;L’Haÿ".replace("’", "'") + ";101", ""]).replace(";", separator)
        assert cells(written(text, encoding)) == [["0759001B", "École Éloïse", "L'Haÿ", "101"]]

    def test_keeps_the_accents_of_utf8_beside_a_stray_byte(self, written):
        directory = written(f"{HEADER}\n0759001B;École;Paris;101\n".encode() + b"0759002C;\xc9cole;Paris;101\n")
        assert [row[1] for row in cells(directory)] == ["École", "École"]

    def test_numbers_lines_as_an_editor_does(self, written):
        directory = written(f'{HEADER}\n\n0759001B;"École\ndu Palet";Paris;101\n;;;\n0759002C;École;Paris;101')
        assert [(record.number, record.problem) for record in directory.records()] == [(3, ""), (6, "")]

    def test_an_unclosed_quote_costs_its_own_line_only(self, written):
        lines = [f"075900{n}X;École;Paris;101" for n in range(30)]
        lines[3] = '0759003X;"École;Paris;101'
        records = list(written("\n".join([HEADER, *lines])).records())
        assert [record.number for record in records] == list(range(2, 32))
        assert [record.number for record in records if record.problem] == [5]

    def test_a_quote_inside_a_name_is_a_quote(self, written):
        directory = written(f'{HEADER}\n0759001B;École dite "la Marelle;Paris;101\n0759002C;École;Paris;101')
        assert [row[1] for row in cells(directory)] == ['École dite "la Marelle', "École"]

    def test_a_shifted_line_is_a_problem(self, written):
        directory = written(f"{HEADER}\n0759001B;École;Paris\n0759001B;École;du Palet;Paris;101\n0759001B;É;P;101;;")
        problems = [record.problem for record in directory.records()]
        assert problems == ["3 cellules au lieu de 4", "5 cellules au lieu de 4", ""]

    def test_a_line_may_lack_empty_cells_that_nobody_reads(self, written):
        directory = written(f"{HEADER};Telephone;Fax\n0759001B;École;Paris;101")
        assert [record.problem for record in directory.records()] == [""]

    def test_may_be_read_twice(self):
        directory = DirectoryFile(SAMPLES / "annuaire_2026.csv")
        assert cells(directory) == cells(directory)
        assert len(cells(directory)) == 7

    @given(st.binary(max_size=300))
    def test_no_content_breaks_the_reader(self, tmp_path_factory, content):
        path = tmp_path_factory.getbasetemp() / "annuaire.csv"
        path.write_bytes(f"{HEADER}\n".encode() + content.replace(b"\0", b"\n"))
        for record in DirectoryFile(path).records():
            assert record.number > 1


class TestNotADirectory:
    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"", "est vide"),
            (b"\n \r\n", "est vide"),
            (b"\xef\xbb\xbf", "est vide"),
            (b"PK\x03\x04classeur", "enregistrez l’annuaire au format CSV"),
            (b"%PDF-1.7", "document PDF"),
            (b"\x7fELF\x00\x01", "n’est pas un fichier de texte"),
            (b"Prenom;Nom;Classe\nA;B;CP\n", "n’est pas un annuaire de l’éducation"),
            (b"UAI;Nom de l'etablissment;IPS\n0759001B;E;90,1\n", "la nature de l’établissement"),
        ],
    )
    def test_is_told_in_one_sentence(self, written, content, sentence):
        with pytest.raises(NotADirectory, match=sentence) as refusal:
            written(content)
        assert str(refusal.value).count("\n") == 0
        assert str(refusal.value).endswith(".")

    def test_is_told_of_a_folder_and_of_nothing(self, tmp_path):
        with pytest.raises(NotADirectory, match="est un dossier"):
            DirectoryFile(tmp_path)
        with pytest.raises(NotADirectory, match="n’existe pas"):
            DirectoryFile(tmp_path / "absent.csv")
        with pytest.raises(NotADirectory, match="ne peut pas être ouvert"):
            DirectoryFile(tmp_path / ("long" * 100))
