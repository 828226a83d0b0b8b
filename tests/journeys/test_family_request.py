"""A family asks for what is written about its child: asked, read, approved by somebody else, handed over once."""

import re
import zipfile

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from pre_cases import tasks
from pre_cases.services.subject_file_job import make_file
from pre_cases.services.timeline import add_entry
from tests.cast import Cast, make_child
from tests.journeys.conftest import Visit
from tests.journeys.server import between_requests

pytestmark = pytest.mark.browser

NOTE = "La mère parle de Lina, qui dort mal."


class TestSubjectAccess:
    def test_given_a_mother_who_asks_when_two_persons_have_read_and_approved_then_the_file_is_taken_once(
        self, cast: Cast, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        queued: list[str] = []
        monkeypatch.setattr(tasks.make_subject_file, "delay", queued.append)
        make_child("Lina", family=cast.ines.family)
        day, who = timezone.localdate(), "family"
        add_entry(parcours=cast.ines_parcours, kind="phone", on=day, with_whom=who, text=NOTE, by=cast.benoit)
        benoit, amina, gaelle = visit(cast.benoit, narrow=True), visit(cast.amina), visit(cast.gaelle)

        def work() -> None:
            with between_requests():
                make_file(file_id=queued.pop())  # type: ignore[arg-type]

        benoit.open(f"/parcours/{cast.ines_parcours.pk}/")
        benoit.follow("Noter une demande")
        benoit.choose(re.compile("recevoir les données"))
        benoit.fill({"Qui demande": "Nadia Morel (mère)", "Ce qui est demandé": "Elle veut tout lire."})
        benoit.press("Enregistrer la demande")
        benoit.reads("La demande est enregistrée.", "pas encore vérifiée")

        amina.open("/equipes/a/")
        amina.follow(re.compile("Demandes des familles"))
        amina.follow("Inès Morel")
        amina.follow("Vérifier l’identité")
        amina.choose(re.compile("pièce d’identité"))
        amina.press("Enregistrer")
        amina.press("Préparer le fichier")
        work()
        amina.follow(re.compile("Fichier du"))
        amina.reads("1 passage nomme quelqu’un d’autre", NOTE)
        amina.follow(re.compile("Décider"))
        amina.choose(re.compile("un autre enfant"))
        amina.fill({"Pourquoi": "Sa sœur"})
        amina.press("Masquer")
        amina.reads("La mère parle de [masqué], qui dort mal.")
        amina.main.get_by_role("checkbox", name=re.compile("J’ai relu")).check()
        amina.press("Soumettre")

        gaelle.open("/")
        gaelle.reads_nowhere("Inès", "Morel", "Nadia")
        gaelle.follow(re.compile("Approuver"))
        gaelle.reads("Sa sœur", "masqué en partie")
        gaelle.reads_nowhere("Inès", "Lina", "dort mal")
        gaelle.press("Approuver")
        work()

        amina.follow(re.compile("Fichier du"))
        with amina.page.expect_download() as download:
            amina.main.get_by_role("button", name=re.compile("Télécharger")).click()
        with zipfile.ZipFile(download.value.path()) as archive:
            told = archive.read("donnees-de-l-enfant.json").decode()
        assert "[masqué], qui dort mal" in told
        assert "Lina" not in told
        amina.follow(re.compile("^Demande D-"))
        amina.reads("Téléchargé le")
        amina.follow("Répondre")
        amina.choose(re.compile("^acceptée$"))
        amina.fill({"Réponse à la famille": "Le fichier vous a été remis en main propre."})
        amina.press("Enregistrer la réponse")
        amina.reads("La réponse est enregistrée.", "Demande acceptée")
        benoit.open(f"/parcours/{cast.ines_parcours.pk}/")
        expect(benoit.main.get_by_role("region", name="Demandes de la famille")).to_contain_text("Acceptée")
