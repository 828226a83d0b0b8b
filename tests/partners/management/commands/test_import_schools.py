from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from partners.models.school import School

pytestmark = pytest.mark.django_db

SAMPLES = Path(__file__).parents[2] / "samples"


def run(*arguments):
    out, err = StringIO(), StringIO()
    try:
        call_command("import_schools", *map(str, arguments), stdout=out, stderr=err)
    except SystemExit as stop:
        return stop.code, out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


class TestImportSchools:
    def test_says_what_became_of_every_line(self):
        code, out, err = run(SAMPLES / "annuaire_2026.csv", "--departement", "75")
        assert (code, err) == (0, "")
        assert out.splitlines()[0] == "7 lignes lues, dont\u00a0:"
        counts = {line.split(maxsplit=1)[1]: int(line.split()[0]) for line in out.splitlines()[1:]}
        assert counts["créés"] == 6
        assert counts["d’un autre département, laissés de côté"] == 1
        assert sum(counts.values()) == 7

    def test_says_which_line_is_refused_and_why(self, tmp_path):
        path = tmp_path / "annuaire.csv"
        path.write_text("uai;nom etablissement;commune;code nature\n0759001A;École;Paris;101\n;École;Paris;101\n")
        code, out, _ = run(path)
        assert code == 0
        assert out.splitlines()[0].startswith("Ligne 2 (0759001A) refusée\u00a0: ")
        assert out.splitlines()[1].startswith("Ligne 3 (sans UAI) refusée\u00a0: ")

    def test_says_when_the_departement_is_not_there(self):
        _, out, _ = run(SAMPLES / "annuaire_2026.csv", "--departement", "13")
        assert out.splitlines()[-1] == "Aucun établissement de ce département dans le fichier."

    @pytest.mark.parametrize(
        "content", [b"", b"\x89PNG\r\n\x1a\n\x00\x00", b"PK\x03\x04", b"nom;classe\nA;CP\n", b"uai;nom etablissement\n"]
    )
    def test_tells_in_one_sentence_that_a_file_is_no_directory_and_changes_nothing(self, tmp_path, content):
        path = tmp_path / "autre.csv"
        path.write_bytes(content)
        code, out, err = run(path)
        assert (code, out) == (1, "")
        assert "autre.csv" in err
        assert err.rstrip("\n").endswith(".")
        assert err.count("\n") == 1
        assert not School.objects.exists()

    def test_tells_that_a_directory_holds_no_school(self, tmp_path):
        path = tmp_path / "vide.csv"
        path.write_text("uai;nom etablissement;commune;code nature\n")
        assert run(path) == (1, "", "Le fichier vide.csv ne contient aucun établissement.\n")

    @pytest.mark.parametrize("path", [SAMPLES, SAMPLES / "absent.csv"])
    def test_tells_of_a_folder_and_of_a_missing_file(self, path):
        code, _, err = run(path)
        assert code == 1
        assert err.count("\n") == 1

    @pytest.mark.parametrize("options", [("--departement", "Paris"), ("--date", "hier")])
    def test_refuses_an_option_that_it_cannot_read(self, options):
        code, _, err = run(SAMPLES / "annuaire_2026.csv", *options)
        assert code == 1
        assert err.startswith("Option refusée, ")
        assert not School.objects.exists()
