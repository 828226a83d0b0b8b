"""The pages of the fonds exceptionnel: asking, deciding within the envelope, paying with a receipt."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from pre_cases.models import AidDecision, AidEnvelope, Document, ExceptionalAid
from pre_cases.services.aid import ask_aid, decide_aid, set_envelope
from tests.cast import PDF, Cast, make_child, make_parcours
from tests.pre_cases.views.reach import queries_of, url


@pytest.fixture
def aid(cast: Cast) -> ExceptionalAid:
    return ask_aid(parcours=cast.ines_parcours, purpose="Une paire de lunettes", requested=Decimal(80), by=cast.benoit)


def fund(cast: Cast, amount: str) -> AidEnvelope:
    return set_envelope(team=cast.team_a, year=timezone.localdate().year, amount=Decimal(amount), by=cast.amina)


def granted(cast: Cast, aid: ExceptionalAid) -> ExceptionalAid:
    fund(cast, "100")
    return decide_aid(aid=aid, decision=AidDecision.GRANTED, granted=Decimal(45), reason="", by=cast.amina)


class TestAidRequest:
    def test_reads_an_amount_as_one_writes_it_in_french(self, cast: Cast, signed_in) -> None:
        typed = {"purpose": "Lunettes", "requested": "45,50"}
        assert signed_in(cast.benoit).post(url("aid_request", cast.ines_parcours.pk), typed).status_code == 302
        assert ExceptionalAid.objects.get().requested == Decimal("45.50")

    @pytest.mark.parametrize(
        ("amount", "sentence"),
        [("-3", "jamais négatif"), ("beaucoup", "Donnez un montant"), ("0", "supérieur à zéro"), ("1e9", "")],
    )
    def test_keeps_what_was_typed_beside_the_sentence(self, cast: Cast, signed_in, amount: str, sentence: str) -> None:
        typed = {"purpose": "Lunettes", "requested": amount}
        page = signed_in(cast.benoit).post(url("aid_request", cast.ines_parcours.pk), typed)
        assert page.status_code == 422
        assert sentence in " ".join(page.context["form"].errors["requested"])
        assert f'value="{amount}"' in page.content.decode()
        assert not ExceptionalAid.objects.exists()


class TestAidDecide:
    def test_says_what_is_left_of_the_envelope(self, cast: Cast, signed_in, aid: ExceptionalAid) -> None:
        client = signed_in(cast.amina)
        assert "n’est pas fixée" in client.get(url("aid_decide", aid.pk)).content.decode()
        fund(cast, "50")
        page = client.post(url("aid_decide", aid.pk), {"decision": "granted", "granted": "80"})
        assert page.status_code == 422
        assert "il reste 50,00" in " ".join(page.context["form"].errors["granted"])
        assert "<progress" in page.content.decode()

    def test_refuses_whatever_was_left_in_the_amount(self, cast: Cast, signed_in, aid: ExceptionalAid) -> None:
        typed = {"decision": "refused", "granted": "80", "reason": "La CAF le paie."}
        assert signed_in(cast.amina).post(url("aid_decide", aid.pk), typed).status_code == 302
        aid.refresh_from_db()
        assert (aid.decision, aid.granted) == ("refused", None)
        page = signed_in(cast.benoit).get(url("parcours_detail", cast.ines_parcours.pk)).content.decode()
        assert "La CAF le paie." in page

    def test_is_the_coordination_s(self, cast: Cast, signed_in, aid: ExceptionalAid) -> None:
        assert signed_in(cast.benoit).get(url("aid_decide", aid.pk)).status_code == 404


class TestAidPay:
    def test_keeps_the_receipt_among_the_documents(self, cast: Cast, signed_in, aid: ExceptionalAid) -> None:
        granted(cast, aid)
        typed: dict[str, Any] = {"on": timezone.localdate().isoformat()}
        typed["file"] = SimpleUploadedFile("facture.pdf", PDF, content_type="application/pdf")
        assert signed_in(cast.benoit).post(url("aid_pay", aid.pk), typed).status_code == 302
        aid.refresh_from_db()
        assert aid.receipt == Document.objects.get()
        assert aid.receipt.kind == "receipt"

    def test_may_come_before_the_receipt(self, cast: Cast, signed_in, aid: ExceptionalAid) -> None:
        granted(cast, aid)
        client = signed_in(cast.benoit)
        assert client.post(url("aid_pay", aid.pk), {"on": timezone.localdate().isoformat()}).status_code == 302
        assert "justificatif attendu" in client.get(url("parcours_detail", cast.ines_parcours.pk)).content.decode()

    def test_keeps_no_file_for_an_aid_that_is_not_granted(self, cast: Cast, signed_in, aid: ExceptionalAid) -> None:
        typed: dict[str, Any] = {"on": timezone.localdate().isoformat()}
        typed["file"] = SimpleUploadedFile("facture.pdf", PDF, content_type="application/pdf")
        assert signed_in(cast.benoit).post(url("aid_pay", aid.pk), typed).status_code == 422
        assert not Document.objects.exists()


class TestTeamFund:
    def test_sets_the_envelope_and_shows_what_is_granted_of_it(
        self, cast: Cast, signed_in, aid: ExceptionalAid
    ) -> None:
        client = signed_in(cast.amina)
        assert client.post(url("team_fund", "a"), {"amount": "1200"}).status_code == 302
        decide_aid(aid=aid, decision=AidDecision.GRANTED, granted=Decimal(45), reason="", by=cast.amina)
        page = client.get(url("team_fund", "a")).content.decode()
        assert re.search(r'<progress[^>]* value="45(\.00)?" max="1200(\.00)?"', page)

    def test_lists_what_waits_in_the_team_only(self, cast: Cast, signed_in, aid: ExceptionalAid) -> None:
        ask_aid(parcours=cast.tom_parcours, purpose="x", requested=Decimal(5), by=cast.chloe)
        page = signed_in(cast.amina).get(url("team_fund", "a"))
        assert page.context["page"].records == [aid]

    def test_costs_the_same_with_one_row_or_twenty_five(self, cast: Cast, signed_in, aid: ExceptionalAid) -> None:
        client = signed_in(cast.amina)
        client.get(url("team_fund", "a"))
        one = queries_of(client, url("team_fund", "a"))
        for number in range(24):
            parcours = make_parcours(cast.team_a, referent=cast.benoit, child=make_child(f"E{number}"))
            ask_aid(parcours=parcours, purpose="x", requested=Decimal(5), by=cast.benoit)
        assert queries_of(client, url("team_fund", "a")) == one
