"""The whole report: protected for the programme, exact for a team, and the files it becomes."""

import csv
import io
import re
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connections
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from audit.disclosure.cells import Status
from audit.journal.models import Event
from partners.models import Nomenclature, Term
from pre_cases.models import Parcours, SaisineSign
from pre_cases.statistics.catalogue import THEMES
from pre_cases.statistics.extent import programme_extent, team_extent
from pre_cases.statistics.period import Period
from pre_cases.statistics.report import RELATIONS, exact_report, figures, protected_report
from pre_cases.statistics.writing.archive import NAMES, files_of, read_grids, zip_of
from pre_cases.statistics.writing.csv_files import guarded
from pre_cases.statistics.writing.rows import rows_of
from tests.pre_cases.statistics.invented import PARIS, YEAR, Programme, day, saved
from tests.pre_cases.statistics.test_support import act

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
FREE = Period(day(1, 1), day(11, 30))


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


def cells(report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files_of(report)["cells.csv"].decode())))


class TestProtectedReport:
    def test_has_no_small_published_count(self, followed: Programme) -> None:
        exempt = {s.code for s, t in protected_report(YEAR) if t.table.subject.value == "other"}
        for row in cells(protected_report(YEAR)):
            if row["table"] not in exempt and row["status"] == "published" and "mean" not in row["measure"]:
                value = Decimal(row["value"])
                assert value == 0 or value >= settings.STATISTICS_THRESHOLD or "percent" in row["measure"], row

    def test_suppresses_the_whole_table_below_its_total(self, followed: Programme) -> None:
        report = protected_report(YEAR)  # two arrivals: a small cell of the movement
        [movement] = [table for spec, table in report if spec.code == "movement"]
        shown = {judged.cell.key: judged.value for judged in movement.judged if judged.status is Status.PUBLISHED}
        assert shown == {(PARIS, "*", "", "children"): 18}

    def test_publishes_a_table_without_a_small_cell(self, followed: Programme) -> None:
        report = protected_report(YEAR)
        [sex] = [table for spec, table in report if spec.code == "sex"]
        assert sex.suppressed == 0
        assert sex.table.index["arrondissement:19", "boy", "", "children"].value == 6

    def test_leaves_no_mark_of_where_somebody_was_counted(self, followed: Programme) -> None:
        """One girl of the 19e has left, one sign is noted: neither her arrondissement nor the sign is told."""
        child = followed.follow((date(2013, 2, 1), day(6, 1)), team=followed.east, birth_date=day(1, 1))
        saisine = Parcours.objects.get(child=child).saisine
        saved(SaisineSign, saisine=saisine, sign=Term.objects.of(Nomenclature.SIGN).exclude(parent=None)[0])
        report = protected_report(YEAR)
        for spec, table in report:
            marks = {judged.cell.key for judged in table.judged if judged.status is Status.SUPPRESSED}
            places = {key[0] for key in marks} - {PARIS}
            for geography, *rest in marks:
                assert geography == PARIS or {(place, *rest) for place in places} <= marks, spec.code
            assert not marks & {key for key, cell in table.table.index.items() if cell.base}, spec.code
        age = next(table for spec, table in report if spec.code == "age")
        assert age.suppressed
        assert "under_2" not in {judged.cell.category for judged in age.judged}

    def test_leaves_no_small_number_between_values_that_overlap(self, programme: Programme) -> None:
        """Ten children with an individual action, eight of them with a collective one too: two have none."""
        for number in range(10):
            parcours = Parcours.objects.get(child=programme.follow((date(2013, 2, 1), None)))
            act(parcours, day(3, 1), mode="individual")
            if number > 1:
                act(parcours, day(3, 1), mode="collective")
        [modes] = [table for spec, table in protected_report(YEAR) if spec.code == "actions_mode"]
        shown = {judged.cell.key: judged.value for judged in modes.judged if judged.status is Status.PUBLISHED}
        assert shown == {(PARIS, "*", "", "children"): 10}

    def test_never_holds_a_team(self, followed: Programme) -> None:
        report = protected_report(YEAR)
        assert set(report.extent.codes) == {PARIS, "arrondissement:18", "arrondissement:19"}
        for name, content in zip_members(zip_of(files_of(report))).items():
            for team in (followed.north, followed.south, followed.east):
                assert team.name.encode() not in content, name
                assert f"team:{team.code}".encode() not in content, name

    def test_has_relations_between_existing_figures(self, followed: Programme) -> None:
        tables = {table.spec.code: table for table in figures(YEAR, programme_extent())}
        for relation in RELATIONS:
            for _, reference in relation.terms:
                table = tables[reference.table]
                assert table.value(PARIS, reference.category, reference.category_2, reference.measure) is not None

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

    def test_leave_suppressed_values_empty(self, followed: Programme) -> None:
        rows = cells(protected_report(YEAR))
        assert {row["status"] for row in rows} == {"published", "suppressed"}
        assert all((row["value"] == "") == (row["status"] == "suppressed") for row in rows)

    def test_are_the_same_bytes_for_the_same_data(self, followed: Programme) -> None:
        assert zip_of(files_of(protected_report(YEAR))) == zip_of(files_of(protected_report(YEAR)))

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
        assert len(book.sheetnames) == len(report.specs) + 1
        sheet = book.worksheets[1]
        assert sheet.freeze_panes == "B6"
        assert [cell.value for cell in sheet[5]] == ["Mouvement", "Paris", "18e arr.", "19e arr."]
        assert [cell.value for cell in sheet[6]] == ["total", 18, "c", "c"]

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
        assert [figure.text for figure in movement.lines[0].figures] == ["18", "c", "c"]
        assert movement.readable_lines == movement.lines[:1]
        assert movement.has_hidden_lines

    def test_label_every_code(self, followed: Programme) -> None:
        rows = rows_of(protected_report(YEAR))
        known = {(row["table"], row["variable"], row["category"]) for row in rows.categories}
        for cell in rows.cells:
            assert (cell["table"], cell["variable"], cell["category"]) in known
            assert (cell["table"], "measure", cell["measure"]) in known

    def test_speak_french_with_its_spaces(self, followed: Programme) -> None:
        readme = files_of(protected_report(YEAR))["LISEZ-MOI.txt"].decode()
        assert not re.search(r" [:;!?»]|« ", readme)
