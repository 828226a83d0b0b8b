"""The figures on the screen: the programme's for the pilotage alone, a team's for its coordination alone."""

import io
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.journal.models import Event
from pre_cases.models import ReleasedTable, StatisticsExport
from pre_cases.services.release import make_export
from pre_cases.statistics.period import Period
from pre_cases.statistics.writing.archive import read_grids
from referents.models import Role, User
from tests.cast import Cast, make_child, make_parcours, make_user
from tests.pre_cases.statistics.invented import add_parcours

YEAR = Period.civil_year(2014)
State = StatisticsExport.State
SignedIn = Callable[[User], Client]

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture
def followed(cast: Cast, settings: Any) -> Cast:
    """Twelve children of team A and eight of team B followed in 2014; two of team A are new, too few to show."""
    settings.STATISTICS_THRESHOLDS = {}
    for team, number, entered_on in (
        (cast.team_a, 10, date(2013, 2, 1)),
        (cast.team_a, 2, date(2014, 2, 1)),
        (cast.team_b, 8, date(2013, 2, 1)),
    ):
        for _ in range(number):
            add_parcours(make_child("Zoé"), team, entered_on, date(2015, 3, 1))
    return cast


def prepared(cast: Cast, period: Period = YEAR) -> StatisticsExport:
    export = StatisticsExport.objects.create(
        requested_by=cast.esther, starts_on=period.starts_on, ends_on=period.ends_on
    )
    make_export(export_id=export.pk)
    export.refresh_from_db()
    return export


def outsiders(cast: Cast) -> list[User]:
    return [person for person in cast if person not in (cast.esther, cast.yann)]


class TestStatistics:
    url = "/statistiques/"

    def test_is_for_the_pilotage_alone(self, followed: Cast, signed_in: SignedIn) -> None:
        assert signed_in(followed.esther).get(self.url).status_code == 200
        for person in outsiders(followed):
            assert signed_in(person).get(self.url).status_code == 404

    def test_journals_a_refusal(self, followed: Cast, signed_in: SignedIn) -> None:
        signed_in(followed.benoit).get(self.url)
        assert Event.objects.get(action="refusal").actor_id == followed.benoit.pk

    def test_counts_nothing_before_the_files_are_prepared(self, followed: Cast, signed_in: SignedIn) -> None:
        page = signed_in(followed.esther).get(self.url, {"annee": "civile-2014"})
        assert "pas encore préparés" in page.text
        assert not Event.objects.filter(action="key_use").exists()

    def test_shows_the_prepared_figures_with_hidden_cells(self, followed: Cast, signed_in: SignedIn) -> None:
        prepared(followed)
        page = signed_in(followed.esther).get(self.url)
        assert page.context["period"] == YEAR
        movement = page.context["themes"]["Enfants suivis"][0]
        assert [figure.text for figure in movement.lines[0].figures] == ["20", "12", "8"]
        assert movement.lines[2].figures[0].text == "c"
        assert "case masquée" in page.text

    def test_shows_figures_as_they_were_when_prepared(self, followed: Cast, signed_in: SignedIn) -> None:
        prepared(followed)
        add_parcours(make_child(), followed.team_a, date(2014, 2, 1), date(2014, 3, 1))
        page = signed_in(followed.esther).get(self.url)
        assert page.context["themes"]["Enfants suivis"][0].lines[0].figures[0].text == "20"

    def test_never_shows_a_name_nor_a_team(self, followed: Cast, signed_in: SignedIn) -> None:
        prepared(followed)
        text = signed_in(followed.esther).get(self.url).text
        for word in ("Zoé", "Morel", "team:"):
            assert word not in text

    def test_offers_finished_years_with_data_only(self, followed: Cast, signed_in: SignedIn) -> None:
        years = signed_in(followed.esther).get(self.url).context["form"].fields["annee"].choices
        codes = {code for _, group in years for code, _ in group}
        assert {"civile-2013", "civile-2014", "civile-2015", "scolaire-2012", "scolaire-2014"} <= codes
        assert not codes & {"civile-2012", "civile-2016", "scolaire-2011", f"civile-{timezone.localdate().year}"}

    @pytest.mark.parametrize("year", ["civile-1999", "2014", "", "scolaire-9999", "x' OR 1=1"])
    def test_answers_a_wrong_year_with_a_sentence(self, followed: Cast, signed_in: SignedIn, year: str) -> None:
        page = signed_in(followed.esther).get(self.url, {"annee": year})
        assert page.status_code == 422
        assert "hoisi" in str(page.context["form"].errors)

    def test_opens_on_an_empty_programme(self, db: None, signed_in: SignedIn) -> None:
        page = signed_in(make_user("Esther", Role.PILOTAGE)).get(self.url)
        assert page.status_code == 200
        assert "Aucune année" in page.text

    def test_asks_the_same_number_of_queries_whatever_the_programme(self, followed: Cast, signed_in: SignedIn) -> None:
        prepared(followed)
        client = signed_in(followed.esther)
        few = queries(client, self.url)
        for _ in range(5):
            add_parcours(make_child(), followed.team_a, date(2013, 2, 1), None)
            prepared(followed)
        assert queries(client, self.url) == few

    def test_offers_no_second_preparation_of_a_year(self, followed: Cast, signed_in: SignedIn) -> None:
        export = prepared(followed)
        page = signed_in(followed.esther).get(self.url)
        assert f'action="{reverse("pre_cases:export_create")}"' not in page.text
        assert reverse("pre_cases:export_reasons", args=[export.pk]) in page.text


def queries(client: Client, url: str) -> int:
    client.get(url)  # the session is written at most once a minute
    with CaptureQueriesContext(connections["default"]) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


class TestExportCreate:
    url = "/statistiques/fichiers/"

    def test_is_for_the_pilotage_alone(self, followed: Cast, signed_in: SignedIn) -> None:
        for person in outsiders(followed):
            assert signed_in(person).post(self.url, {"annee": YEAR.code}).status_code == 404
        assert not StatisticsExport.objects.exists()

    def test_asks_for_the_files_of_a_year(self, followed: Cast, signed_in: SignedIn) -> None:
        answer = signed_in(followed.esther).post(self.url, {"annee": YEAR.code})
        export = StatisticsExport.objects.get()
        assert answer.url == reverse("pre_cases:export_detail", args=[export.pk])
        assert (export.starts_on, export.ends_on) == (YEAR.starts_on, YEAR.ends_on)
        assert export.requested_by == followed.esther

    @pytest.mark.parametrize("year", ["", "civile-1999", "2014-01-01_2014-03-31"])
    def test_refuses_another_period_with_a_sentence(self, followed: Cast, signed_in: SignedIn, year: str) -> None:
        assert signed_in(followed.esther).post(self.url, {"annee": year}).status_code == 422
        assert not StatisticsExport.objects.exists()

    def test_is_no_reading(self, followed: Cast, signed_in: SignedIn) -> None:
        assert signed_in(followed.esther).get(self.url).status_code == 405


class TestExportDetail:
    def url(self, export: StatisticsExport) -> str:
        return reverse("pre_cases:export_detail", args=[export.pk])

    def waiting(self, cast: Cast, **values: object) -> StatisticsExport:
        return StatisticsExport.objects.create(
            requested_by=cast.esther, starts_on=YEAR.starts_on, ends_on=YEAR.ends_on, **values
        )

    def test_is_for_the_pilotage_alone(self, followed: Cast, signed_in: SignedIn) -> None:
        export = prepared(followed)
        for person in outsiders(followed):
            assert signed_in(person).get(self.url(export)).status_code == 404
            assert signed_in(person).get(self.url(export), headers={"hx-request": "true"}).status_code == 404

    def test_asks_again_until_it_is_over(self, followed: Cast, signed_in: SignedIn) -> None:
        export = self.waiting(followed, state=State.RUNNING, progress=40)
        client = signed_in(followed.esther)
        page = client.get(self.url(export))
        assert 'hx-trigger="every 2s"' in page.text
        assert 'value="40"' in page.text
        assert "Actualiser" in page.text
        StatisticsExport.objects.filter(pk=export.pk).update(state=State.QUEUED)
        make_export(export_id=export.pk)
        piece = client.get(self.url(export), headers={"hx-request": "true"})
        assert "hx-trigger" not in piece.text
        assert "<html" not in piece.text
        assert reverse("pre_cases:export_download", args=[export.pk]) in piece.text

    def test_writes_no_event_when_asked_again(self, followed: Cast, signed_in: SignedIn) -> None:
        export = self.waiting(followed)
        client = signed_in(followed.esther)
        client.get(self.url(export), headers={"hx-request": "true"})
        assert not Event.objects.filter(kind="pre_cases.statisticsexport").exists()

    @pytest.mark.parametrize("code", ["lost", "error", "not_entitled"])
    def test_says_a_failure_in_words(self, followed: Cast, signed_in: SignedIn, code: str) -> None:
        page = signed_in(followed.esther).get(self.url(self.waiting(followed, state=State.FAILED, failure=code)))
        assert page.context["failure"] in page.text
        assert page.context["failure"]
        assert "hx-trigger" not in page.text


class TestExportDownload:
    def url(self, export: StatisticsExport) -> str:
        return reverse("pre_cases:export_download", args=[export.pk])

    def test_is_for_the_pilotage_alone(self, followed: Cast, signed_in: SignedIn) -> None:
        export = prepared(followed)
        for person in outsiders(followed):
            assert signed_in(person).get(self.url(export)).status_code == 404

    def test_gives_the_archive_and_journals_it(self, followed: Cast, signed_in: SignedIn) -> None:
        export = prepared(followed)
        answer = signed_in(followed.esther).get(self.url(export))
        assert answer["Content-Disposition"] == 'attachment; filename="marelle-statistiques-civile-2014.zip"'
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert "cells.csv" in archive.namelist()
        event = Event.objects.get(action="download")
        assert (event.actor_id, event.record_ids) == (followed.esther.pk, [str(export.pk)])

    def test_does_not_exist_before_the_files_are_ready(self, followed: Cast, signed_in: SignedIn) -> None:
        export = StatisticsExport.objects.create(
            requested_by=followed.esther, starts_on=YEAR.starts_on, ends_on=YEAR.ends_on
        )
        assert signed_in(followed.esther).get(self.url(export)).status_code == 404

    def test_gives_nothing_when_the_proof_is_refused(self, followed: Cast, signed_in: SignedIn) -> None:
        export = prepared(followed)
        table = export.released_tables.exclude(pattern=[]).first()
        ReleasedTable.objects.filter(pk=table.pk).update(pattern=table.pattern[1:])
        answer = signed_in(followed.esther).get(self.url(export))
        assert answer.status_code == 409
        assert "La vérification de la protection a échoué" in answer.text
        assert "zip" not in answer["Content-Type"]


class TestExportReasons:
    def url(self, export: StatisticsExport) -> str:
        return reverse("pre_cases:export_reasons", args=[export.pk])

    def test_is_for_the_pilotage_alone(self, followed: Cast, signed_in: SignedIn) -> None:
        export = prepared(followed)
        for person in outsiders(followed):
            assert signed_in(person).get(self.url(export)).status_code == 404

    def test_does_not_exist_before_the_files_are_ready(self, followed: Cast, signed_in: SignedIn) -> None:
        export = StatisticsExport.objects.create(
            requested_by=followed.esther, starts_on=YEAR.starts_on, ends_on=YEAR.ends_on
        )
        assert signed_in(followed.esther).get(self.url(export)).status_code == 404

    def test_counts_the_hidden_cells_of_the_files(self, followed: Cast, signed_in: SignedIn) -> None:
        export = prepared(followed)
        page = signed_in(followed.esther).get(self.url(export))
        grids = {grid.code: grid.suppressed for grid in read_grids(bytes(export.archive))}
        told = {reason.table: reason.hidden for reasons in page.context["themes"].values() for reason in reasons}
        assert told["movement"] == grids["movement"] > 0
        assert page.context["whole"].hidden == sum(told.values())

    def test_says_why_in_words(self, followed: Cast, signed_in: SignedIn) -> None:
        text = signed_in(followed.esther).get(self.url(prepared(followed))).text
        assert "pour qu’on ne puisse pas les retrouver par soustraction" in text
        assert "sous le seuil de 5" in text
        assert "team:" not in text


class TestTeamStatistics:
    url = "/equipes/a/chiffres/"
    year = {"du": "2014-01-01", "au": "2014-12-31"}

    def test_is_for_the_coordination_of_the_team_alone(self, followed: Cast, signed_in: SignedIn) -> None:
        assert signed_in(followed.amina).get(self.url).status_code == 200
        assert signed_in(followed.amina).get("/equipes/b/chiffres/").status_code == 404
        assert signed_in(followed.amina).get("/equipes/nulle/chiffres/").status_code == 404
        for person in followed:
            if person not in (followed.amina, followed.yann):
                assert signed_in(person).get(self.url).status_code == 404

    def test_shows_exact_figures_of_the_team(self, followed: Cast, signed_in: SignedIn) -> None:
        make_parcours(followed.team_a, child=make_child(), opened_on=date(2014, 5, 1), entered_on=date(2014, 5, 2))
        page = signed_in(followed.amina).get(self.url, self.year)
        movement, arrivals, *_ = page.context["themes"]["Enfants suivis"]
        assert movement.lines[0].figures[0].text == "13"
        assert arrivals.lines[1].figures[0].text == "3"
        assert "masquée" not in page.text

    def test_counts_today_within_the_running_school_year(self, followed: Cast, signed_in: SignedIn) -> None:
        page = signed_in(followed.amina).get(self.url)
        assert page.context["themes"]["Enfants suivis"][0].lines[0].figures[0].text == "1"  # Inès

    def test_never_shows_a_name(self, followed: Cast, signed_in: SignedIn) -> None:
        text = signed_in(followed.amina).get(self.url, self.year).text
        assert "Zoé" not in text
        assert "Morel" not in text

    @pytest.mark.parametrize(
        "typed",
        [
            {"du": "2014-12-31", "au": "2014-01-01"},
            {"du": "hier", "au": "2014-01-01"},
            {"du": "", "au": ""},
            {"du": "0001-01-01", "au": "9999-12-31"},
        ],
    )
    def test_answers_wrong_days_with_a_sentence(self, followed: Cast, signed_in: SignedIn, typed: dict) -> None:
        page = signed_in(followed.amina).get(self.url, typed)
        assert page.status_code == 422
        assert page.context["form"].errors

    def test_asks_the_same_number_of_queries_for_more_children(self, followed: Cast, signed_in: SignedIn) -> None:
        client = signed_in(followed.amina)
        few = queries(client, f"{self.url}?du=2014-01-01&au=2014-12-31")
        for _ in range(5):
            add_parcours(make_child(), followed.team_a, date(2013, 2, 1), None)
        assert queries(client, f"{self.url}?du=2014-01-01&au=2014-12-31") == few
