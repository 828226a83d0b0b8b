"""The annual export by the pilotage, who never sees a name."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import expect

from pre_cases import tasks
from pre_cases.models import StatisticsExport
from pre_cases.services.release import make_export
from tests.cast import Cast, make_child
from tests.journeys.conftest import Visit
from tests.journeys.server import between_requests
from tests.pre_cases.statistics.invented import add_parcours

pytestmark = pytest.mark.browser

NAMES = ("Zéphyrine", "Quatrevents", "Nadia")


class TestAnnualExport:
    @pytest.fixture(autouse=True)
    def _children_of_2014(self, cast: Cast) -> None:
        for _ in range(6):
            child = make_child("Zéphyrine", family_name="Quatrevents")
            add_parcours(child, cast.team_a, date(2013, 2, 1), date(2015, 3, 1))

    def test_given_a_year_with_data_when_its_files_are_asked_for_then_they_come_without_any_name(
        self, cast: Cast, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []
        monkeypatch.setattr(tasks.make_statistics_export, "delay", asked.append)
        esther = visit(cast.esther)

        esther.open("/")
        esther.fill({"Année": "année civile 2014"})
        esther.press("Afficher cette année")
        esther.reads("ne sont pas encore préparés")
        esther.press(re.compile("Préparer les fichiers"))
        expect(esther.main.get_by_role("progressbar")).to_be_visible()
        esther.reads("En attente")
        with between_requests():  # the worker takes the message
            make_export(export_id=StatisticsExport.objects.get(pk=asked[0]).pk)
        esther.reads("Les fichiers sont prêts")
        esther.look()

        with esther.page.expect_download() as download:
            esther.main.get_by_role("link", name="Télécharger les fichiers (zip)").click()
        contents = dict(unpacked(Path(download.value.path()).read_bytes()))
        assert "cells.csv" in contents
        assert b"published" in contents["cells.csv"]
        told = b"".join([name.encode() + content for name, content in contents.items()])
        assert [name for name in NAMES if name.encode() in told] == []

        esther.follow("Revenir aux statistiques")
        esther.reads("Chiffres tels que connus le")
        esther.follow("Pourquoi des cases sont masquées")
        esther.reads("pour qu’on ne puisse pas les retrouver par soustraction")
        esther.look()
        for address in ("/statistiques/", "/projets/", "/organismes/", "/ecoles/"):
            esther.open(address)
            esther.reads_nowhere(*NAMES, "Morel")
        esther.open(f"/parcours/{cast.ines_parcours.pk}/", status=404)


def unpacked(archive: bytes, within: str = "") -> Iterator[tuple[str, bytes]]:
    """Each file of an archive, those of its workbooks too, which are archives themselves."""
    with zipfile.ZipFile(io.BytesIO(archive)) as folder:
        for name in folder.namelist():
            content = folder.read(name)
            yield within + name, content
            if name.endswith(".xlsx"):
                yield from unpacked(content, f"{within}{name}/")
