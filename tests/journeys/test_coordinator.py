"""A coordinator's review of the team."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.cast import Cast, make_agreement, make_child, make_parcours, make_saisine
from tests.journeys.conftest import Visit

pytestmark = pytest.mark.browser


class TestCoordinatorReview:
    def test_given_files_without_referent_when_they_are_handed_over_from_the_list_then_none_is_left(
        self, cast: Cast, visit: Visit
    ) -> None:
        for name in ("Lina", "Oscar", "Zoé"):
            make_parcours(cast.team_a, child=make_child(name))
        amina = visit(cast.amina)

        amina.open("/")
        tile = amina.main.get_by_role("link", name=re.compile("Sans référent"))
        expect(tile).to_contain_text("3")
        amina.follow(re.compile("Sans référent"))
        expect(amina.rows).to_have_count(3)
        amina.press("Confier")
        expect(amina.main.get_by_role("alert")).to_have_text("Cochez au moins un parcours. Choisissez un référent.")
        for name in ("Lina", "Zoé"):
            amina.main.get_by_role("checkbox", name=f"Choisir {name}").check()
        amina.fill({"Confier les parcours cochés à": cast.benoit.get_full_name()})
        amina.press("Confier")
        amina.reads("Référent enregistré pour 2 parcours.")
        expect(amina.rows).to_have_count(1)
        amina.follow("Tableau de l’équipe")
        expect(tile).to_contain_text("1")

    def test_given_a_signed_agreement_when_the_parcours_opens_then_the_entry_is_decided_and_commented(
        self, cast: Cast, visit: Visit
    ) -> None:
        saisine = make_saisine(make_child("Lina"), cast.team_a)
        make_agreement(saisine, signed_on=timezone.localdate() - timedelta(days=3))
        amina = visit(cast.amina)

        amina.open("/")
        amina.follow(re.compile("Accord signé"))
        amina.follow("Lina Morel")
        amina.follow("Ouvrir le parcours")
        amina.fill({"Référent": cast.benoit.get_full_name()})
        amina.press("Ouvrir le parcours")
        amina.reads("Le parcours est ouvert.", "L’entrée en parcours n’est pas décidée.")
        amina.follow("Décider l’entrée")
        amina.press("Enregistrer")
        amina.reads("L’entrée en parcours est enregistrée.")
        amina.follow("Commentaire")
        amina.fill({"Commentaire": "À revoir à la prochaine équipe."})
        amina.press("Enregistrer")
        expect(amina.timeline.filter(has_text="À revoir à la prochaine équipe.")).to_have_count(1)

    def test_given_no_bilan_when_the_closing_is_asked_then_the_page_says_what_to_write_first(
        self, cast: Cast, visit: Visit
    ) -> None:
        amina, benoit = visit(cast.amina), visit(cast.benoit)
        address = f"/parcours/{cast.ines_parcours.pk}/"

        amina.open(address)
        amina.follow("Clore")
        amina.fill({"Motif de sortie": "Objectifs atteints"})
        amina.press("Clore le parcours")
        expect(amina.main.get_by_role("alert")).to_contain_text("Écrivez d’abord le bilan de fin de parcours.")

        benoit.open(address)
        benoit.follow("Bilan")
        benoit.fill({"Bilan": "Inès lit avec plaisir.", "Motif de sortie proposé": "Objectifs atteints"})
        benoit.press("Enregistrer")
        benoit.reads("la coordination peut clore le parcours")

        amina.open("/")
        amina.follow(re.compile("Bilan écrit, à clore"))
        amina.follow("Inès Morel")
        amina.follow("Clore")
        amina.reads("Inès lit avec plaisir.")
        amina.press("Clore le parcours")
        amina.reads("Le parcours est clos.", "Ce parcours est clos depuis le")
        benoit.open(address, status=404)
