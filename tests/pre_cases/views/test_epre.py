"""The pages of the EPRE: who sees a name, who sees a number, and what the two of them cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.encryption.keys import load_keys_of
from audit.history import acting_as, system_account
from pre_cases.models import EpreItem, EpreParticipant, EpreSession, Parcours, SaisineSign
from pre_cases.services.epre_decision import NextStep, decide_item
from tests.cast import Cast, make_child, make_item, make_parcours, make_session
from tests.queries import queries_of

DAY = timedelta(days=1)
NAMES = ("Inès", "Morel", "Nadia")


def url(name: str, pk: object = None) -> str:
    return reverse(f"pre_cases:{name}", args=[] if pk is None else [pk])


def hide(client: Any, address: str, pk: object) -> bool:
    foreign = client.get(address)
    return foreign.status_code == 404 and foreign.content == client.get(address.replace(str(pk), str(uuid4()))).content


@pytest.fixture
def session(cast: Cast) -> EpreSession:
    return make_session(cast.team_a, cast.david, on=timezone.localdate())


@pytest.fixture
def item(cast: Cast, session: EpreSession) -> EpreItem:
    load_keys_of(cast.ines_parcours)
    with acting_as(system_account()):
        SaisineSign.objects.create(saisine=cast.ines_parcours.saisine, sign_id="sign:absences", is_main=True)
    return make_item(session, cast.ines_parcours, purpose="advice", resources="Aime lire.")


def fill(cast: Cast, session: EpreSession, count: int) -> None:
    known = session.items.count()
    for number in range(known, known + count):
        parcours = make_parcours(cast.team_a, child=make_child(f"Enfant{number}"), referent=cast.benoit)
        make_item(session, parcours)
        with acting_as(system_account()):
            EpreParticipant.objects.create(session=session, name=f"Membre {number}", institution="PMI")


class TestSessionList:
    def test_parts_what_is_to_come_from_the_past(self, cast: Cast, signed_in) -> None:
        today = timezone.localdate()
        coming, past = make_session(cast.team_a, on=today + DAY), make_session(cast.team_a, on=today - DAY)
        make_session(cast.team_b)
        client = signed_in(cast.benoit)
        response = client.get(url("session_list"))
        assert response.context["page"].records == [coming]
        links = {link["label"]: link for link in response.context["filters"]}
        assert client.get(links["Passées"]["url"]).context["page"].records == [past]
        assert [link["count"] for link in links.values()] == [1, 1]

    def test_asks_as_much_for_one_session_as_for_25(self, cast: Cast, signed_in) -> None:
        client = signed_in(cast.amina)
        make_session(cast.team_a)
        one = len(queries_of(client, url("session_list")))
        for number in range(24):
            make_session(cast.team_a, on=timezone.localdate() + number * DAY)
        assert len(queries_of(client, url("session_list"))) == one


class TestSessionDetail:
    def test_names_to_a_referent_the_person_s_own_situations(self, cast: Cast, signed_in, session, item) -> None:
        make_item(session, make_parcours(cast.team_a, child=make_child("Zoé")))
        page = signed_in(cast.benoit).get(url("session_detail", session.pk)).content.decode()
        assert "Inès Morel" in page
        assert "Zoé" not in page
        assert "Et 1 situation de vos collègues" in page
        assert "Zoé" in signed_in(cast.amina).get(url("session_detail", session.pk)).content.decode()

    def test_asks_as_much_for_one_situation_as_for_25(self, cast: Cast, signed_in, session) -> None:
        client = signed_in(cast.amina)
        fill(cast, session, 1)
        one = len(queries_of(client, url("session_detail", session.pk)))
        fill(cast, session, 24)
        assert len(queries_of(client, url("session_detail", session.pk))) == one

    def test_tiles_of_the_board_count_the_rows_they_open(self, cast: Cast, signed_in) -> None:
        session = make_session(cast.team_a, cast.david)
        fill(cast, session, 3)
        make_item(session, cast.ines_parcours, question=None)
        client = signed_in(cast.amina)
        tiles = client.get(url("team_board", "a")).context["epre_tiles"]
        agenda, sheets, charters = (client.get(tile["url"]).context for tile in tiles)
        shown = [len(agenda["page"].records), len(sheets["page"].records), len(charters["participants"])]
        assert shown == [tile["count"] for tile in tiles] == [4, 1, 3]


class TestSessionSheets:
    def test_shows_a_member_numbers_and_no_name(self, cast: Cast, signed_in, session, item) -> None:
        client = signed_in(cast.david)
        page = client.get(url("session_sheets", session.pk)).content.decode()
        for told in ("Situation n° 1", "6 à 10 ans", "Élémentaire", "Aime lire.", "(principal)"):
            assert told in page
        one = client.get(url("item_sheet", item.pk)).content.decode()
        assert "Quel accompagnement proposer" in one
        birth = cast.ines.birth_date
        assert birth is not None
        for hidden in (*NAMES, f"{birth:%d/%m/%Y}", birth.isoformat(), "CE2", str(item.parcours_id)):
            assert hidden not in page + one, hidden

    def test_says_to_a_member_when_they_open(self, cast: Cast, signed_in) -> None:
        later = make_session(cast.team_a, cast.david, on=timezone.localdate() + 9 * DAY)
        make_item(later, cast.ines_parcours)
        response = signed_in(cast.david).get(url("session_sheets", later.pk))
        assert response.context["sheets"] == []
        assert "Les fiches se lisent du" in response.content.decode()

    def test_is_a_tagged_pdf(self, cast: Cast, signed_in, session, item) -> None:
        response = signed_in(cast.david).get(url("session_sheets_pdf", session.pk))
        assert response["Content-Type"] == "application/pdf"
        assert response.content.startswith(b"%PDF-")
        assert b"/StructTreeRoot" in response.content
        single = signed_in(cast.benoit).get(url("item_sheet_pdf", item.pk)).content
        assert single.startswith(b"%PDF-")

    def test_asks_as_much_for_one_sheet_as_for_25(self, cast: Cast, signed_in, session) -> None:
        client = signed_in(cast.david)
        fill(cast, session, 1)
        one = len(queries_of(client, url("session_sheets", session.pk)))
        fill(cast, session, 24)
        assert len(queries_of(client, url("session_sheets", session.pk))) == one

    def test_does_not_exist_for_who_is_not_invited(self, cast: Cast, signed_in, session, item) -> None:
        for person in (cast.chloe, cast.esther, cast.gaelle):
            assert hide(signed_in(person), url("session_sheets", session.pk), session.pk)
        assert hide(signed_in(cast.david), url("session_detail", session.pk), session.pk)


class TestItemCreate:
    def test_begins_with_what_the_saisine_says_and_keeps_what_is_typed(self, cast: Cast, signed_in) -> None:
        session = make_session(cast.team_a)
        with acting_as(system_account()):
            load_keys_of(cast.ines_parcours)
            cast.ines_parcours.saisine.strengths = "Inès aime lire."
            cast.ines_parcours.saisine.save()
        client = signed_in(cast.benoit)
        address = url("item_create", cast.ines_parcours.pk)
        assert "Inès aime lire." in client.get(address).content.decode()
        typed = {"session": session.pk, "purpose": "advice", "question": "Où ?", "resources": "Inès aime lire."}
        refused = client.post(address, typed)
        assert refused.status_code == 422
        assert "enlevez « Inès »" in refused.content.decode()
        assert refused.context["form"]["question"].value() == "Où ?"
        assert not EpreItem.objects.exists()
        client.post(address, typed | {"resources": "Aime lire."})
        assert EpreItem.objects.get().session == session
        assert client.get(address)["Location"] == url("item_write", EpreItem.objects.get().pk)

    def test_offers_the_sessions_of_the_team_only(self, cast: Cast, signed_in) -> None:
        foreign = make_session(cast.team_b)
        make_session(cast.team_a)
        client, address = signed_in(cast.benoit), url("item_create", cast.ines_parcours.pk)
        refused = client.post(address, {"session": foreign.pk, "purpose": "advice"})
        assert refused.status_code == 422
        assert not EpreItem.objects.exists()
        assert hide(client, url("item_create", cast.tom_parcours.pk), cast.tom_parcours.pk)

    def test_refuses_five_thousand_characters_beside_the_field(self, cast: Cast, signed_in) -> None:
        session, long = make_session(cast.team_a), "x" * 5_000
        typed = {"session": session.pk, "purpose": "advice", "tried": long}
        refused = signed_in(cast.benoit).post(url("item_create", cast.ines_parcours.pk), typed)
        assert refused.status_code == 422
        assert refused.context["form"].errors["tried"] == ["Déjà mis en place : 1000 signes au plus."]
        assert long in refused.content.decode()


class TestItemDecide:
    def test_is_not_for_the_coordination_of_another_team(self, cast: Cast, signed_in, item) -> None:
        for person in (cast.benoit, cast.chloe, cast.david):
            assert hide(signed_in(person), url("item_decide", item.pk), item.pk)

    def test_writes_the_decision_and_its_follow_up(self, cast: Cast, signed_in, session, item) -> None:
        david = session.participants.get()
        typed = {"decision": "advice", "reason": "Un club de lecture.", "follow_up": "Trouver un club"}
        client = signed_in(cast.amina)
        half = client.post(url("item_decide", item.pk), typed)
        assert half.status_code == 422
        assert set(half.context["form"].errors) == {"follow_up_by", "follow_up_on"}
        when = (timezone.localdate() + 7 * DAY).isoformat()
        typed |= {"follow_up_by": f"membre-{david.pk}", "follow_up_on": when}
        assert client.post(url("item_decide", item.pk), typed).status_code == 302
        home = signed_in(cast.david).get(url("shared_parcours")).content.decode()
        assert "Trouver un club" in home
        minutes = client.get(url("session_minutes", session.pk))
        assert minutes.content.startswith(b"%PDF-")

    def test_converts_the_last_day_of_a_renewal(self, cast: Cast, signed_in, item) -> None:
        until = cast.ines_parcours.agreement.agreed_until_on
        assert until is not None
        typed = {"decision": "renewal", "until": (until + 30 * DAY).isoformat()}
        assert signed_in(cast.amina).post(url("item_decide", item.pk), typed).status_code == 302
        read = Parcours.objects.select_related("agreement").get(pk=cast.ines_parcours.pk)
        assert read.agreement.last_day == until + 30 * DAY


class TestFollowUpComplete:
    def test_is_for_the_person_entrusted(self, cast: Cast, signed_in, session, item) -> None:
        told = NextStep("Écrire au médecin scolaire", timezone.localdate(), participant=session.participants.get())
        decide_item(item=item, decision="advice", reason="Avis de santé", follow_up=told, by=cast.amina)
        address = url("follow_up_complete", item.pk)
        assert signed_in(cast.chloe).post(address).status_code == 404
        signed_in(cast.david).post(address)
        assert not EpreItem.objects.filter(task__done_at__isnull=True).exists()


class TestSharedParcours:
    def test_announces_the_sessions_and_since_when_their_sheets_open(self, cast: Cast, signed_in, session) -> None:
        make_session(cast.team_a, cast.david, on=timezone.localdate() + 20 * DAY)
        page = signed_in(cast.david).get(url("shared_parcours")).content.decode()
        assert page.count("Lire les fiches") == 1
        assert "fiches à lire dès le" in page
        assert "Mes séances de l’EPRE" not in signed_in(cast.chloe).get(url("shared_parcours")).content.decode()

    def test_costs_a_constant_number_of_queries(self, cast: Cast, signed_in, session) -> None:
        """The home page of a member, with what waits for the person: twelve at most, whatever the volume."""
        client, david = signed_in(cast.david), session.participants.get()
        today = timezone.localdate()

        def entrust(number: int) -> None:
            parcours = make_parcours(cast.team_a, child=make_child(f"Enfant{number}"))
            load_keys_of(parcours)
            told = NextStep("Écrire au médecin scolaire", today, participant=david)
            item = make_item(session, parcours, purpose="advice")
            decide_item(item=item, decision="advice", reason="Avis de santé", follow_up=told, by=cast.amina)

        entrust(0)
        one = queries_of(client, url("shared_parcours"))
        for number in range(1, 25):
            entrust(number)
            make_session(cast.team_a, cast.david, on=today + number * DAY)
        assert len(queries_of(client, url("shared_parcours"))) == len(one) <= 12, "\n".join(one)
