"""The EPRE, from the calendar of the team to its minutes: agenda, anonymous sheets, presence, decisions, follow-up."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.cast import Cast, make_child, make_item, make_parcours, make_schooling, make_session
from tests.journeys.conftest import Visit
from tests.journeys.server import between_requests

pytestmark = pytest.mark.browser


class TestEpreSession:
    def test_given_two_situations_when_the_session_is_held_then_the_minutes_say_numbers_and_who_does_what(
        self, cast: Cast, visit: Visit
    ) -> None:
        today = timezone.localdate()
        lina = make_parcours(cast.team_a, child=make_child("Lina"), referent=cast.benoit, entered_on=None)
        make_schooling(lina.child)
        tiago = make_parcours(cast.team_a, child=make_child("Tiago"), referent=cast.benoit)
        amina, benoit, david = visit(cast.amina), visit(cast.benoit, narrow=True), visit(cast.david, narrow=True)

        amina.open("/equipes/a/")
        amina.follow("Prévoir une séance")
        amina.fill({"Jour": today.isoformat(), "De": "14:00", "À": "16:30", "Lieu": "Centre Binet"})
        amina.press("Prévoir la séance")
        amina.reads("La séance est prévue.")
        for values in (
            {"Personne de l’équipe": "David Test"},
            {"Ou son nom, sans compte": "Dr Hamel", "Institution": "PMI", "Fonction": "Médecin"},
        ):
            amina.follow("Inviter")
            amina.fill(values)
            amina.press("Inviter")
            amina.reads("La personne est invitée.")
        amina.reads("charte à signer")

        benoit.open(f"/parcours/{lina.pk}/")
        benoit.follow("Inscrire à l’EPRE")
        benoit.fill({"Question posée à l’EPRE": "Où Lina peut-elle lire ?", "Points d’appui": "Aime lire."})
        benoit.press("Inscrire à l’ordre du jour")
        expect(benoit.main.get_by_role("alert")).to_contain_text("enlevez « Lina »")
        benoit.fill({"Question posée à l’EPRE": "Où l’enfant peut-il lire ?"})
        benoit.press("Inscrire à l’ordre du jour")
        benoit.reads("La situation est à l’ordre du jour.")
        benoit.open(f"/parcours/{tiago.pk}/")
        benoit.follow("Inscrire à l’EPRE")
        benoit.choose("avis sur la situation")
        benoit.press("Inscrire à l’ordre du jour")
        benoit.open("/epre/")
        benoit.follow(re.compile("^EPRE du"))
        benoit.reads("Lina Morel", "question à écrire")

        amina.open("/equipes/a/")
        expect(amina.main.get_by_role("link", name=re.compile("Fiches à écrire"))).to_contain_text("1")
        amina.follow(re.compile("Fiches à écrire"))
        expect(amina.rows).to_have_count(1)
        amina.reads("Tiago Morel")
        amina.follow("Tout montrer")
        amina.press(re.compile("^Monter"))
        expect(amina.rows.first).to_contain_text("Tiago Morel")

        david.open("/")
        david.follow(re.compile("^Lire les fiches"))
        david.reads("Situation n° 1", "Situation n° 2", "Où l’enfant peut-il lire ?", "6 à 10 ans")
        david.reads_nowhere("Lina", "Tiago", "Nadia", "Morel")
        with david.page.expect_download() as sheets:
            david.main.get_by_role("link", name="Télécharger (PDF)").click()
        assert sheets.value.suggested_filename == f"fiches-epre-{today}.pdf"

        amina.follow("Feuille de présence")
        amina.fill({"David Test était là": True, "Dr Hamel était là": True})
        amina.fill({"Charte signée sur la feuille par Dr Hamel le": today.isoformat()})
        amina.press("Enregistrer")
        amina.reads("La feuille de présence est enregistrée.")
        amina.follow(re.compile("^Décider.*situation n° 2"))
        amina.choose("entrée en parcours")
        amina.fill({"Suite à donner": "Appeler la bibliothèque", "Qui s’en charge": "David Test"})
        amina.fill({"Pour le": (today + timedelta(days=7)).isoformat()})
        amina.press("Enregistrer la décision")
        amina.follow(re.compile("^Décider.*situation n° 1"))
        amina.choose("préconisation")
        amina.press("Enregistrer la décision")
        expect(amina.main.get_by_role("alert")).to_contain_text("Dites pourquoi")
        amina.fill({"Motif ou préconisation": "Un suivi par la santé scolaire."})
        amina.press("Enregistrer la décision")
        amina.press("Clore le compte rendu")
        amina.reads("Le compte rendu est clos.")
        with amina.page.expect_download() as minutes:
            amina.main.get_by_role("link", name="Compte rendu (PDF)").click()
        assert minutes.value.suggested_filename == f"compte-rendu-epre-{today}.pdf"

        david.open("/parcours/partages/")
        david.reads("Appeler la bibliothèque")
        david.press(re.compile("^C’est fait"))
        david.reads("la suite est donnée")
        benoit.open(f"/parcours/{lina.pk}/")
        expect(benoit.timeline.filter(has_text="EPRE : entrée en parcours")).to_have_count(1)


class TestKeyboardOnly:
    def test_given_no_mouse_when_a_sheet_is_written_and_a_situation_decided_then_the_keys_are_enough(
        self, cast: Cast, visit: Visit
    ) -> None:
        session = make_session(cast.team_a, cast.david, on=timezone.localdate())
        make_item(session, cast.ines_parcours, purpose="advice", question=None)
        amina = visit(cast.amina)
        amina.open(f"/epre/{session.pk}/")
        keys = amina.page.keyboard
        amina.reach(amina.main.get_by_role("link", name=re.compile("question à écrire")), 60)
        with amina.arriving():
            keys.press("Enter")
        amina.reach(amina.main.get_by_role("link", name="Écrire la fiche"), 60)
        with amina.arriving():
            keys.press("Enter")
        amina.reach(amina.field("Question posée à l’EPRE"), 60)
        keys.type("Quel lieu de lecture ?")
        amina.reach(amina.main.get_by_role("button", name="Enregistrer la fiche"))
        with amina.arriving():
            keys.press("Enter")
        amina.reads("La fiche est enregistrée.", "Quel lieu de lecture ?")
        amina.open(f"/epre/{session.pk}/")
        amina.reach(amina.main.get_by_role("link", name=re.compile("^Décider")), 60)
        with amina.arriving():
            keys.press("Enter")
        amina.reach(amina.main.get_by_role("radio", name="entrée en parcours"), 60)
        for _ in range(6):
            keys.press("ArrowDown")
        expect(amina.main.get_by_role("radio", name="préconisation")).to_be_checked()
        amina.reach(amina.field("Motif ou préconisation"))
        keys.type("La bibliothèque du quartier.")
        amina.reach(amina.main.get_by_role("button", name="Enregistrer la décision"))
        with amina.arriving():
            keys.press("Enter")
        amina.reads("est enregistrée.", "Préconisation")


class TestTelephone:
    def test_given_a_narrow_screen_when_the_pages_of_the_epre_open_then_none_scrolls_sideways(
        self, cast: Cast, visit: Visit
    ) -> None:
        with between_requests():
            session = make_session(cast.team_a, cast.david, on=timezone.localdate())
            item = make_item(session, cast.ines_parcours, purpose="advice")
        amina = visit(cast.amina, narrow=True)
        pages = ["", "modifier/", "annulation/", "invitation/", "presence/", "fiches/"]
        for address in [f"/epre/{session.pk}/{page}" for page in pages] + [
            f"/epre/situations/{item.pk}/{page}" for page in ("", "preparation/", "decision/", "famille/")
        ]:
            amina.open(address)
        amina.open("/epre/?filtre=passees")
        amina.open("/equipes/a/epre/nouvelle/")
        amina.open("/equipes/a/")
