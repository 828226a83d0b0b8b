"""The fonds exceptionnel: never negative, never above what was asked, never above the envelope, even at once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.history import acting_as, system_account
from pre_cases.models import AidDecision, AidEnvelope, ExceptionalAid
from pre_cases.services.aid import AidRefused, ask_aid, decide_aid, euros, pay_aid, set_envelope
from tests.cast import Cast, make_child, make_document, make_parcours

GRANTED, REFUSED = AidDecision.GRANTED, AidDecision.REFUSED


def ask(cast: Cast, amount: str = "80", **values: Any) -> ExceptionalAid:
    values = {"parcours": cast.ines_parcours, "by": cast.benoit} | values
    return ask_aid(purpose="Une paire de lunettes", requested=Decimal(amount), **values)


def grant(cast: Cast, aid: ExceptionalAid, amount: str) -> ExceptionalAid:
    return decide_aid(aid=aid, decision=GRANTED, granted=Decimal(amount), reason="", by=cast.amina)


def envelope(cast: Cast, amount: str) -> AidEnvelope:
    return set_envelope(team=cast.team_a, year=timezone.localdate().year, amount=Decimal(amount), by=cast.amina)


class TestAskAid:
    @pytest.mark.parametrize("amount", ["0", "-1", "1000000"])
    def test_refuses_an_amount_that_is_none(self, cast: Cast, amount: str) -> None:
        with pytest.raises(AidRefused) as refusal:
            ask(cast, amount)
        assert refusal.value.field == "requested"

    def test_waits_for_the_entry(self, cast: Cast) -> None:
        waiting = make_parcours(cast.team_a, child=make_child("Zoé"), entered_on=None)
        with pytest.raises(AidRefused, match="évaluation"):
            ask(cast, parcours=waiting)


class TestDecideAid:
    def test_grants_up_to_the_last_cent_of_the_envelope_and_not_one_more(self, cast: Cast) -> None:
        envelope(cast, "100.50")
        grant(cast, ask(cast), "80")
        second = ask(cast, "40")
        with pytest.raises(AidRefused, match="il reste 20,50") as refusal:
            grant(cast, second, "20.51")
        assert refusal.value.field == "granted"
        assert grant(cast, second, "20.50").granted == Decimal("20.50")

    def test_refuses_without_an_envelope_or_above_the_request(self, cast: Cast) -> None:
        aid = ask(cast)
        with pytest.raises(AidRefused, match="n’est pas fixée"):
            grant(cast, aid, "80")
        envelope(cast, "1000")
        for amount in ("80.01", "0"):
            with pytest.raises(AidRefused) as refusal:
                grant(cast, aid, amount)
            assert refusal.value.field == "granted"

    def test_asks_why_it_refuses_and_takes_nothing_from_the_envelope(self, cast: Cast) -> None:
        envelope(cast, "80")
        aid = ask(cast)
        with pytest.raises(AidRefused) as refusal:
            decide_aid(aid=aid, decision=REFUSED, reason="", by=cast.amina)
        assert refusal.value.field == "reason"
        decide_aid(aid=aid, decision=REFUSED, reason="La CAF le paie.", by=cast.amina)
        grant(cast, ask(cast), "80")

    def test_is_taken_once(self, cast: Cast) -> None:
        envelope(cast, "1000")
        aid = grant(cast, ask(cast), "10")
        with pytest.raises(AidRefused, match="déjà"):
            grant(cast, aid, "10")


class TestPayAid:
    def test_keeps_the_day_and_the_receipt(self, cast: Cast) -> None:
        envelope(cast, "1000")
        aid, receipt = grant(cast, ask(cast), "10"), make_document(cast.ines_parcours, cast.benoit)
        pay_aid(aid=aid, on=timezone.localdate(), by=cast.benoit)
        pay_aid(aid=aid, on=timezone.localdate(), receipt=receipt, by=cast.benoit)
        aid.refresh_from_db()
        assert (aid.paid_on, aid.receipt) == (timezone.localdate(), receipt)

    def test_refuses_before_the_grant(self, cast: Cast) -> None:
        envelope(cast, "1000")
        with pytest.raises(AidRefused, match="accordée"):
            pay_aid(aid=ask(cast), on=timezone.localdate(), by=cast.benoit)
        granted, day_before = grant(cast, ask(cast), "10"), timezone.localdate() - timedelta(days=1)
        with pytest.raises(AidRefused) as refusal:
            pay_aid(aid=granted, on=day_before, by=cast.benoit)
        assert refusal.value.field == "on"


class TestSetEnvelope:
    def test_never_falls_below_what_is_granted(self, cast: Cast) -> None:
        envelope(cast, "100")
        grant(cast, ask(cast), "60")
        with pytest.raises(AidRefused, match="déjà accordé"):
            envelope(cast, "59.99")
        envelope(cast, "60")
        assert AidEnvelope.objects.get().amount == 60

    def test_is_never_negative(self, cast: Cast) -> None:
        with pytest.raises(AidRefused):
            envelope(cast, "-1")


class TestDatabase:
    @pytest.mark.parametrize("wrong", [{"requested": -1}, {"granted": 5}, {"decision": "granted"}, {"requested": 0}])
    def test_refuses_what_may_never_be(self, cast: Cast, wrong: dict[str, Any]) -> None:
        facts = {"parcours": cast.ines_parcours, "team": cast.team_a, "purpose": "x", "requested": 10}
        facts |= {"asked_by": cast.benoit, "asked_on": timezone.localdate(), "data_key_id": cast.ines.data_key_id}
        with pytest.raises(IntegrityError), transaction.atomic(), acting_as(system_account()):
            ExceptionalAid.objects.create(**facts | wrong)


class TestEuros:
    def test_are_written_as_a_french_sentence_writes_them(self) -> None:
        assert euros(Decimal("1250.5")) == "1\u202f250,50\u00a0€"
