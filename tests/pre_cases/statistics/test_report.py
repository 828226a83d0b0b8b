"""The whole report: protected for the programme, exact for a team, and the files it becomes."""

import csv
import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from audit.disclosure.attack import Attack, SolverFailure
from audit.disclosure.cells import Status
from audit.disclosure.certificate import commitment
from audit.journal.models import Event
from partners.models import Nomenclature, Term
from pre_cases.models import Parcours, SaisineSign
from pre_cases.statistics import protection
from pre_cases.statistics import report as report_module
from pre_cases.statistics.catalogue import THEMES, threshold_of
from pre_cases.statistics.extent import programme_extent, team_extent
from pre_cases.statistics.period import Period
from pre_cases.statistics.population import Population
from pre_cases.statistics.protection import Unprotected
from pre_cases.statistics.report import Report, exact_report, figures, protected_report
from pre_cases.statistics.tables import Figures, Tally, signature, tie
from pre_cases.statistics.writing.archive import NAMES, files_of, read_grids, zip_of
from pre_cases.statistics.writing.csv_files import guarded
from pre_cases.statistics.writing.rows import rows_of
from referents.models import Membership, Role
from tests.cast import make_user
from tests.pre_cases.statistics.invented import PARIS, YEAR, Programme, day, saved
from tests.pre_cases.statistics.test_support import act

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
FREE = Period(day(1, 1), day(11, 30))


@pytest.fixture(autouse=True)
def _one_threshold(settings: Any) -> None:
    settings.STATISTICS_THRESHOLDS = {}


@pytest.fixture
def programme() -> Programme:
    return Programme()


@pytest.fixture
def followed(programme: Programme) -> Programme:
    """Twelve girls in the 18e and six boys in the 19e, two of whom are new."""
    for number in range(12):
        programme.follow((date(2013, 2, 1), None), team=[programme.north, programme.south][number % 2])
    for number in range(6):
        programme.follow((date(2013, 2, 1) if number > 1 else day(5, 5), None), team=programme.east, sex="boy")
    return programme


def shown_of(report: Report, code: str) -> dict[tuple[str, str], Any]:
    """The counts shown of a one-way table, by place and category."""
    [table] = [table for spec, table in report if spec.code == code]
    return {
        (judged.cell.geography, judged.cell.category): judged.value
        for judged in table.judged
        if judged.status is Status.PUBLISHED and not judged.cell.base
    }


def cells(report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files_of(report)["cells.csv"].decode())))


class TestProtectedReport:
    def test_has_no_small_published_count(self, followed: Programme) -> None:
        report = protected_report(YEAR)
        counted = [table for table in report.tables if table.spec.subject.value == "persons"]
        for judged in (judged for table in counted for judged in table.judged if not judged.cell.base):
            threshold = threshold_of(judged.cell.table)
            assert judged.value is None or judged.value == 0 or judged.value >= threshold, judged.cell.key

    def test_hides_what_would_give_a_small_count_back(self, followed: Programme) -> None:
        """Two arrivals in the 19e, none elsewhere: its movement and that of Paris are hidden, the 18e's is not."""
        shown = shown_of(protected_report(YEAR), "movement")
        assert shown[PARIS, "*"] == 18
        assert shown["arrondissement:18", "start"] == 12
        assert not {(PARIS, "arrival"), ("arrondissement:19", "arrival"), ("arrondissement:19", "start")} & set(shown)

    def test_publishes_a_table_without_a_small_cell(self, followed: Programme) -> None:
        report = protected_report(YEAR)
        assert next(table for spec, table in report if spec.code == "sex").suppressed == 0
        assert shown_of(report, "sex")["arrondissement:19", "boy"] == 6

    def test_shows_the_counted_figures_where_it_hides_nothing(self, followed: Programme) -> None:
        counted = {table.spec.code: table for table in figures(YEAR, programme_extent())}
        for spec, table in protected_report(YEAR):
            values = {cell.key: cell.value for cell in counted[spec.code].cells}
            assert all(j.value == values[j.cell.key] for j in table.judged if j.status is Status.PUBLISHED), spec.code

    def test_leaves_no_mark_of_where_somebody_was_counted(self, followed: Programme) -> None:
        """One girl of the 19e has left, one sign is noted: neither her age nor the sign has a line of its own."""
        child = followed.follow((date(2013, 2, 1), day(6, 1)), team=followed.east, birth_date=day(1, 1))
        saisine = Parcours.objects.get(child=child).saisine
        saved(SaisineSign, saisine=saisine, sign=Term.objects.of(Nomenclature.SIGN).exclude(parent=None)[0])
        for spec, table in protected_report(YEAR):
            marks = [judged.cell for judged in table.judged if judged.status is Status.SUPPRESSED]
            assert not [cell for cell in marks if cell.base], spec.code
            assert spec.code != "age" or "under_2" not in {judged.cell.category for judged in table.judged}
            if spec.code == "signs":
                assert not [judged for judged in table.judged if judged.cell.measure == "percent"]

    def test_leaves_no_small_number_between_values_that_overlap(self, programme: Programme) -> None:
        """Twelve children with an individual action, ten of them with a collective one too: two have none."""
        for number in range(12):
            parcours = Parcours.objects.get(child=programme.follow((date(2013, 2, 1), None)))
            act(parcours, day(3, 1), mode="individual")
            if number > 1:
                act(parcours, day(3, 1), mode="collective")
        shown = shown_of(protected_report(YEAR), "actions_mode")
        assert shown[PARIS, "*"] == 12
        assert (PARIS, "collective") not in shown

    def test_is_safe_for_the_checker_in_every_tie(self, followed: Programme) -> None:
        report = protected_report(YEAR)
        assert sum(tie.certificate["goals"] for tie in report.protection) > 0
        assert all(tie.is_safe() for tie in report.protection)

    def test_is_unsafe_for_the_checker_with_a_hidden_cell_shown(self, followed: Programme) -> None:
        [tie] = [tie for tie in protected_report(YEAR).protection if tie.statement.code == "tie_movement"]
        for number in tie.suppressed:
            assert not replace(tie, suppressed=tie.suppressed - {number}).is_safe(), tie.statement.spots[number]

    def test_hides_the_same_cells_with_the_same_seed(self, followed: Programme) -> None:
        first, again = (protected_report(YEAR, seed=3) for _ in range(2))
        assert [tie.suppressed for tie in first.protection] == [tie.suppressed for tie in again.protection]
        assert first.seed == again.seed != protected_report(YEAR, seed=4).seed

    def test_is_refused_when_the_time_does_not_suffice(
        self, followed: Programme, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(protection, "LEAST_SECONDS", 1e-9)
        monkeypatch.setattr(protection, "SECONDS_A_GOAL", 1e-9)
        with pytest.raises(Unprotected, match="unproved"):
            protected_report(YEAR)

    def test_is_refused_when_the_solver_fails(self, followed: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Attack, "_solve", lambda *args, **kwargs: (_ for _ in ()).throw(SolverFailure("gone")))
        with pytest.raises(Unprotected, match="unproved"):
            protected_report(YEAR)

    def test_is_refused_when_the_tables_contradict_one_another(
        self, followed: Programme, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def miscounted(population: Population) -> Figures:
            tally = Tally(tie("tie_movement"), population.extent)
            tally.add(followed.east.pk, signature("movement:*", "movement:start"))
            return tally.figures()

        monkeypatch.setattr(report_module, "movement_tie", miscounted)
        with pytest.raises(Unprotected, match="contradictory"):
            protected_report(YEAR)

    def test_fears_whoever_coordinates_several_teams(self, followed: Programme) -> None:
        """Who knows both teams of the 18e knows the 18e: with an outsider and each team, five attackers."""
        person = make_user("Amina", Role.COORDINATOR, followed.north)
        saved(Membership, user=person, role=Role.COORDINATOR, team=followed.south, starts_on=date(2013, 1, 1))
        [tie] = [tie for tie in protected_report(YEAR).protection if tie.statement.code == "tie_movement"]
        names = {attacker.id for attacker in tie.problem.attackers}
        assert names == {"outsider", "team:est", "team:nord", "team:sud", "team:nord+team:sud"}

    def test_takes_the_threshold_of_each_table(self, followed: Programme, settings: Any) -> None:
        settings.STATISTICS_THRESHOLDS = {"sex": 6}
        for team in (followed.north, followed.south, followed.east):
            for _ in range(5):
                followed.follow((date(2013, 2, 1), None), team=team, sex="boy" if team == followed.north else "girl")
        shown = shown_of(protected_report(YEAR), "sex")
        assert ("arrondissement:18", "boy") not in shown
        assert shown[PARIS, "*"] == 33

    def test_never_holds_a_team(self, followed: Programme) -> None:
        report = protected_report(YEAR)
        assert {judged.cell.geography for _, table in report for judged in table.judged} == set(report.extent.codes)
        assert set(report.extent.codes) == {PARIS, "arrondissement:18", "arrondissement:19"}
        for name, content in zip_members(zip_of(files_of(report))).items():
            for team in (followed.north, followed.south, followed.east):
                assert team.name.encode() not in content, name
                assert f"team:{team.code}".encode() not in content, name

    def test_uses_the_keys_once_in_the_journal(self, followed: Programme) -> None:
        protected_report(YEAR)
        [event] = Event.objects.filter(action="key_use")
        assert event.detail == {"children": 18}
        assert event.record_ids == []

    def test_tells_its_progress_in_order(self, followed: Programme) -> None:
        heard: list[int] = []
        protected_report(YEAR, lambda percent, step: heard.append(percent))
        assert heard == sorted(heard)
        assert heard[0] == 0

    def test_asks_the_same_number_of_queries_for_more_children(self, programme: Programme) -> None:
        programme.follow((date(2013, 2, 1), None))
        few = queries()
        for _ in range(5):
            programme.follow((date(2013, 2, 1), None))
        assert queries() == few


def queries() -> int:
    with CaptureQueriesContext(connections["default"]) as captured:
        figures(YEAR, programme_extent())
    return len(captured)


class TestExactReport:
    def test_hides_nothing_and_counts_one_team(self, followed: Programme) -> None:
        report = exact_report(YEAR, followed.east)
        assert report.suppressed == 0
        [movement] = [table for spec, table in report if spec.code == "movement"]
        values = {judged.cell.category: judged.value for judged in movement.judged}
        assert values == {"*": 6, "start": 4, "arrival": 2, "exit": 0, "end": 6}

    def test_adds_up_to_the_arrondissement(self, followed: Programme) -> None:
        north, south = (
            {t.spec.code: t for t in figures(YEAR, team_extent(team))} for team in (followed.north, followed.south)
        )
        whole = {t.spec.code: t for t in figures(YEAR, programme_extent())}
        for code in ("movement", "sex", "age", "age_sex", "level", "residence", "parcours_movement", "exits"):
            for cell in whole[code].cells:
                if cell.geography == "arrondissement:18":
                    places = (cell.category, cell.category_2, cell.measure)
                    assert cell.value == north[code].value("team:nord", *places) + south[code].value(
                        "team:sud", *places
                    )

    def test_covers_every_table_of_a_theme(self, followed: Programme) -> None:
        themed = [code for codes in THEMES.values() for code in codes]
        assert len(set(themed)) == len(themed)
        assert {spec.code for spec in exact_report(YEAR, followed.east).specs} == set(themed)
        assert {spec.code for spec in protected_report(YEAR).specs} == set(themed) - {"passages"}


def zip_members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(io.BytesIO(members["statistiques.xlsx"])) as book:
        return members | {name: book.read(name) for name in book.namelist()}


class TestFiles:
    def test_have_exactly_the_columns_agreed(self, followed: Programme) -> None:
        files = files_of(protected_report(YEAR))
        assert tuple(files) == NAMES
        header = files["cells.csv"].split(b"\n", 1)[0]
        assert header == b"table,geography,variable,category,variable_2,category_2,measure,value,status"
        assert files["geography.csv"].decode().splitlines() == [
            "code,label,parent",
            "paris,Paris,",
            "arrondissement:18,18e arrondissement,paris",
            "arrondissement:19,19e arrondissement,paris",
        ]

    def test_carry_their_certificate(self, followed: Programme) -> None:
        report = protected_report(YEAR, seed=5)
        files = files_of(report)
        proved = json.loads(files["certificat.json"])
        assert (proved["broken"], proved["attackers"], proved["starts_on"]) == (0, 4, "2014-01-01")
        assert proved["seed"] == commitment(5)
        assert [tie["tie"] for tie in proved["ties"]] == [tie.statement.code for tie in report.protection]
        sheet = load_workbook(io.BytesIO(files["statistiques.xlsx"]))["Certificat"]
        assert "tie_movement" in [cell.value for row in sheet.iter_rows() for cell in row]

    def test_leave_suppressed_values_empty(self, followed: Programme) -> None:
        rows = cells(protected_report(YEAR))
        assert {row["status"] for row in rows} == {"published", "suppressed"}
        assert all((row["value"] == "") == (row["status"] == "suppressed") for row in rows)

    def test_are_the_same_bytes_for_the_same_data(self, followed: Programme) -> None:
        first, again = (zip_of(files_of(protected_report(YEAR, seed=5))) for _ in range(2))
        assert first == again

    def test_say_when_they_are_not_for_publication(self, followed: Programme) -> None:
        whole, free = files_of(protected_report(YEAR)), files_of(protected_report(FREE))
        assert b"ne pas publier" not in whole["tables.csv"]
        assert b"ne pas publier" in free["tables.csv"]
        assert "ne pas publier" in free["LISEZ-MOI.txt"].decode()
        cover = load_workbook(io.BytesIO(free["statistiques.xlsx"]))["Présentation"]
        assert "NE PAS PUBLIER" in [cell.value for row in cover.iter_rows() for cell in row]

    def test_make_a_sheet_per_table_with_frozen_heads(self, followed: Programme) -> None:
        report = protected_report(YEAR)
        book = load_workbook(io.BytesIO(files_of(report)["statistiques.xlsx"]))
        assert len(book.sheetnames) == len(report.specs) + 2
        sheet = book.worksheets[1]
        assert sheet.freeze_panes == "B6"
        assert [cell.value for cell in sheet[5]] == ["Mouvement", "Paris", "18e arr.", "19e arr."]
        assert [cell.value for cell in sheet[6]] == ["total", 18, 12, 6]
        assert [cell.value for cell in sheet[8]] == ["arrivées (entrées et retours)", "c", 0, "c"]

    def test_hold_no_formula(self, followed: Programme) -> None:
        book = load_workbook(io.BytesIO(files_of(protected_report(YEAR))["statistiques.xlsx"]))
        assert not [c for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "f"]

    @pytest.mark.parametrize("text", ["=1+1", "+33", "-2", "@a", "\tx"])
    def test_guard_what_a_spreadsheet_would_run(self, text: str) -> None:
        assert guarded(text) == f"'{text}"

    def test_read_back_as_they_were_written(self, followed: Programme) -> None:
        report = protected_report(YEAR)
        grids = read_grids(zip_of(files_of(report)))
        assert [grid.code for grid in grids] == [spec.code for spec in report.specs]
        movement = grids[0]
        assert [figure.text for figure in movement.lines[0].figures] == ["18", "12", "6"]
        assert [figure.text for figure in movement.lines[2].figures] == ["c", "0", "c"]

    def test_label_every_code(self, followed: Programme) -> None:
        rows = rows_of(protected_report(YEAR))
        known = {(row["table"], row["variable"], row["category"]) for row in rows.categories}
        for cell in rows.cells:
            assert (cell["table"], cell["variable"], cell["category"]) in known
            assert (cell["table"], "measure", cell["measure"]) in known

    def test_speak_french_with_its_spaces(self, followed: Programme) -> None:
        readme = files_of(protected_report(YEAR))["LISEZ-MOI.txt"].decode()
        assert not re.search(r" [:;!?»]|« ", readme)
