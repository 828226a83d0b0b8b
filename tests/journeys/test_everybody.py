"""What holds for everybody: who reads what, without a script, without a mouse, on a telephone."""

import pytest
from playwright.sync_api import expect

from tests.cast import Cast, make_child, make_enrolment, make_saisine
from tests.journeys.conftest import Visit

pytestmark = pytest.mark.browser


class TestOtherRoles:
    def test_given_a_shared_parcours_when_the_epre_member_reads_it_then_nothing_else_opens(
        self, cast: Cast, visit: Visit
    ) -> None:
        david = visit(cast.david)
        david.open("/")
        david.follow("Inès Morel")
        david.reads("Fil du parcours", "Objectifs et actions")
        expect(david.main.get_by_role("button", name="Enregistrer")).to_have_count(0)
        parcours = f"/parcours/{cast.ines_parcours.pk}/"
        for address in (f"/parcours/{cast.tom_parcours.pk}/", f"{parcours}echange/", "/equipes/a/", "/statistiques/"):
            david.open(address, status=404)

    def test_given_a_dpo_or_an_administrator_when_the_home_page_opens_then_no_child_is_named(
        self, cast: Cast, visit: Visit
    ) -> None:
        for person, heading in ((cast.gaelle, "Protection des données"), (cast.hugo, "Administration")):
            visitor = visit(person)
            visitor.open("/")
            expect(visitor.main.get_by_role("heading", level=1)).to_have_text(heading)
            visitor.reads_nowhere("Inès", "Morel", "Nadia")


class TestWithoutScript:
    def test_given_a_browser_without_script_when_a_call_is_noted_then_the_draft_and_the_entry_are_kept(
        self, cast: Cast, visit: Visit
    ) -> None:
        benoit = visit(cast.benoit, javascript=False)
        benoit.open("/")
        benoit.follow("Inès Morel")
        note = benoit.field("Ce qui s’est échangé")
        note.fill("À reprendre demain.")
        benoit.press("Garder en brouillon")
        benoit.reads("Le brouillon est enregistré.")
        expect(note).to_have_value("À reprendre demain.")
        benoit.press("Enregistrer")
        expect(note).to_have_value("")
        expect(benoit.timeline.filter(has_text="À reprendre demain.")).to_have_count(1)


class TestKeyboard:
    def test_given_no_mouse_when_a_task_is_noted_then_the_keys_are_enough(self, cast: Cast, visit: Visit) -> None:
        benoit = visit(cast.benoit)
        benoit.open(f"/parcours/{cast.ines_parcours.pk}/")
        keys = benoit.page.keyboard
        keys.press("Tab")
        expect(benoit.page.get_by_role("link", name="Aller au contenu")).to_be_focused()
        keys.press("Enter")
        benoit.reach(benoit.main.get_by_role("link", name="Tâche"))
        with benoit.arriving():
            keys.press("Enter")
        benoit.reach(benoit.field("À faire"))
        keys.type("Rappeler la mère")
        with benoit.arriving():
            keys.press("Enter")
        benoit.reads("La tâche est enregistrée.", "Rappeler la mère")


class TestTelephone:
    """The look at each page, which every journey takes, fails on a page that scrolls sideways."""

    def test_given_a_narrow_screen_when_the_main_pages_open_then_none_scrolls_sideways(
        self, cast: Cast, visit: Visit
    ) -> None:
        make_enrolment(cast.ines_parcours, cast.project)
        saisine = make_saisine(make_child("Lina"), cast.team_a)
        parcours = f"/parcours/{cast.ines_parcours.pk}/"
        pages = {
            None: ["/connexion/", "/mot-de-passe-oublie/"],
            cast.benoit: ["/ma-journee/", "/echanges/nouveau/", "/rendez-vous/", "/questions/", "/modeles/"]
            + [
                "/compte/agenda/",
                "/parcours/",
                parcours,
                "/saisines/",
                f"/saisines/{saisine.pk}/",
                "/saisines/nouvelle/",
            ]
            + [f"{parcours}{page}/" for page in ("echange", "inscription", "bilan", "imprimer", "rendez-vous")],
            cast.amina: [f"/equipes/a/{page}" for page in ("", "parcours/", "chiffres/", "questions/", "a-completer/")]
            + ["/projets/nouveau/"],
            cast.farid: ["/groupes/", "/organismes/", "/ecoles/"],
            cast.esther: ["/statistiques/", "/projets/", f"/projets/{cast.project.pk}/"],
            cast.gaelle: ["/journal/"],
            cast.hugo: ["/comptes/", f"/comptes/{cast.benoit.pk}/", "/administration/", "/administration/connexions/"],
        }
        for person, addresses in pages.items():
            visitor = visit(person, narrow=True)
            for address in addresses:
                visitor.open(address)
