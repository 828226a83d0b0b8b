"""Finding a child by name, finding out that one is known already, and keeping a document."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.cast import PDF, Cast, make_child, make_parcours
from tests.journeys.conftest import Visit
from tests.journeys.server import between_requests

pytestmark = pytest.mark.browser


class TestSearch:
    def test_given_a_name_misspelt_when_it_is_sought_then_the_child_is_found(self, cast: Cast, visit: Visit) -> None:
        make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Benoîte", family_name="El Haddad"))
        benoit = visit(cast.benoit)
        benoit.open("/parcours/")
        benoit.fill({"Nom ou prénom de l’enfant": "elhadad bennoite"})
        benoit.press("Chercher")
        expect(benoit.rows).to_have_count(1)
        benoit.reads("Benoîte El Haddad")
        assert "hadad" not in benoit.page.url
        benoit.fill({"Nom ou prénom de l’enfant": "Personne"})
        benoit.press("Chercher")
        benoit.reads("Aucun enfant de ce nom")
        benoit.fill({"Nom ou prénom de l’enfant": "?"})
        benoit.press("Chercher")
        benoit.reads("Tapez un nom ou un prénom, ou leur début.")
        benoit.follow("Toute la liste")
        expect(benoit.rows).to_have_count(2)

    @pytest.mark.parametrize("javascript", [True, False])
    def test_given_a_telephone_when_the_team_is_searched_then_the_row_folds(
        self, cast: Cast, visit: Visit, javascript: bool
    ) -> None:
        amina = visit(cast.amina, narrow=True, javascript=javascript)
        amina.open(f"/equipes/{cast.team_a.code}/parcours/")
        amina.fill({"Nom ou prénom de l’enfant": "ines"})
        amina.press("Chercher")
        expect(amina.rows).to_have_count(1)
        amina.reads("Inès Morel", "Benoît Test")


class TestSearchBeforeCreate:
    def test_given_a_child_already_followed_when_a_saisine_begins_then_its_banner_is_shown(
        self, cast: Cast, visit: Visit
    ) -> None:
        benoit = visit(cast.benoit)
        benoit.open("/parcours/")
        benoit.follow("Nouvelle saisine")
        benoit.fill({"Prénom": "INES", "Nom": "Morelle"})
        benoit.press("Continuer")
        benoit.reads("Un enfant que vous connaissez peut-être", "Inès Morel")
        benoit.follow("C’est cet enfant : nouvelle saisine pour lui")
        benoit.reads("Inès")

    def test_given_a_child_of_another_team_when_a_saisine_begins_then_only_the_coordinations_learn_where(
        self, cast: Cast, visit: Visit
    ) -> None:
        benoit = visit(cast.benoit, narrow=True)
        benoit.open("/saisines/recherche/")
        benoit.fill({"Prénom": "Tom", "Nom": "Dialo"})
        benoit.press("Continuer")
        benoit.reads("Une situation existe peut-être déjà ailleurs.")
        benoit.reads_nowhere("Diallo", "Chloé", str(cast.tom.pk), f"équipe {cast.team_b.name}")
        amina = visit(cast.amina)
        amina.open(f"/equipes/{cast.team_a.code}/")
        amina.reads("Situations peut-être connues ailleurs", f"l’équipe {cast.team_b.name} connaît peut-être")
        amina.reads_nowhere("Tom", "Diallo")
        amina.press("C’est réglé")
        amina.reads("La situation est réglée.")


class TestDocuments:
    def test_given_a_signed_agreement_when_it_is_added_then_it_comes_back_as_it_was(
        self, cast: Cast, visit: Visit, tmp_path: Path, settings
    ) -> None:
        settings.SEALED_FILES_DIR = tmp_path / "files"
        content = PDF[:-6] + b"x" * 200_000 + PDF[-6:]
        (tmp_path / "Accord signé.pdf").write_bytes(content)
        (tmp_path / "page.pdf").write_text("<html>")
        benoit = visit(cast.benoit)
        benoit.open(f"/parcours/{cast.ines_parcours.pk}/")
        benoit.follow("Ajouter un document")
        benoit.fill({"Nature": "accord signé"})
        benoit.field("Fichier").set_input_files(tmp_path / "page.pdf")
        benoit.press("Ajouter")
        benoit.reads("Ce fichier n’est pas accepté", "choisissez-le à nouveau")
        expect(benoit.field("Nature")).to_have_value("agreement")
        benoit.field("Fichier").set_input_files(tmp_path / "Accord signé.pdf")
        benoit.press("Ajouter")
        benoit.reads("Le document est gardé.", "Accord signé.pdf", "Document ajouté")
        with benoit.page.expect_download() as download:
            benoit.main.get_by_role("link", name="Accord signé.pdf", exact=True).click()
        assert download.value.suggested_filename == "Accord signé.pdf"
        assert Path(download.value.path()).read_bytes() == content
        benoit.follow("Retirer Accord signé.pdf")
        benoit.fill({"Motif": "Fichier d’un autre enfant"})
        benoit.press("Retirer le document")
        benoit.reads("Le document est retiré.", "Aucun document.", "Fichier d’un autre enfant")
        with between_requests():
            assert not [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
