"""Somebody new: invited by the administration, entering by the link, given one more role by a coordination."""

import re

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from partners.admin import reference
from referents.models import User
from tests.cast import PASSWORD, Cast
from tests.journeys.conftest import Visit
from tests.journeys.server import between_requests

pytestmark = pytest.mark.browser

EMAIL = "nora@marelle.example"


def link() -> str:
    """The path of the link in the last letter."""
    with between_requests():
        (path,) = re.findall(r"https?://[^/\s]+(/invitation/\S+)", str(mail.outbox[-1].body))
    return path


class TestNewcomer:
    def test_given_a_newcomer_when_invited_then_the_link_opens_once_and_a_coordination_adds_a_role(
        self, cast: Cast, visit: Visit
    ) -> None:
        hugo = visit(cast.hugo)
        hugo.open("/")
        hugo.follow("Inviter quelqu’un")
        hugo.fill({"Adresse électronique": EMAIL, "Prénom": "Nora", "Nom": "Lévêque"})
        hugo.fill({"Employeur": "Caisse des écoles", "Rôle": "référent de parcours", "Équipe": "A (18e)"})
        hugo.press("Inviter")
        hugo.reads("la personne reçoit un courriel")
        hugo.fill({"Nom ou prénom": "leveque"})
        hugo.press("Chercher")
        hugo.follow("Lévêque Nora")
        hugo.reads("en attente jusqu’au", "référent de parcours, A")

        nora = visit(narrow=True)
        path = link()
        nora.open(path)
        nora.fill({"Mot de passe": "court", "Le même, encore une fois": "court"})
        nora.press("Enregistrer ce mot de passe")
        nora.reads("trop court")
        nora.fill({"Mot de passe": PASSWORD, "Le même, encore une fois": PASSWORD})
        nora.press("Enregistrer ce mot de passe")
        nora.reads("Votre mot de passe est enregistré")
        with between_requests():
            assert User.objects.get(email=EMAIL).check_password(PASSWORD)
        nora.open(path, status=410)
        nora.reads("a déjà servi")
        nora.reads_nowhere("Inès", "Morel")

        amina = visit(cast.amina)
        amina.open("/")
        amina.follow("Professionnels", within=amina.menu)
        amina.follow("Lévêque Nora")
        amina.follow("Ajouter un rôle")
        amina.fill({"Rôle": "membre de l’EPRE"})
        amina.press("Donner ce rôle")
        amina.reads("Le rôle est donné", "membre de l’EPRE, A")
        amina.follow(re.compile("Mettre fin.*membre"))
        amina.press("Fermer cet accès")
        amina.reads("La fin du rôle est enregistrée", "annulé")


class TestPages:
    def test_given_any_screen_when_the_pages_of_accounts_open_then_they_are_accessible_and_never_too_wide(
        self, cast: Cast, visit: Visit
    ) -> None:
        with between_requests():
            cast.chloe.last_login = timezone.now()
            cast.chloe.save(update_fields=["last_login"])
        benoit = f"/comptes/{cast.benoit.pk}/"
        membership = cast.benoit.memberships.get().pk
        pages = {
            cast.hugo: ["/administration/", "/administration/connexions/", "/comptes/", "/comptes/inviter/", benoit]
            + [f"{benoit}{page}/" for page in ("modifier", "suspendre", "reactiver", "terminer", "role")],
            cast.amina: ["/comptes/", "/comptes/inviter/", benoit, f"/comptes/roles/{membership}/fin/"],
            cast.gaelle: ["/comptes/", benoit],
        }
        for narrow in (False, True):
            for person, addresses in pages.items():
                visitor = visit(person, narrow=narrow)
                for address in addresses:
                    visitor.open(address)

    def test_given_reference_data_when_its_pages_open_then_the_browser_complains_of_nothing(
        self, cast: Cast, visit: Visit
    ) -> None:
        """Django's own pages and scripts, under our policy: the console stays silent."""
        hugo = visit(cast.hugo)
        addresses = ["/administration/donnees/", "/administration/donnees/partners/"]
        for model in reference._registry:
            listed = f"/administration/donnees/{model._meta.app_label}/{model._meta.model_name}/"
            addresses += [listed, f"{listed}add/"]
        for address in addresses:
            hugo.page.goto(hugo.site + address)
            hugo.page.wait_for_load_state("networkidle")
            assert hugo.complaints == [], address
        hugo.page.goto(f"{hugo.site}/administration/donnees/partners/term/?nomenclature__exact=sign")
        hugo.page.locator("#result_list tbody a").first.click()
        hugo.page.get_by_role("link", name="Aujourd’hui").or_(
            hugo.page.get_by_role("link", name="Aujourd'hui")
        ).first.click()
        hugo.page.get_by_role("button", name=re.compile("^Enregistrer$")).click()
        expect(hugo.page.get_by_text("C’est enregistré.")).to_be_visible()
        assert hugo.complaints == []
