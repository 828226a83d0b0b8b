"""What the EPRE reads on paper: numbers, bands and decisions, never a name nor a date of birth."""

import json
from typing import Any

import pytest
from django.utils import timezone

from audit.encryption.keys import load_keys_of
from audit.history import acting_as, system_account
from pre_cases import sheets
from pre_cases.models import EpreItem, EpreSession, SaisineSign
from pre_cases.services.epre_decision import NextStep, decide_item
from tests.cast import Cast, make_item, make_session


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that a document is made of."""
    told: list[str] = []

    def keep(**document: Any) -> bytes:
        told.append(json.dumps(document, ensure_ascii=False))
        return b"%PDF-"

    monkeypatch.setattr(sheets, "write_pdf", keep)
    return told


@pytest.fixture
def session(cast: Cast) -> EpreSession:
    session = make_session(cast.team_a, cast.david, on=timezone.localdate())
    load_keys_of(cast.ines_parcours)
    with acting_as(system_account()):
        for sign, is_main in (("isolement", False), ("absences", True)):
            SaisineSign.objects.create(saisine=cast.ines_parcours.saisine, sign_id=f"sign:{sign}", is_main=is_main)
    item = make_item(session, cast.ines_parcours, purpose="advice", resources="Aime lire.")
    told = NextStep("Trouver un club", timezone.localdate(), participant=session.participants.get())
    decide_item(item=item, decision="advice", reason="Un club de lecture.", follow_up=told, by=cast.amina)
    return session


def read(session: EpreSession) -> list[EpreItem]:
    items = list(sheets.for_sheets(EpreItem.objects.filter(session=session)))
    load_keys_of(*items)
    return items


def assert_anonymous(cast: Cast, document: str) -> None:
    born = cast.ines.birth_date
    assert born is not None
    for hidden in ("Inès", "Morel", "Nadia", "CE2", f"{born:%d/%m/%Y}", str(born.year), "9 ans"):
        assert hidden not in document, hidden


class TestSheetsPdf:
    def test_says_bands_signs_and_the_question(self, cast: Cast, session: EpreSession, printed: list[str]) -> None:
        sheets.sheets_pdf(session, sheets.sheets_of(read(session)))
        for told in ("Situation n° 1", "6 à 10 ans", "Élémentaire", "Quel accompagnement proposer ?", "Aime lire."):
            assert told in printed[0]
        assert printed[0].index("(principal)") < printed[0].index("Isolement")
        assert_anonymous(cast, printed[0])


class TestMinutesPdf:
    def test_says_who_came_what_was_decided_and_who_does_what(
        self, cast: Cast, session: EpreSession, printed: list[str]
    ) -> None:
        sheets.minutes_pdf(session, list(session.participants.all()), read(session))
        for told in ("David Test", "Situation n° 1", "préconisation", "Un club de lecture.", "Trouver un club (David"):
            assert told in printed[0]
        assert_anonymous(cast, printed[0])
