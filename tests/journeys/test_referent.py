"""A référent's Monday."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from partners.models import School
from partners.models.school import uai_letter
from referents.models import User
from tests.cast import Cast, make_child, make_parcours
from tests.journeys.conftest import Visit

pytestmark = pytest.mark.browser


class TestReferentMonday:
    def test_given_a_caseload_when_a_call_is_noted_then_nothing_typed_is_lost_and_the_timeline_tells_it(
        self, cast: Cast, visit: Visit, with_password: Callable[[User], Any]
    ) -> None:
        opened_on = timezone.localdate() - timedelta(days=300)
        for name in ("Lina", "Oscar"):
            make_parcours(cast.team_a, referent=cast.benoit, child=make_child(name), opened_on=opened_on)
        with_password(cast.benoit)
        benoit = visit()

        benoit.sign_in(cast.benoit)
        expect(benoit.page).to_have_title("Ma journée · Marelle")
        benoit.follow("Mes parcours", within=benoit.menu)
        expect(benoit.rows).to_have_count(3)
        benoit.follow("En retard 2")
        expect(benoit.rows).to_have_count(2)
        benoit.follow("Tous 3")
        benoit.follow("Inès Morel")

        note = benoit.field("Ce qui s’est échangé")
        note.press_sequentially("La mère a appelé : ")
        expect(benoit.main.get_by_text("Brouillon gardé à")).to_be_visible()
        with benoit.arriving():
            benoit.page.reload()
        expect(note).to_have_value("La mère a appelé : ")
        benoit.fill({"Nature": "appel", "Ce qui s’est échangé": "La mère a appelé : Inès va mieux."})
        benoit.press("Enregistrer")
        benoit.reads("L’échange est enregistré.")
        expect(note).to_have_value("")
        expect(benoit.main.get_by_role("listitem").filter(has_text="Inès va mieux.")).to_contain_text("appel")

    def test_given_a_promise_when_it_is_noted_as_a_task_then_one_click_ends_it(self, cast: Cast, visit: Visit) -> None:
        benoit = visit(cast.benoit)
        benoit.open(f"/parcours/{cast.ines_parcours.pk}/")
        benoit.follow("Tâche")
        benoit.fill({"À faire": "Rappeler l’école"})
        benoit.press("Enregistrer")
        benoit.reads("La tâche est enregistrée.")

        benoit.follow("À faire", within=benoit.menu)
        expect(benoit.rows).to_have_count(1)
        benoit.press("Fait : Rappeler l’école")
        benoit.reads("C’est fait.", "Rien ne vous attend")

    def test_given_a_call_from_a_school_when_the_family_agrees_then_its_saisine_is_signed(
        self, cast: Cast, visit: Visit
    ) -> None:
        School.objects.create(uai=f"0750001{uai_letter('0750001')}", name="École de la Marelle", city="Paris")
        benoit = visit(cast.benoit)
        benoit.open("/parcours/")
        benoit.follow("Nouvelle saisine")
        benoit.fill({"Prénom": "Salomé", "Nom": "Roy", "Date de naissance": "2017-03-04"})
        benoit.press("Continuer")
        expect(benoit.field("Nom", benoit.group("L’enfant"))).to_have_value("Roy")
        benoit.fill({"Prescripteur": "École élémentaire"})
        benoit.fill({"Sexe": "fille", "Adresse de l’enfant": "3 rue du Palet"}, benoit.group("L’enfant"))
        benoit.fill(
            {
                "Prénom": "Anne",
                "Nom": "Roy",
                "Lien avec l’enfant": "mère",
                "Titulaire de l’autorité parentale": True,
                "Téléphone": "01 00 00 00 01",
            },
            benoit.group("Un adulte"),
        )
        benoit.fill({"École ou établissement": "marelle", "Classe": "CE1"})
        benoit.fill({"Pas d’activité hors de l’école": True, "La situation": "Elle ne vient plus le lundi."})
        benoit.press("Enregistrer la saisine")
        benoit.reads("La saisine est enregistrée.", "Salomé Roy", "École de la Marelle", "Elle ne vient plus le lundi.")

        benoit.press("Suivre cette saisine")
        benoit.follow("Le faire maintenant")
        benoit.fill({"Version du formulaire": "2026-1"})
        benoit.press("Enregistrer")
        benoit.follow("Accord oral")
        benoit.fill({"Donné par": "Anne Roy (mère)"})
        benoit.press("Enregistrer")
        benoit.reads("à confirmer par écrit")
        benoit.follow("Signature et titulaires")
        benoit.fill({"a signé": True, "Quel jour": timezone.localdate()})
        benoit.press("Enregistrer")
        benoit.reads("Les réponses des titulaires sont enregistrées.", "Signé le")
        benoit.follow("Saisines", within=benoit.menu)
        expect(benoit.rows.filter(has_text="Salomé Roy")).to_contain_text("accord signé")
