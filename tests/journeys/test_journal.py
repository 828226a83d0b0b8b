"""Who read a file, who changed it: the référent, the coordination and the data protection officer look."""

import pytest
from django.conf import settings
from playwright.sync_api import expect

from audit.tasks import seal_journal, verify_journal
from referents.models import Role
from tests.cast import Cast, make_exceptional_access, make_user
from tests.journeys.conftest import Visit

pytestmark = pytest.mark.browser


class TestWhoRead:
    def test_given_an_exceptional_access_when_the_team_looks_then_it_is_seen_everywhere(
        self, cast: Cast, visit: Visit
    ) -> None:
        lise = make_user("Lise", Role.COORDINATOR, cast.team_b)
        make_exceptional_access(cast.ines_parcours, lise)
        visit(lise).open(f"/parcours/{cast.ines_parcours.pk}/")

        benoit = visit(cast.benoit, narrow=True)
        benoit.open(f"/parcours/{cast.ines_parcours.pk}/")
        benoit.follow("Qui a lu ce parcours")
        expect(benoit.rows.filter(has_text="Lise Test")).to_contain_text("accès exceptionnel du")
        benoit.follow("Qui a changé quoi")
        benoit.main.get_by_text("Ce qui a été écrit").first.click()

        amina = visit(cast.amina)
        amina.open("/")
        amina.follow("Journal")
        amina.reads("Lectures par une personne d’une autre équipe")
        amina.follow(cast.ines_parcours.number)
        amina.reads("Qui a lu ce parcours")

        gaelle = visit(cast.gaelle)
        gaelle.open("/journal/")
        gaelle.follow("Alertes")
        expect(gaelle.rows.filter(has_text="Lise Test").first).to_be_visible()
        gaelle.rows.filter(has_text="Lise Test").first.get_by_role("link").click()
        expect(gaelle.rows.first).to_contain_text("Lise Test")

    def test_given_a_sealed_journal_when_the_officer_looks_then_its_checkpoint_can_be_kept_elsewhere(
        self, cast: Cast, visit: Visit
    ) -> None:
        visit(cast.benoit).open(f"/parcours/{cast.ines_parcours.pk}/")
        seal_journal()
        verify_journal()

        gaelle = visit(cast.gaelle)
        gaelle.open("/")
        gaelle.reads("Journal intact")
        gaelle.follow("Sceaux et point de contrôle")
        expect(gaelle.main.get_by_label("Point de contrôle", exact=True)).to_contain_text(settings.JOURNAL_ORIGIN)
