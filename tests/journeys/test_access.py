"""Exceptions that end: a week of replacement, an exceptional access and its review, a caseload passed on."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from audit.journal.models import Event
from pre_cases.models import Parcours
from referents.models import Role
from tests.cast import Cast, make_child, make_parcours, make_user
from tests.journeys.conftest import Visit
from tests.journeys.server import between_requests

pytestmark = pytest.mark.browser

DAY = timedelta(days=1)


class TestStandInWeek:
    def test_given_a_leave_when_a_colleague_stands_in_then_the_files_open_for_the_week_and_no_longer(
        self, cast: Cast, visit: Visit
    ) -> None:
        ibrahim = make_user("Ibrahim", Role.REFERENT, cast.team_a)
        address = f"/parcours/{cast.ines_parcours.pk}/"
        benoit, colleague = visit(cast.benoit, narrow=True), visit(ibrahim)

        colleague.open(address, status=404)
        benoit.open("/mes-acces/")
        benoit.follow("Me faire remplacer")
        benoit.reads("1 parcours.")
        last_day = timezone.localdate() + 6 * DAY
        benoit.fill({"Remplacé par": "Ibrahim Test", "Dernier jour": (timezone.localdate() - DAY).isoformat()})
        benoit.press("Enregistrer le remplacement")
        expect(benoit.main.get_by_role("alert").first).to_contain_text(
            "Le dernier jour ne peut pas précéder le premier."
        )
        benoit.fill({"Dernier jour": last_day.isoformat()})
        benoit.press("Enregistrer le remplacement")
        benoit.reads("Le remplacement est enregistré", "Ibrahim Test me remplace")

        colleague.open("/parcours/")
        colleague.follow("Remplacements")
        colleague.reads("Vous remplacez Benoît Test")
        colleague.follow("Inès Morel")
        colleague.reads("Vous remplacez Benoît Test jusqu’au")
        colleague.fill({"Ce qui s’est échangé": "La mère rappelle lundi."})
        colleague.press(re.compile("^Enregistrer"), within=colleague.main.locator("form[data-guard]").first)
        expect(colleague.timeline.filter(has_text="La mère rappelle lundi.")).to_contain_text("Ibrahim Test")
        with between_requests():
            written = Event.objects.get(kind="pre_cases.entry", action="create")
            assert (written.actor_id, written.acting_for_id) == (ibrahim.pk, cast.benoit.pk)

        with time_machine.travel(timezone.now() + 6 * DAY, tick=True):
            visit(ibrahim).open(address)
        with time_machine.travel(timezone.now() + 7 * DAY, tick=True):
            late = visit(ibrahim)
            late.open(address, status=404)
            late.open("/parcours/remplacements/")
            late.reads("Aucun parcours en remplacement aujourd’hui")


class TestExceptionalAccess:
    def test_given_a_number_read_by_telephone_when_another_team_opens_it_then_it_is_told_seen_ended_and_reviewed(
        self, cast: Cast, visit: Visit
    ) -> None:
        lise = visit(make_user("Lise", Role.COORDINATOR, cast.team_b))
        amina, gaelle = visit(cast.amina), visit(cast.gaelle)
        amina.open(f"/parcours/{cast.ines_parcours.pk}/")
        amina.reads(cast.ines_parcours.number)

        lise.open("/mes-acces/")
        lise.follow("Ouvrir un accès exceptionnel")
        lise.fill({"Numéro du parcours": "ZZZZ-ZZZZ", "Motif": "La mère est dans nos locaux avec Inès."})
        lise.choose("La famille se présente à notre équipe")
        lise.press("Ouvrir pour 24 heures")
        expect(lise.field("Motif")).to_have_value("La mère est dans nos locaux avec Inès.")
        lise.reads("Aucun parcours ouvert ne porte ce numéro")
        lise.fill({"Numéro du parcours": cast.ines_parcours.number.lower().replace("-", " ")})
        lise.press("Ouvrir pour 24 heures")
        lise.reads("Le parcours vous est ouvert pour 24 heures.", "Accès exceptionnel, en lecture, jusqu’au")
        with between_requests():
            told = {address for letter in mail.outbox for address in letter.to}
            assert told == {cast.amina.email, cast.benoit.email, cast.gaelle.email}
            assert not any("Inès" in letter.body or "Lise" in letter.body for letter in mail.outbox)

        amina.open(f"/parcours/{cast.ines_parcours.pk}/")
        amina.reads("Lise Test, accès exceptionnel", "La mère est dans nos locaux")
        amina.open("/equipes/a/")
        amina.follow(re.compile("Accès exceptionnels à examiner"))
        amina.press(re.compile("Y mettre fin"))
        amina.reads("L’accès exceptionnel est terminé.")
        lise.open(f"/parcours/{cast.ines_parcours.pk}/", status=404)

        gaelle.open("/")
        gaelle.reads("Accès exceptionnels à examiner", "Lise Test")
        gaelle.follow(re.compile("Examiner"))
        gaelle.choose("Non justifié")
        gaelle.press("Enregistrer l’examen")
        expect(gaelle.main.get_by_role("alert").first).to_contain_text("Dites pourquoi cet accès n’était pas justifié.")
        gaelle.choose(re.compile("^Justifié"))
        gaelle.press("Enregistrer l’examen")
        gaelle.reads("L’examen est enregistré.", "justifié, par Gaëlle Test")


class TestCaseloadHandOver:
    def test_given_a_departure_when_the_caseload_is_passed_on_then_the_new_referent_opens_it_and_the_former_no_longer(
        self, cast: Cast, visit: Visit
    ) -> None:
        ibrahim = make_user("Ibrahim", Role.REFERENT, cast.team_a)
        for name in ("Lina", "Oscar"):
            make_parcours(cast.team_a, referent=cast.benoit, child=make_child(name))
        address = f"/parcours/{cast.ines_parcours.pk}/"
        benoit, colleague, amina = visit(cast.benoit), visit(ibrahim, narrow=True), visit(cast.amina)

        benoit.open("/mes-acces/")
        benoit.follow("Passer le relais")
        expect(benoit.rows).to_have_count(3)
        benoit.main.get_by_role("checkbox", name=re.compile("Oscar")).uncheck()
        benoit.fill({"Passer à": "Ibrahim Test", "Mot de passage": "Je pars lundi."})
        benoit.press("Voir ce qui va changer")
        benoit.reads("Ibrahim Test suit aujourd’hui 0 parcours", "en suivrait 2", "n’en garde que la fiche")
        benoit.press("Proposer le relais")
        benoit.reads("Le relais est proposé")

        colleague.open(address, status=404)
        colleague.open("/a-faire/")
        colleague.reads("2 relais proposés")
        colleague.follow("répondre")
        colleague.reads("Inès, suivi par Benoît Test", "Je pars lundi.")
        colleague.follow(re.compile("Refuser le relais de Lina"))
        colleague.fill({"Raison du refus": "Je suis déjà le parcours de son frère ailleurs."})
        colleague.press("Refuser")
        colleague.press("Accepter les parcours cochés")
        colleague.reads("Vous suivez désormais 1 parcours de plus")

        benoit.open(address, status=404)
        benoit.open(f"{address}fiche/")
        benoit.reads("Ibrahim Test")
        benoit.reads_nowhere("Morel", "CE2")
        benoit.open("/mes-acces/")
        benoit.reads("Je suis déjà le parcours de son frère ailleurs.")
        amina.open("/equipes/a/")
        amina.follow(re.compile("Pas encore ouvert"))
        expect(amina.rows.filter(has_text="Inès Morel")).to_have_count(1)
        colleague.open("/parcours/?filtre=pas-encore-ouvert")
        colleague.follow("Inès Morel")
        amina.open("/equipes/a/parcours/?filtre=pas-encore-ouvert")
        expect(amina.rows.filter(has_text="Inès Morel")).to_have_count(0)
        with between_requests():
            assert Parcours.objects.assigned_to(cast.benoit.pk).count() == 2


class TestAccessRequest:
    def test_given_a_colleague_s_card_when_access_is_asked_then_it_is_opened_until_a_day(
        self, cast: Cast, visit: Visit
    ) -> None:
        ibrahim = visit(make_user("Ibrahim", Role.REFERENT, cast.team_a))
        benoit = visit(cast.benoit, narrow=True)
        ibrahim.open("/parcours/")
        ibrahim.follow("Toute l’équipe")
        ibrahim.follow("Inès")
        ibrahim.reads_nowhere("Morel", "CE2", "Nadia")
        ibrahim.fill({"Motif": "Je reçois sa mère demain."})
        ibrahim.press("Demander l’accès")
        ibrahim.reads("Vous avez demandé à lire ce parcours")

        benoit.open("/a-faire/")
        benoit.reads("1 demande d’accès")
        benoit.follow("répondre")
        benoit.follow(re.compile("Répondre"))
        benoit.reads("Je reçois sa mère demain.")
        benoit.press("Ouvrir jusqu’à ce jour")
        benoit.reads("Le parcours est ouvert en lecture")
        ibrahim.open("/mes-acces/")
        ibrahim.reads("acceptée jusqu’au")
        ibrahim.follow("Inès")
        ibrahim.reads("Partagé avec vous, en lecture, jusqu’au")
