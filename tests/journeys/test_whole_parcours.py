"""From a school's call to the bilan: journey 1, on a desk and on a telephone."""

import pytest
from django.utils import timezone

from pre_cases.models import Parcours
from tests.cast import Cast
from tests.journeys.conftest import Visit
from tests.journeys.server import between_requests
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser


def receive(benoit: Visitor) -> None:
    """A draft during the call, transmitted once the mother has been heard."""
    benoit.open("/saisines/recherche/")
    benoit.fill({"Prénom": "Salomé", "Nom": "Roy", "Date de naissance": "2018-03-04"})
    benoit.press("Continuer")
    benoit.fill({"Prescripteur": "École élémentaire"})
    mother = {"Prénom": "Anne", "Nom": "Roy", "Lien avec l’enfant": "mère", "Titulaire de l’autorité parentale": True}
    benoit.fill(mother, benoit.group("Un adulte"))
    benoit.press("Enregistrer sans transmettre")
    benoit.reads("Le brouillon est gardé", "Prochaine étape : terminer le brouillon")
    benoit.follow("Le faire maintenant")
    benoit.fill(
        {
            "Absences ou retards répétés": True,
            "Ce qu’en dit l’enfant": "« Le lundi j’ai mal au ventre. »",
            "Ce qu’en disent les parents": "« Elle veut rester à la maison. »",
            "Points d’appui": "Elle dessine, elle a une grande amie.",
        }
    )
    benoit.press("Transmettre à l’équipe")
    benoit.reads("La saisine est transmise à l’équipe.", "« Le lundi j’ai mal au ventre. »")


def agree(benoit: Visitor) -> None:
    benoit.press("Suivre cette saisine")
    benoit.follow("Le faire maintenant")
    benoit.fill({"Version du formulaire": "2026-1"})
    benoit.press("Enregistrer")
    benoit.follow("Signature et titulaires")
    benoit.choose("a signé")
    benoit.fill({"Quel jour": timezone.localdate(), "Restriction demandée": "Rien à la cantine."})
    benoit.press("Enregistrer")
    benoit.reads("Signé le", "Restriction : Rien à la cantine.")
    benoit.follow("Le faire maintenant")
    benoit.press("Ouvrir le parcours")
    benoit.reads("Le parcours est ouvert.")


def evaluate(benoit: Visitor) -> None:
    benoit.follow("Évaluation")
    benoit.follow("Noter un entretien")
    benoit.fill({"Ce qui s’est échangé": "Chez elles : le réveil sonne trop tard, la mère part à cinq heures."})
    benoit.press("Enregistrer")
    benoit.follow("Évaluation")
    benoit.reads("la mère part à cinq heures")
    benoit.fill({"Besoin": "Quelqu’un à la maison le matin", "Domaine": "Social", "Priorité": "Parents coéducateurs"})
    benoit.press("Enregistrer")
    benoit.reads("Le besoin est noté.", "Quelqu’un à la maison le matin")


def support(benoit: Visitor, parcours_id: object) -> None:
    """An objective, an action, a review with the family."""
    benoit.open(f"/parcours/{parcours_id}/")
    benoit.follow("Objectif")
    benoit.fill(
        {
            "Objectif": "Arriver à l’heure le lundi",
            "Domaine": "Éducatif",
            "Priorité": "Prévention du décrochage scolaire",
        }
    )
    benoit.press("Enregistrer")
    benoit.follow("Ajouter une action : Arriver à l’heure le lundi")
    benoit.fill(
        {"Action": "Petit-déjeuner au centre social", "Mode": "collective", "Commence le": timezone.localdate()}
    )
    benoit.press("Enregistrer")
    benoit.reads("Petit-déjeuner au centre social")
    benoit.follow("Point d’étape")
    benoit.fill({"La famille était présente": True, "Ce qui a changé": "Quatre lundis sur quatre à l’heure."})
    benoit.press("Enregistrer")
    benoit.reads("Le point d’étape est enregistré.")


def sum_up(benoit: Visitor) -> None:
    benoit.follow("Bilan")
    benoit.fill(
        {
            "Bilan": "Salomé vient seule, à l’heure.",
            "Parole de la famille": "« On souffle. »",
            "Relais vers le droit commun": "Le centre social",
            "Motif de sortie proposé": "Objectifs atteints",
            "Arriver à l’heure le lundi": "atteint",
        }
    )
    benoit.press("Enregistrer")
    benoit.reads("Le bilan est enregistré", "Bilan en PDF")


class TestWholeParcours:
    @pytest.mark.parametrize("narrow", [False, True], ids=["desk", "telephone"])
    def test_given_a_call_when_everybody_does_their_part_then_the_parcours_ends_with_its_bilan(
        self, cast: Cast, visit: Visit, *, narrow: bool
    ) -> None:
        benoit, amina = visit(cast.benoit, narrow=narrow), visit(cast.amina, narrow=narrow)
        receive(benoit)
        agree(benoit)
        with between_requests():
            parcours_id = Parcours.objects.exclude(pk=cast.ines_parcours.pk).get(team=cast.team_a).pk
        evaluate(benoit)
        amina.open(f"/parcours/{parcours_id}/entree/")
        amina.press("Enregistrer")
        support(benoit, parcours_id)
        sum_up(benoit)
        amina.open(f"/parcours/{parcours_id}/")
        amina.follow("Clore")
        amina.reads("Salomé vient seule, à l’heure.")
        amina.press("Clore le parcours")
        amina.reads("Ce parcours est clos depuis le", "objectifs atteints")

    @pytest.mark.parametrize("narrow", [False, True], ids=["desk", "telephone"])
    def test_given_a_running_parcours_when_something_stops_it_then_each_page_says_so(
        self, cast: Cast, visit: Visit, *, narrow: bool
    ) -> None:
        benoit, amina = visit(cast.benoit, narrow=narrow), visit(cast.amina, narrow=narrow)
        address = f"/parcours/{cast.ines_parcours.pk}/"
        benoit.open(address)
        benoit.follow("Demander une aide")
        benoit.fill({"Objet de l’aide": "Une paire de lunettes", "Montant demandé (€)": "45,50"})
        benoit.press("Enregistrer")
        benoit.reads("attend la coordination")
        amina.open("/equipes/a/fonds-exceptionnel/")
        amina.fill({"Enveloppe de l’année (€)": "1000"})
        amina.press("Fixer l’enveloppe")
        amina.follow("Inès Morel")
        amina.choose("accordée")
        amina.press("Enregistrer")
        amina.reads("accordés")
        benoit.open(address)
        benoit.follow("Suspendre")
        benoit.fill({"Motif": "Un séjour chez sa grand-mère."})
        benoit.press("Enregistrer")
        benoit.reads("Parcours suspendu depuis le")
        benoit.follow("Noter qu’une information préoccupante est transmise")
        benoit.choose("la CRIP")
        benoit.press("Enregistrer")
        benoit.reads("Transmise à la CRIP")
        benoit.open(f"{address}opposition/")
        amina.open(f"{address}opposition/decision/")
        amina.open("/equipes/a/")
        amina.reads("Suspendu", "Aides du fonds exceptionnel")
