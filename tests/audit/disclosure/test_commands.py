"""``python -m audit.disclosure``: what a statistician types, and what it answers."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from audit.disclosure.__main__ import main
from audit.disclosure.certificate import commitment
from audit.disclosure.instance import InvalidInstance
from audit.disclosure.protection import UnsafePattern
from audit.disclosure.reading import read_instance

COUNTS: dict[str, Any] = {
    "format": "linked-counts-1",
    "id": "three teams",
    "threshold": 5,
    "counts": [2, 20, 30],
    "structural_zeros": [],
    "figures": [
        {"id": 10, "table": "t", "label": "all", "leaves": [0, 1, 2]},
        {"id": 11, "table": "t", "label": "T0", "leaves": [0]},
        {"id": 12, "table": "t", "label": "T1", "leaves": [1]},
        {"id": 13, "table": "t", "label": "T2", "leaves": [2]},
    ],
    "lines": [{"total": 10, "parts": [11, 12, 13]}],
    "insiders": [{"id": "T1", "leaves": [1]}],
}
PERSONS = (
    "équipe,secteur,âge\n"
    + "A,N,petit\n" * 7
    + "A,N,grand\n" * 2
    + "B,N,petit\n" * 9
    + "B,N,grand\n" * 8
    + "C,S,grand\n" * 9
)
CELLS = "équipe,secteur,âge,n\nA,N,petit,7\nA,N,grand,2\nB,N,petit,9\nB,N,grand,8\nC,S,grand,9\n"
DESCRIPTION: dict[str, Any] = {
    "format": "tables-1",
    "data": "data.csv",
    "threshold": 5,
    "tables": {"by age": ["équipe", "âge"]},
    "hierarchies": {"équipe": ["secteur"]},
    "insiders": "équipe",
    "impossible": [{"équipe": "C", "âge": "petit"}],
}


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    path = tmp_path / "instance.json"
    path.write_text(json.dumps(COUNTS), encoding="utf-8")
    return path


class TestOutput:
    def test_holds_nothing_but_its_own_words(self, instance: Path, tmp_path: Path) -> None:
        """A process of its own: the solver greets on the standard output of the first who makes one."""
        words = [sys.executable, "-m", "audit.disclosure", "protect", instance, "--out", tmp_path / "pattern.json"]
        said = subprocess.run([*map(str, words), "--seed", "1"], capture_output=True, text=True, check=True).stdout
        assert said.count("\n") == 1
        assert said.startswith("2 of 4 cells hidden")


def run(*words: str | Path) -> int:
    return main([str(word) for word in words])


class TestProtect:
    def test_writes_a_pattern_that_the_check_accepts(self, instance: Path, tmp_path: Path) -> None:
        out = tmp_path / "pattern.json"
        assert run("protect", instance, "--out", out, "--seed", "7") == 0
        assert run("check", instance, out) == 0
        pattern = json.loads(out.read_text())
        assert pattern["suppressed"] == [11, 13]  # the second team would take itself away from the rest
        assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []

    def test_the_certificate_says_what_was_proved_and_no_secret(self, instance: Path, tmp_path: Path) -> None:
        out = tmp_path / "pattern.json"
        run("protect", instance, "--out", out, "--seed", "7")
        certificate = json.loads(out.read_text())["certificate"]
        assert (certificate["goals"], certificate["broken"], certificate["attackers"]) == (4, 0, 2)
        assert (certificate["cells"], certificate["cells_hidden"], certificate["value_hidden"]) == (4, 2, 32)
        assert certificate["is_optimal"]
        assert certificate["seed"] == commitment(7) != commitment(8)

    def test_the_same_seed_gives_the_same_bytes(self, instance: Path, tmp_path: Path) -> None:
        first, second = tmp_path / "first.json", tmp_path / "second.json"
        run("protect", instance, "--out", first, "--seed", "7")
        run("protect", instance, "--out", second, "--seed", "7")
        assert first.read_bytes() == second.read_bytes()

    def test_a_pattern_that_the_checker_refuses_is_not_written(
        self, instance: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*args: object, **kwargs: object) -> None:
            raise UnsafePattern("three teams")

        monkeypatch.setattr("audit.disclosure.__main__.protect", refuse)
        assert run("protect", instance, "--out", tmp_path / "pattern.json") == 2
        assert not (tmp_path / "pattern.json").exists()

    def test_what_earlier_releases_gave_away_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "instance.json"
        figures = [{**figure, "released": figure["id"] != 11} for figure in COUNTS["figures"]]
        path.write_text(json.dumps({**COUNTS, "figures": figures}), encoding="utf-8")
        assert run("protect", path, "--out", tmp_path / "pattern.json") == 2

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "else"}', '{"format": "linked-counts-1"}'])
    def test_another_format_is_refused_in_one_line(
        self, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "instance.json"
        path.write_text(text, encoding="utf-8")
        assert run("protect", path, "--out", tmp_path / "pattern.json") == 2
        assert capsys.readouterr().err.count("\n") == 1

    def test_a_missing_file_is_refused(self, tmp_path: Path) -> None:
        assert run("protect", tmp_path / "none.json", "--out", tmp_path / "pattern.json") == 2


class TestCheck:
    def pattern(self, tmp_path: Path, suppressed: list[int], **more: object) -> Path:
        path = tmp_path / "pattern.json"
        path.write_text(json.dumps({"suppressed": suppressed, **more}), encoding="utf-8")
        return path

    def test_a_safe_pattern_of_another_hand_passes(self, instance: Path, tmp_path: Path) -> None:
        assert run("check", instance, self.pattern(tmp_path, [11, 13])) == 0

    def test_an_unsafe_one_is_told_goal_by_goal(
        self, instance: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("check", instance, self.pattern(tmp_path, [11, 12])) == 1
        said = capsys.readouterr().out
        assert "4 goals, 2 without a witness" in said
        assert "t: T0 (11), T1, low" in said

    def test_false_witnesses_help_nobody(self, instance: Path, tmp_path: Path) -> None:
        false = {"witnesses": [{"0": 0}], "uses": [[11, "low", [0]], [11, "high", [0]]]}
        assert run("check", instance, self.pattern(tmp_path, [11], **false)) == 1

    def test_no_time_proves_nothing(self, instance: Path, tmp_path: Path) -> None:
        assert run("check", instance, self.pattern(tmp_path, [11, 13]), "--time-limit", "0") == 1

    def test_a_figure_that_does_not_exist_is_refused(self, instance: Path, tmp_path: Path) -> None:
        assert run("check", instance, self.pattern(tmp_path, [99])) == 2

    def test_what_is_no_pattern_is_refused(self, instance: Path, tmp_path: Path) -> None:
        assert run("check", instance, self.pattern(tmp_path, [11], uses=[1])) == 2


class TestExplain:
    @pytest.mark.parametrize(
        ("figure", "words"),
        [
            (10, "is shown"),
            (11, "is primary"),
            (13, "T1 could exclude that t: T0 holds nobody"),
            (12, "could be shown"),
        ],
    )
    def test_says_why_a_cell_is_hidden(
        self, figure: int, words: str, instance: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "pattern.json"
        path.write_text(json.dumps({"suppressed": [11, 12, 13]}), encoding="utf-8")
        assert run("explain", instance, path, "--figure", str(figure)) == 0
        assert words in capsys.readouterr().out

    def test_an_unknown_figure_is_refused(self, instance: Path, tmp_path: Path) -> None:
        path = tmp_path / "pattern.json"
        path.write_text(json.dumps({"suppressed": []}), encoding="utf-8")
        assert run("explain", instance, path, "--figure", "99") == 2


class TestCsv:
    @pytest.mark.parametrize(("data", "count"), [(PERSONS, {}), (CELLS, {"count": "n"})])
    def test_persons_and_cells_give_the_same_instance(self, data: str, count: dict[str, str], tmp_path: Path) -> None:
        (tmp_path / "data.csv").write_text(data, encoding="utf-8-sig")
        path = tmp_path / "description.json"
        path.write_text(json.dumps(DESCRIPTION | count), encoding="utf-8")
        instance = read_instance(path)
        named = {figure.label: instance.value(figure.leaves) for figure in instance.figures}
        assert named["équipe=N;âge=petit"] == 16
        assert named["équipe=Total;âge=Total"] == 35
        assert len(instance.figures) == 6 * 3
        assert [attacker.id for attacker in instance.insiders] == ["A", "B", "C"]
        assert len(instance.structural_zeros) == 1
        assert run("protect", path, "--out", tmp_path / "pattern.json") == 0

    def test_a_column_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "data.csv").write_text("équipe\nA\n", encoding="utf-8")
        path = tmp_path / "description.json"
        path.write_text(json.dumps(DESCRIPTION), encoding="utf-8")
        with pytest.raises(InvalidInstance):
            read_instance(path)
