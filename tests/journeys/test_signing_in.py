"""From the password to the first page: an application of codes, a passkey, recovery codes, and what ends a session."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from audit.history import acting_as, system_account
from referents.models import User
from referents.services.sessions import sign_out_everywhere
from referents.sessions import SEEN_AT
from tests.cast import Cast
from tests.journeys.conftest import Visit
from tests.journeys.server import between_requests
from tests.journeys.visitor import Visitor
from tests.second_factor import code, enrol

pytestmark = pytest.mark.browser

WithPassword = Callable[..., Any]
MINUTE = 60 * 1000


def enrol_on_screen(visitor: Visitor) -> None:
    """Read the secret shown, as a telephone would, and type its code."""
    visitor.follow("Choisir l’application de codes")
    secret = visitor.page.locator("#totp-secret").inner_text().replace(" ", "")
    visitor.fill({"Code": code(secret)})
    visitor.press("Activer")


def recovery_codes_of(visitor: Visitor) -> list[str]:
    return visitor.main.locator(".recovery-codes code").all_inner_texts()


def with_virtual_key(page: Page) -> None:
    """The browser has a key of its own, which recognises the person at once."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": options | {"isUserVerified": True, "automaticPresenceSimulation": True}},
    )


def sign_out(visitor: Visitor) -> None:
    visitor.press("Se déconnecter", within=visitor.page.get_by_role("banner"))


def grow_idle() -> None:
    """Every session was last seen forty minutes ago."""
    with between_requests():
        for row in Session.objects.all():
            store = row.get_session_store_class()(row.session_key)
            store[SEEN_AT] -= 40 * 60
            store.save()


class TestFirstSignIn:
    @pytest.mark.parametrize("narrow", [False, True])
    def test_given_a_new_account_when_she_signs_in_then_codes_charter_and_first_page_follow(
        self, cast: Cast, visit: Visit, with_password: WithPassword, narrow: bool
    ) -> None:
        with_password(cast.benoit, second_factor=False)
        with between_requests(), acting_as(system_account()):
            cast.benoit.charters.all().delete()
        benoit = visit(narrow=narrow)
        benoit.open("/")
        benoit.give_password(cast.benoit)
        expect(benoit.menu).to_have_count(0)
        enrol_on_screen(benoit)
        codes = recovery_codes_of(benoit)
        assert len(codes) == 10
        expect(benoit.main.get_by_role("button", name="Imprimer")).to_be_visible()
        benoit.follow("J’ai rangé ces codes")
        benoit.reads("Charte de confidentialité")
        benoit.main.get_by_role("checkbox").check()
        benoit.press("Signer la charte")
        expect(benoit.page).to_have_title("Ma journée · Marelle")

        sign_out(benoit)
        benoit.sign_in(cast.benoit)
        expect(benoit.page).to_have_title("Ma journée · Marelle")

        sign_out(benoit)
        benoit.open("/")
        benoit.give_password(cast.benoit)
        benoit.fill({"Code": "000000"})
        benoit.press("Entrer")
        benoit.reads("Ce code n’est pas le bon")
        benoit.fill({"Code": codes[0]})
        benoit.press("Entrer")
        expect(benoit.page).to_have_title("Ma journée · Marelle")
        benoit.follow("Mon compte")
        benoit.reads("Il vous reste 9 codes de secours")

    def test_given_no_script_when_she_enrols_an_application_then_she_enters(
        self, cast: Cast, visit: Visit, with_password: WithPassword
    ) -> None:
        with_password(cast.gaelle, second_factor=False)
        gaelle = visit(javascript=False)
        gaelle.open("/")
        gaelle.give_password(cast.gaelle)
        enrol_on_screen(gaelle)
        gaelle.follow("J’ai rangé ces codes")
        expect(gaelle.page).to_have_title("Protection des données · Marelle")


class TestPasskey:
    def test_given_a_passkey_when_she_signs_in_then_nothing_is_typed_but_the_password(
        self, cast: Cast, visit: Visit, with_password: WithPassword
    ) -> None:
        with_password(cast.amina, second_factor=False)
        amina = visit()
        amina.site = amina.site.replace("127.0.0.1", "localhost")  # a passkey belongs to a name, not to an address
        with_virtual_key(amina.page)
        amina.open("/")
        amina.give_password(cast.amina)
        amina.follow("Choisir la clé d’accès")
        amina.fill({"Nom de la clé": "Ordinateur du bureau"})
        amina.press("Enregistrer cette clé")
        assert len(recovery_codes_of(amina)) == 10
        amina.follow("J’ai rangé ces codes")
        sign_out(amina)

        amina.open("/")
        amina.give_password(cast.amina)
        amina.press("Utiliser ma clé d’accès")
        expect(amina.menu).to_be_visible()

        amina.follow("Mon compte")
        amina.reads("Ordinateur du bureau", "C’est le seul")
        amina.follow("Ajouter une application de codes")
        secret = amina.page.locator("#totp-secret").inner_text().replace(" ", "")
        amina.fill({"Code": code(secret)})
        amina.press("Activer")
        amina.follow(re.compile("Retirer : Ordinateur"))
        amina.press("Retirer")
        amina.reads("Ce second facteur est retiré.", "Application de codes")
        with between_requests():
            assert Authenticator.objects.get(type__in=["totp", "webauthn"]).type == "totp"

    def test_given_a_browser_without_the_key_when_it_is_asked_then_a_sentence_says_so(
        self, cast: Cast, visit: Visit, with_password: WithPassword
    ) -> None:
        with_password(cast.amina, second_factor=False)
        amina = visit()
        amina.open("/")  # at 127.0.0.1, where no passkey works
        amina.give_password(cast.amina)
        amina.follow("Choisir la clé d’accès")
        amina.main.get_by_role("button", name="Enregistrer cette clé").click()
        expect(amina.main.get_by_role("alert")).to_contain_text("La clé d’accès n’a pas répondu")
        amina.look()


class TestEndOfSession:
    def test_given_a_long_silence_when_it_ends_then_the_last_words_typed_are_kept(
        self, cast: Cast, visit: Visit, with_password: WithPassword
    ) -> None:
        with_password(cast.benoit)
        benoit = visit(cast.benoit)
        benoit.page.clock.install()
        address = f"/parcours/{cast.ines_parcours.pk}/"
        benoit.open(address)
        note = benoit.field("Ce qui s’est échangé")
        warning = benoit.page.locator(".idle-warning")

        benoit.page.clock.fast_forward(24 * MINUTE)
        expect(warning).to_be_hidden()
        benoit.page.clock.fast_forward(1 * MINUTE)
        expect(warning).to_contain_text("vous serez déconnecté dans 5 minutes")
        warning.get_by_role("button", name="Rester connecté").click()
        expect(warning).to_be_hidden()

        last_seconds = benoit.page.evaluate("Date.now()") + 30 * MINUTE - 5_000
        benoit.page.clock.pause_at(last_seconds / 1_000)
        with benoit.page.expect_response(re.compile("brouillon")):  # at once: the browser's clock stands still
            note.press_sequentially("M")
        note.press_sequentially("ot")
        benoit.page.clock.fast_forward(2000)
        expect(benoit.main.get_by_text("Brouillon gardé à")).to_be_visible()

        benoit.page.clock.resume()
        grow_idle()
        benoit.open(address)
        benoit.reads("Votre session s’est fermée, faute d’action.")
        benoit.give_password(cast.benoit)
        benoit.give_code(cast.benoit)
        assert benoit.page.url == benoit.site + address
        expect(note).to_have_value("Mot")

    def test_given_two_devices_when_she_closes_her_other_sessions_then_only_this_one_goes_on(
        self, cast: Cast, visit: Visit
    ) -> None:
        with between_requests():
            enrol(cast.benoit)
        office, home = visit(cast.benoit), visit(cast.benoit, narrow=True)
        home.open("/parcours/")
        office.open("/compte/securite/")
        office.press("Fermer mes autres sessions")
        office.reads("Vos autres sessions sont fermées. Celle-ci continue.")
        home.open("/parcours/")
        home.reads("Toutes vos sessions ont été fermées")
        with between_requests():
            sign_out_everywhere(user=cast.benoit, by=cast.hugo)
        office.open("/parcours/")
        office.reads("par l’administration")


class TestStepUp:
    def test_given_an_old_sign_in_when_files_are_asked_for_then_the_code_is_asked_and_the_year_is_kept(
        self, cast: Cast, visit: Visit
    ) -> None:
        with between_requests():
            enrol(cast.esther)
        esther = visit(cast.esther)
        esther.open("/statistiques/")
        with between_requests():
            for row in Session.objects.all():
                store = row.get_session_store_class()(row.session_key)
                store["account_authentication_methods"] = [{"method": "mfa", "at": store[SEEN_AT] - 700}]
                store.save()
        esther.open("/compte/second-facteur/codes/nouveaux/")
        esther.reads("Confirmer que c’est vous")
        esther.give_code(cast.esther, "Confirmer")
        esther.reads("Faire de nouveaux codes de secours ?")


class TestPages:
    def test_given_a_person_with_every_factor_when_the_pages_of_the_account_open_then_they_are_well_made(
        self, cast: Cast, visit: Visit
    ) -> None:
        person: User = cast.hugo
        with between_requests():
            enrol(person)
        for narrow in (False, True):
            hugo = visit(person, narrow=narrow)
            for page in (
                "/compte/securite/",
                "/compte/mot-de-passe/",
                "/compte/second-facteur/confirmation/",
                "/compte/second-facteur/cle/",
                "/compte/second-facteur/codes/nouveaux/",
                "/compte/second-facteur/application/retirer/",
            ):
                hugo.open(page)
