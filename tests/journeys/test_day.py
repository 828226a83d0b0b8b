"""A référent's Monday, from the first page to the last click, and what the coordination asks meanwhile."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from pre_cases.models import Parcours
from pre_cases.services.timeline import add_entry, add_task
from tests.cast import Cast, make_child, make_parcours
from tests.journeys.conftest import Visit

pytestmark = pytest.mark.browser

DAY = timedelta(days=1)


@pytest.fixture
def lina(cast: Cast) -> Parcours:
    today = timezone.localdate()
    add_task(parcours=cast.ines_parcours, assignee=cast.benoit, label="Rappeler l’école", due_on=today, by=cast.benoit)
    return make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Lina"))


class TestReferentMonday:
    @pytest.mark.parametrize("narrow", [False, True], ids=["1280", "360"])
    def test_given_a_monday_when_it_is_worked_through_then_everything_is_done_from_one_page(
        self, cast: Cast, visit: Visit, lina: Parcours, narrow: bool
    ) -> None:
        benoit = visit(cast.benoit, narrow=narrow)
        benoit.open("/")
        expect(benoit.page).to_have_title("Ma journée · Marelle")

        note = benoit.field("Ce qui s’est échangé")
        for child in ("Inès Morel", "Lina Morel"):
            benoit.field(child).check()
        note.press_sequentially("La réunion de ")
        expect(benoit.main.get_by_text("Brouillon gardé à")).to_be_visible()
        with benoit.arriving():
            benoit.page.reload()
        expect(note).to_have_value("La réunion de ")
        expect(benoit.field("Lina Morel")).to_be_checked()
        benoit.fill({"Nature": "échange avec l’école", "Ce qui s’est échangé": "Inès et Lina étaient à la réunion."})
        benoit.press("Enregistrer")
        benoit.reads("n’y écrivez le prénom d’aucun de ces enfants")
        benoit.fill({"Ce qui s’est échangé": "La réunion de rentrée a eu lieu."})
        benoit.press("Enregistrer")
        benoit.reads("L’échange est enregistré pour 2 enfants.")

        benoit.press("Fait : Rappeler l’école")
        benoit.reads("C’est fait.", "Rien en retard")

        benoit.follow("Lina Morel", within=benoit.main)
        benoit.reads("La réunion de rentrée a eu lieu.")
        benoit.follow("Rendez-vous")
        benoit.fill({"Le": timezone.localdate() + DAY, "À": "14:30", "Où": "à domicile", "Précision": "3e étage"})
        benoit.press("Enregistrer")
        benoit.reads("Le rendez-vous est enregistré.", "3e étage")
        benoit.follow("Inscrire à un projet")
        benoit.choose("Aide aux devoirs")
        benoit.press("Inscrire")
        benoit.reads("Aide aux devoirs")

        benoit.follow("Ma journée", within=benoit.menu)
        benoit.reads("14 h 30", "Lina Morel", "à domicile (3e étage)")
        benoit.follow("Tous mes rendez-vous")
        expect(benoit.rows).to_have_count(1)

    def test_given_no_mouse_when_an_attempt_is_noted_then_the_keys_are_enough(
        self, cast: Cast, visit: Visit, lina: Parcours
    ) -> None:
        benoit = visit(cast.benoit)
        benoit.open("/ma-journee/")
        keys = benoit.page.keyboard
        benoit.reach(benoit.field("Inès Morel"))
        keys.press("Space")
        benoit.reach(benoit.main.get_by_role("button", name="Tentative sans réponse"))
        with benoit.arriving():
            keys.press("Enter")
        benoit.reads("L’échange est enregistré.")
        benoit.reach(benoit.main.get_by_role("button", name="Fait : Rappeler l’école"), at_most=40)
        with benoit.arriving():
            keys.press("Enter")
        benoit.reads("C’est fait.")

    def test_given_no_script_when_an_exchange_is_noted_from_a_template_then_it_is_kept(
        self, cast: Cast, visit: Visit, lina: Parcours
    ) -> None:
        benoit = visit(cast.benoit, javascript=False)
        benoit.open("/ma-journee/")
        benoit.follow("Mes modèles")
        benoit.fill({"Nom du modèle": "Relance", "Nature": "message", "Texte": "Inès : message laissé."})
        benoit.press("Enregistrer")
        benoit.reads("Le modèle est enregistré.", "prénom d’un enfant que vous suivez")
        benoit.follow("Utiliser : Relance")
        benoit.fill({"Lina Morel": True, "Ce qui s’est échangé": "Message laissé."})
        benoit.press("Garder en brouillon")
        benoit.reads("Le brouillon est enregistré.")
        benoit.press("Enregistrer")
        benoit.reads("L’échange est enregistré.")


class TestQuestion:
    def test_given_an_exchange_when_the_coordination_asks_then_the_answer_comes_back(
        self, cast: Cast, visit: Visit
    ) -> None:
        add_entry(
            parcours=cast.ines_parcours,
            kind="phone",
            on=timezone.localdate(),
            with_whom="family",
            text="La mère hésite.",
            by=cast.benoit,
        )
        amina, benoit = visit(cast.amina), visit(cast.benoit, narrow=True)
        amina.open(f"/parcours/{cast.ines_parcours.pk}/")
        amina.follow("Poser une question")
        amina.fill({"Votre question": "Qui la rappelle ?"})
        amina.press("Enregistrer")
        amina.reads("La question est posée", "Qui la rappelle ?")

        benoit.open("/")
        benoit.follow("1 Questions de la coordination")
        benoit.follow("Répondre : Qui la rappelle ?")
        benoit.fill({"Votre réponse": "Moi, jeudi."})
        benoit.press("Répondre")
        benoit.reads("La réponse est envoyée", "Aucune question n’attend")

        amina.open("/equipes/a/")
        amina.open("/equipes/a/questions/")
        amina.reads("Moi, jeudi.")
        amina.open("/equipes/a/a-completer/")
        expect(amina.rows).to_have_count(1)
        amina.follow("1 : Aucun objectif, Benoît Test")
        expect(amina.rows).to_have_count(1)


class TestLongForm:
    @pytest.mark.parametrize(
        ("page", "field"),
        [("parcours/{}/point-d-etape/", "Ce qui a changé"), ("parcours/{}/bilan/", "Bilan")],
        ids=["review", "bilan"],
    )
    def test_given_a_text_half_typed_when_the_session_ends_then_it_is_found_again(
        self, cast: Cast, visit: Visit, page: str, field: str
    ) -> None:
        address = f"/{page.format(cast.ines_parcours.pk)}"
        benoit = visit(cast.benoit)
        benoit.open(address)
        benoit.field(field).press_sequentially("Il lit ")
        expect(benoit.main.get_by_text("Brouillon gardé à")).to_be_visible()
        self.end_session(benoit)
        again = visit(cast.benoit, narrow=True)
        again.open(address)
        expect(again.field(field)).to_have_value("Il lit ")
        again.press("Jeter le brouillon")
        again.reads("Le brouillon est jeté.")

    def end_session(self, visitor: Any) -> None:
        """The browser crashes: its cookies are gone with it."""
        visitor.page.context.clear_cookies()

    def test_given_a_new_saisine_half_typed_when_the_browser_crashes_then_it_is_taken_up_again(
        self, cast: Cast, visit: Visit
    ) -> None:
        benoit = visit(cast.benoit)
        benoit.open("/saisines/recherche/")
        benoit.fill({"Prénom": "Salomé", "Nom": "Roy", "Date de naissance": "2017-03-04"})
        benoit.press("Continuer")
        benoit.field("La situation").press_sequentially("Elle ne vient plus le lundi")
        expect(benoit.main.get_by_text("Brouillon gardé à")).to_be_visible()
        self.end_session(benoit)
        again = visit(cast.benoit, narrow=True)
        again.open("/saisines/recherche/")
        again.follow("La reprendre")
        expect(again.field("La situation")).to_have_value("Elle ne vient plus le lundi")
        expect(again.field("Nom", again.group("L’enfant"))).to_have_value("Roy")


class TestSettings:
    def test_given_an_account_when_its_calendar_is_opened_then_the_address_is_shown_once(
        self, cast: Cast, visit: Visit
    ) -> None:
        for narrow, button in ((False, "Créer mon adresse"), (True, "Changer d’adresse")):
            benoit = visit(cast.benoit, narrow=narrow)
            benoit.open("/compte/securite/")
            benoit.follow("Mon agenda et mes courriels")
            benoit.press(button)
            benoit.reads("Copiez cette adresse maintenant", ".ics")
            benoit.open("/compte/agenda/")
            benoit.reads("Une adresse est ouverte depuis le")
            benoit.reads_nowhere(".ics")
        benoit.press("Ne plus le recevoir")
        benoit.reads("Vous ne recevrez plus le résumé du lundi.")
