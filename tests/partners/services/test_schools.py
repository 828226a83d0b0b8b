import csv
import io
from datetime import date
from pathlib import Path

import pytest
import time_machine
from django.db import IntegrityError

from audit.history import system_account
from audit.journal.models import Event
from partners.models.school import Nature, School, SchoolNature, SchoolPriorityStatus, uai_letter
from partners.services import schools as schools_service
from partners.services.schools import Outcome, import_directory
from referents.models import Arrondissement

pytestmark = [pytest.mark.django_db]

SAMPLES = Path(__file__).parent.parent / "samples"
REAL_FILE = Path(__file__).parents[4] / "shared" / "data" / "annuaire-education-val-de-marne.csv"
HEADER = [
    *("Identifiant_de_l_etablissement", "Nom_etablissement", "Nom_commune", "Code_postal", "code_nature", "etat"),
    *("Appartenance_Education_Prioritaire", "date_ouverture", "date_maj_ligne"),
]
FIELDS = ("uai", "name", "city", "postcode", "nature", "state", "priority", "opened_on", "updated_on")
UAI = "0759001B"
LINE = {
    "uai": UAI,
    "name": "École du Palet",
    "city": "Paris",
    "postcode": "75018",
    "nature": "101",
    "state": "OUVERT",
    "priority": "REP",
    "opened_on": "1975-09-01",
    "updated_on": "2026-05-27",
}


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel("2026-11-24 10:00 +0100", tick=False):
        yield


@pytest.fixture(autouse=True)
def _arrondissements(db):
    for number in (13, 18, 19, 20):
        Arrondissement.objects.get_or_create(number=number, defaults={"name": f"Arrondissement {number}"})


@pytest.fixture
def import_lines(tmp_path):
    """Import lines that differ from ``LINE`` by the named values; a column in ``without`` is left out of the file."""

    def run(*lines, without=(), **options):
        kept = [position for position, name in enumerate(FIELDS) if name not in without]
        text = io.StringIO()
        writer = csv.writer(text, delimiter=";")
        writer.writerow([HEADER[position] for position in kept])
        for line in lines:
            values = [(LINE | line)[name] for name in FIELDS]
            writer.writerow([values[position] for position in kept])
        path = tmp_path / "annuaire.csv"
        path.write_text(text.getvalue(), encoding="utf-8")
        return import_directory(path=path, by=system_account(), **options)

    return run


def outcomes(report):
    """The outcomes that happened, after checking that every line has one."""
    assert sum(report.outcomes.values()) == report.lines
    assert report.outcomes[Outcome.REFUSED] == len(report.refusals)
    return {outcome.value: number for outcome, number in report.outcomes.items() if number}


def statuses():
    return list(SchoolPriorityStatus.objects.order_by("starts_on").values_list("status", "starts_on", "ends_on"))


def natures():
    return list(SchoolNature.objects.order_by("starts_on").values_list("nature", "starts_on", "ends_on"))


def everything():
    return [list(model.objects.order_by("pk").values()) for model in (School, SchoolNature, SchoolPriorityStatus)]


class TestImportDirectory:
    def test_creates_the_schools_of_an_edition(self):
        report = import_directory(path=SAMPLES / "annuaire_2026.csv", by=system_account())
        assert outcomes(report) == {"created": 7}
        school = School.objects.with_current_facts().get(uai="0759002C")
        assert (school.name, school.postcode, school.departement) == (
            "Ecole élémentaire Éloïse Cœur-Vaillant",
            "75018",
            "075",
        )
        assert (school.arrondissement_id, school.sector, school.city) == (18, "public", "Paris 18e Arrondissement")
        assert (school.nature, school.priority_status) == (Nature.ELEMENTAIRE, "rep")
        assert (school.opened_on, school.closed_on, school.updated_on) == (date(1968, 1, 15), None, date(2026, 5, 27))
        assert School.objects.matching("coeur vaillant").get() == school

    def test_the_same_file_twice_changes_nothing(self):
        import_directory(path=SAMPLES / "annuaire_2026.csv", by=system_account())
        before = everything()
        report = import_directory(path=SAMPLES / "annuaire_2026.csv", by=system_account())
        assert outcomes(report) == {"unchanged": 7}
        assert everything() == before

    def test_reads_the_numbers_and_dates_of_a_spreadsheet(self):
        report = import_directory(path=SAMPLES / "annuaire_2025_tableur.csv", by=system_account())
        assert outcomes(report) == {"created": 4, "repeated": 1}
        school = School.objects.get(uai="0759001B")
        assert (school.postcode, school.departement, school.arrondissement_id) == ("75018", "075", 18)
        assert (school.address, school.opened_on) == ("1 rue de la Marelle, bâtiment B", date(1975, 9, 1))
        assert School.objects.get(uai="0019001D").postcode == "01000"

    def test_reads_the_edition_that_has_other_columns(self):
        report = import_directory(path=SAMPLES / "annuaire_geolocalise.csv", by=system_account())
        assert outcomes(report) == {"created": 2}
        future = School.objects.with_current_facts(date(2027, 9, 1)).get(uai="0759008J")
        assert (future.announced, future.nature, future.priority_status) == ("opening", Nature.SPECIALISED, None)
        assert future not in School.objects.open()

    def test_follows_one_edition_after_another(self):
        import_directory(path=SAMPLES / "annuaire_2025_tableur.csv", by=system_account())
        report = import_directory(path=SAMPLES / "annuaire_2026.csv", by=system_account())
        assert outcomes(report) == {"created": 5, "updated": 2}
        assert School.objects.count() == 9

    @pytest.mark.skipif(not REAL_FILE.exists(), reason=f"the real extract {REAL_FILE.name} is not there")
    def test_accounts_for_every_line_of_the_real_extract(self):
        report = import_directory(path=REAL_FILE, by=system_account())
        assert (report.lines, outcomes(report)) == (613, {"created": 613})
        assert SchoolPriorityStatus.objects.filter(status="rep").count() == 185
        assert SchoolPriorityStatus.objects.filter(status="rep_plus").count() == 22
        assert SchoolNature.objects.filter(nature=Nature.MATERNELLE).count() == 306
        assert SchoolNature.objects.filter(nature=Nature.ELEMENTAIRE).count() == 306
        assert outcomes(import_directory(path=REAL_FILE, by=system_account())) == {"unchanged": 613}

    def test_keeps_only_the_departement_asked_for(self):
        report = import_directory(path=SAMPLES / "annuaire_2026.csv", by=system_account(), departement="075")
        assert outcomes(report) == {"created": 6, "filtered": 1}
        assert set(School.objects.values_list("departement", flat=True)) == {"075"}

    def test_refuses_a_line_with_its_number_and_reason_and_goes_on(self, import_lines):
        report = import_lines(
            {"uai": "0759001A"},
            {"uai": "0759002C", "name": ""},
            {"uai": "0759003D", "opened_on": "31/02/2020"},
            {"uai": "0759004E", "name": "É" * 201},
            {"uai": "0759005F", "updated_on": "2062-05-27"},
            {"uai": "0759006G"},
        )
        assert outcomes(report) == {"refused": 5, "created": 1}
        assert [(refusal.line, refusal.uai) for refusal in report.refusals] == [
            (2, "0759001A"),
            (3, "0759002C"),
            (4, "0759003D"),
            (5, "0759004E"),
            (6, "0759005F"),
        ]
        assert "devrait être B" in report.refusals[0].reason
        assert [refusal.reason for refusal in report.refusals[1:]] == [
            "nom absent",
            "date illisible\u00a0: «\u00a031/02/2020\u00a0»",
            "nom de plus de 200 caractères",
            "date de mise à jour dans l’avenir\u00a0: 27/05/2062",
        ]

    def test_refuses_only_the_line_that_the_database_refuses(self, import_lines, monkeypatch):
        save = schools_service._Chunk.save

        def refusing(chunk):
            save(chunk)
            if any(school.uai == "0759002C" for school in chunk.new):
                raise IntegrityError

        monkeypatch.setattr(schools_service._Chunk, "save", refusing)
        report = import_lines({}, {"uai": "0759002C"}, {"uai": "0759003D"})
        assert outcomes(report) == {"created": 2, "refused": 1}
        assert report.refusals[0].line == 3

    def test_goes_on_after_a_chunk(self, import_lines, monkeypatch):
        monkeypatch.setattr(schools_service, "LINES_OF_A_CHUNK", 2)
        lines = [{"uai": f"{n:07d}{uai_letter(f'{n:07d}')}"} for n in range(759_001, 759_006)]
        assert outcomes(import_lines(*lines)) == {"created": 5}

    def test_an_interrupted_import_is_finished_by_the_next(self, import_lines, monkeypatch):
        monkeypatch.setattr(schools_service, "LINES_OF_A_CHUNK", 1)
        apply = schools_service.apply_lines

        def interrupted(*, lines, known_on, by):
            if lines[0].uai == "0759002C":
                raise KeyboardInterrupt
            return apply(lines=lines, known_on=known_on, by=by)

        with monkeypatch.context() as patch:
            patch.setattr(schools_service, "apply_lines", interrupted)
            with pytest.raises(KeyboardInterrupt):
                import_lines({}, {"uai": "0759002C"})
        assert outcomes(import_lines({}, {"uai": "0759002C"})) == {"unchanged": 1, "created": 1}

    def test_leaves_one_event_with_the_counts(self, import_lines):
        by = system_account()
        import_lines({}, {"uai": "0759001A"})
        event = Event.objects.get(action="import")
        assert (event.kind, event.actor_id, event.record_ids) == ("partners.school", by.pk, [])
        assert {key: count for key, count in event.detail.items() if count} == {"lines": 2, "created": 1, "refused": 1}

    def test_costs_the_same_queries_for_one_line_or_fifty(self, import_lines, django_assert_max_num_queries):
        lines = [{"uai": f"{n:07d}{uai_letter(f'{n:07d}')}"} for n in range(759_001, 759_051)]
        system_account()
        with django_assert_max_num_queries(20):
            import_lines(*lines)
        with django_assert_max_num_queries(20):
            import_lines(*[line | {"priority": "REP+", "updated_on": "2026-09-15"} for line in lines])


class TestRepeatedUai:
    @pytest.mark.parametrize("first_wins", [True, False])
    def test_keeps_the_open_line_whatever_its_place_and_date(self, import_lines, first_wins):
        lines = [{"name": "Ouverte", "updated_on": "2025-01-01"}, {"name": "Fermée", "state": "FERME"}]
        report = import_lines(*(lines if first_wins else lines[::-1]))
        assert outcomes(report) == {"created": 1, "repeated": 1}
        assert School.objects.get().name == "Ouverte"

    def test_keeps_the_latest_then_the_last(self, import_lines):
        import_lines(
            {"name": "A", "updated_on": "2026-01-01"}, {"name": "B"}, {"name": "C"}, {"name": "D", "updated_on": ""}
        )
        assert School.objects.get().name == "C"

    def test_is_recognised_however_it_is_spelled(self, import_lines):
        report = import_lines({}, {"uai": "759001b"}, {"uai": " 0759001B "})
        assert outcomes(report) == {"created": 1, "repeated": 2}

    def test_leaves_a_readable_line_when_the_other_is_refused(self, import_lines):
        report = import_lines({"name": "Lisible"}, {"opened_on": "hier"})
        assert outcomes(report) == {"created": 1, "refused": 1}

    def test_the_same_file_twice_changes_nothing(self, import_lines):
        lines = [{"name": "A"}, {"name": "B", "priority": "REP+"}]
        import_lines(*lines)
        before = everything()
        assert outcomes(import_lines(*lines)) == {"repeated": 1, "unchanged": 1}
        assert everything() == before


class TestUpdate:
    def test_writes_what_changed_and_the_day(self, import_lines):
        import_lines({})
        report = import_lines({"name": "École Noël", "postcode": "75019", "updated_on": "2026-09-15"})
        assert outcomes(report) == {"updated": 1}
        school = School.objects.get()
        assert (school.name, school.arrondissement_id, school.updated_on) == ("École Noël", 19, date(2026, 9, 15))
        assert School.objects.matching("noel").exists()

    def test_a_later_edition_that_says_the_same_only_moves_the_day(self, import_lines):
        import_lines({})
        assert outcomes(import_lines({"updated_on": "2026-09-15"})) == {"unchanged": 1}
        assert School.objects.get().updated_on == date(2026, 9, 15)

    def test_an_earlier_edition_is_left_aside(self, import_lines):
        import_lines({})
        assert outcomes(import_lines({"name": "Ancien nom", "updated_on": "2025-09-15"})) == {"outdated": 1}
        assert School.objects.get().name == "École du Palet"

    def test_the_day_of_the_edition_may_be_given(self, import_lines):
        import_lines({}, without=["updated_on"], known_on=date(2026, 3, 1))
        assert School.objects.get().updated_on == date(2026, 3, 1)
        assert outcomes(import_lines({"name": "Ancien"}, without=["updated_on"], known_on=date(2026, 2, 1))) == {
            "outdated": 1
        }

    def test_a_column_that_the_edition_lacks_changes_nothing(self, import_lines):
        import_lines({})
        report = import_lines({}, without=["priority", "postcode", "state", "opened_on", "updated_on"])
        assert outcomes(report) == {"unchanged": 1}
        assert statuses() == [("rep", date(2025, 9, 1), None)]


class TestClosing:
    def test_is_dated_by_the_line_and_counted_once(self, import_lines):
        import_lines({})
        assert outcomes(import_lines({"state": "FERME", "updated_on": "2026-09-15"})) == {"closed": 1}
        assert School.objects.get().closed_on == date(2026, 9, 15)
        assert outcomes(import_lines({"state": "FERME", "updated_on": "2026-10-15"})) == {"unchanged": 1}
        assert School.objects.get().closed_on == date(2026, 9, 15)

    def test_an_absent_school_is_not_closed(self, import_lines):
        import_lines({}, {"uai": "0759002C"})
        import_lines({})
        assert School.objects.open().count() == 2

    def test_a_closing_announced_leaves_the_school_open(self, import_lines):
        import_lines({"state": "A FERMER"})
        school = School.objects.open().get()
        assert (school.announced, school.closed_on) == ("closing", None)

    def test_a_school_may_open_again(self, import_lines):
        import_lines({"state": "FERME"})
        assert outcomes(import_lines({})) == {"updated": 1}
        assert School.objects.get().closed_on is None


class TestDatedFactsOfAnImport:
    def test_a_first_label_is_dated_from_the_school_year_and_a_nature_from_the_opening(self, import_lines):
        import_lines({})
        assert statuses() == [("rep", date(2025, 9, 1), None)]
        assert natures() == [("maternelle", date(1975, 9, 1), None)]

    def test_a_first_label_never_precedes_the_opening(self, import_lines):
        import_lines({"opened_on": "2026-01-05"})
        assert statuses() == [("rep", date(2026, 1, 5), None)]

    def test_a_changed_label_ends_the_former_one_on_the_day_of_the_line(self, import_lines):
        import_lines({})
        assert outcomes(import_lines({"priority": "REP+", "updated_on": "2026-09-15"})) == {"updated": 1}
        assert statuses() == [
            ("rep", date(2025, 9, 1), date(2026, 9, 15)),
            ("rep_plus", date(2026, 9, 15), None),
        ]

    def test_a_lost_label_ends(self, import_lines):
        import_lines({})
        import_lines({"priority": "", "updated_on": "2026-09-15"})
        assert statuses() == [("rep", date(2025, 9, 1), date(2026, 9, 15))]

    def test_a_label_that_comes_later_begins_on_the_day_of_the_line(self, import_lines):
        import_lines({"priority": ""})
        import_lines({"updated_on": "2026-09-15"})
        assert statuses() == [("rep", date(2026, 9, 15), None)]

    def test_a_changed_nature_ends_the_former_one(self, import_lines):
        import_lines({})
        import_lines({"nature": "151", "updated_on": "2026-09-15"})
        assert natures() == [
            ("maternelle", date(1975, 9, 1), date(2026, 9, 15)),
            ("elementaire", date(2026, 9, 15), None),
        ]

    def test_a_label_corrected_on_the_same_day_leaves_one_current(self, import_lines):
        import_lines({"priority": ""})
        import_lines({"priority": "REP", "updated_on": "2026-09-15"})
        import_lines({"priority": "REP+", "updated_on": "2026-09-15"})
        assert statuses()[-1] == ("rep_plus", date(2026, 9, 15), None)
        assert SchoolPriorityStatus.objects.lasting().count() == 1

    def test_a_label_known_with_its_end_is_kept(self, import_lines):
        import_lines({})
        SchoolPriorityStatus.objects.update(ends_on=date(2027, 9, 1))
        assert outcomes(import_lines({"updated_on": "2026-09-15"})) == {"unchanged": 1}
        assert statuses() == [("rep", date(2025, 9, 1), date(2027, 9, 1))]
