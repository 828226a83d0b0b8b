"""A place in an associative project, from its creation to the child who waits for it."""

import re

import pytest
from playwright.sync_api import expect

from partners.models import Project
from tests.cast import Cast, make_child, make_parcours
from tests.journeys.conftest import Visit

pytestmark = pytest.mark.browser


class TestProjectEnrolment:
    def test_given_a_new_organisation_when_its_project_is_recorded_then_the_team_is_offered_it(
        self, cast: Cast, visit: Visit
    ) -> None:
        amina = visit(cast.amina)
        amina.open("/organismes/")
        amina.follow("Ajouter un organisme")
        amina.fill({"Nom": "L’Atelier du Palet", "Nature": "association"})
        amina.press("Enregistrer")
        amina.reads("L’organisme est ajouté à l’annuaire.")
        amina.follow("Ajouter un projet")
        amina.fill({"Intitulé": "Théâtre", "Domaine": "Culturel", "Places": 1, "A (18e)": True})
        amina.press("Enregistrer")
        amina.reads("Le projet est enregistré.", "L’Atelier du Palet")

        benoit = visit(cast.benoit)
        benoit.open(f"/parcours/{cast.ines_parcours.pk}/inscription/")
        expect(benoit.rows.filter(has_text="Théâtre")).to_contain_text("1 place libre sur 1")

    def test_given_a_single_place_when_two_children_want_it_then_the_second_waits_until_it_is_free(
        self, cast: Cast, visit: Visit
    ) -> None:
        Project.objects.filter(pk=cast.project.pk).update(places=1)
        lina = make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Lina", family_name="Roux"))
        benoit, elsewhere, farid = visit(cast.benoit), visit(cast.benoit), visit(cast.farid)
        of_ines, of_lina = (f"/parcours/{pk}/inscription/" for pk in (cast.ines_parcours.pk, lina.pk))

        elsewhere.open(of_lina)
        benoit.open(of_ines)
        benoit.choose(re.compile("Aide aux devoirs"))
        benoit.press("Inscrire")
        benoit.reads("L’inscription est enregistrée.", "Aide aux devoirs")

        elsewhere.choose(re.compile("Aide aux devoirs"))
        elsewhere.press("Inscrire")
        elsewhere.reads("Le projet est complet : la seule place est prise.", "complet : 1 place")
        expect(elsewhere.main.get_by_role("radio", name=re.compile("Aide aux devoirs"))).to_be_disabled()

        farid.open("/")
        expect(farid.rows.get_by_role("rowheader")).to_contain_text("Inès M.")
        farid.reads_nowhere("Morel", "Nadia", str(cast.ines_parcours.pk))

        benoit.follow(re.compile("Terminer l’inscription"))
        benoit.press("Terminer l’inscription")
        benoit.reads("L’inscription est terminée : la place est libre.")
        elsewhere.open(of_lina)
        elsewhere.choose(re.compile("Aide aux devoirs"))
        elsewhere.press("Inscrire")
        elsewhere.reads("L’inscription est enregistrée.")
        farid.open("/")
        expect(farid.rows.get_by_role("rowheader")).to_contain_text("Lina R.")
