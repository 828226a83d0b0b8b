"""``annual_statistics``: any interval, files all at once, one sentence when it cannot."""

import csv
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from audit.journal.models import Event
from pre_cases.models import ReleasedTable, StatisticsExport
from pre_cases.statistics import protection
from pre_cases.statistics.writing.archive import NAMES
from tests.pre_cases.statistics.invented import Programme

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture(autouse=True)
def programme(settings: Any) -> Programme:
    """Twelve children in the 18e, two of them new, and eight in the 19e."""
    settings.STATISTICS_THRESHOLDS = {}
    programme = Programme()
    for number in range(12):
        programme.follow((date(2013, 2, 1) if number > 1 else date(2014, 2, 1), None))
    for _ in range(8):
        programme.follow((date(2013, 2, 1), None), team=programme.east)
    return programme


def run(out: Path, first: str = "2014-01-01", last: str = "2014-12-31") -> None:
    call_command("annual_statistics", f"--from={first}", f"--to={last}", f"--out={out}")


class TestAnnualStatistics:
    def test_writes_the_files_of_the_period(self, tmp_path: Path) -> None:
        out = tmp_path / "a" / "2014"
        run(out)
        assert {path.name for path in out.iterdir()} == set(NAMES)
        assert [path.name for path in out.parent.iterdir()] == ["2014"]
        with (out / "cells.csv").open(newline="") as file:
            found = {
                (row["table"], row["geography"], row["category"]): (row["value"], row["status"])
                for row in csv.DictReader(file)
            }
        assert found["movement", "paris", "*"] == ("20", "published")
        assert found["movement", "arrondissement:18", "arrival"] == ("", "suppressed")

    def test_writes_the_same_files_again(self, tmp_path: Path) -> None:
        run(tmp_path / "out")
        first = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
        run(tmp_path / "out")
        assert first == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def test_releases_a_year_once_and_writes_the_same_files_for_ever(
        self, tmp_path: Path, programme: Programme
    ) -> None:
        run(tmp_path / "first")
        programme.follow((date(2014, 3, 1), None))
        run(tmp_path / "second")
        first, second = (
            {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("first", "second")
        )
        assert first == second
        export = StatisticsExport.objects.get()
        assert export.released_tables.exists()

    def test_writes_nothing_of_a_release_whose_proof_is_refused(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run(tmp_path / "first")
        table = ReleasedTable.objects.exclude(pattern=[]).first()
        ReleasedTable.objects.filter(pk=table.pk).update(pattern=table.pattern[1:])
        assert "La vérification de la protection a échoué" in refused(capsys, tmp_path / "second")
        assert not (tmp_path / "second").exists()

    def test_refuses_in_one_sentence_what_is_not_proved(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(protection, "LEAST_SECONDS", 1e-9)
        monkeypatch.setattr(protection, "SECONDS_A_GOAL", 1e-9)
        assert "n’a pas pu être prouvée" in refused(capsys, tmp_path / "out")
        assert not StatisticsExport.objects.exists()

    def test_fills_an_empty_folder(self, tmp_path: Path) -> None:
        run(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == set(NAMES)

    def test_tells_its_progress_and_no_figure(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        run(tmp_path / "out")
        said = capsys.readouterr().out
        percents = [int(found) for found in re.findall(r"^ *(\d+)", said, re.MULTILINE)]
        assert percents == sorted(percents)
        assert percents[-1] == 100
        assert "Ne pas publier" not in said

    def test_says_when_the_period_is_not_for_publication(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run(tmp_path / "out", "2007-10-01", "2014-06-30")
        assert "Ne pas publier" in capsys.readouterr().out
        assert "ne pas publier" in (tmp_path / "out" / "tables.csv").read_text()

    def test_is_in_the_journal(self, tmp_path: Path) -> None:
        run(tmp_path / "out")
        assert Event.objects.get(action="export").detail == {"starts_on": "2014-01-01", "ends_on": "2014-12-31"}

    @pytest.mark.parametrize(
        ("first", "last", "sentence"),
        [
            ("2014-12-31", "2014-01-01", "La période se termine avant de commencer"),
            ("hier", "2014-01-01", "--from attend une date"),
            ("2014-01-01", "2014-02-30", "--to attend une date"),
            ("0001-01-01", "2014-12-31", "--from attend une date"),
            ("2014-01-01", "9999-12-31", "--to attend une date"),
        ],
    )
    def test_refuses_bad_dates_in_one_sentence(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], first: str, last: str, sentence: str
    ) -> None:
        assert sentence in refused(capsys, tmp_path / "out", first, last)
        assert not (tmp_path / "out").exists()

    def test_refuses_a_file_for_a_folder(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "out").write_text("précieux")
        assert "est un fichier" in refused(capsys, tmp_path / "out")
        assert "parent" in refused(capsys, tmp_path / "out" / "in")
        assert (tmp_path / "out").read_text() == "précieux"

    def test_refuses_a_folder_that_holds_other_files(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "mémoire.odt").write_text("précieux")
        assert "d’autres fichiers" in refused(capsys, tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["mémoire.odt"]

    def test_keeps_the_former_files_when_it_fails(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run(tmp_path / "out")
        before = (tmp_path / "out" / "cells.csv").read_bytes()
        monkeypatch.setattr(Path, "write_bytes", broken)
        assert "le disque a refusé l’écriture" in refused(capsys, tmp_path / "out")
        assert (tmp_path / "out" / "cells.csv").read_bytes() == before
        assert [path.name for path in tmp_path.iterdir()] == ["out"]


def refused(capsys: pytest.CaptureFixture[str], out: Path, first: str = "2014-01-01", last: str = "2014-12-31") -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        run(out, first, last)
    assert stop.value.code == 1
    said = capsys.readouterr().err
    assert len(said.strip().splitlines()) == 1
    return said


def broken(self: Path, content: bytes) -> int:
    raise OSError(28, "No space left on device")
