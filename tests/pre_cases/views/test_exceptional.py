"""The pages of the exceptional access: opening by a number, the list, the end and the review; and the DPO's home."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.journal.models import Event
from pre_cases.models import ExceptionalAccess
from pre_cases.services.exceptional import WRONG_NUMBERS_A_DAY
from pre_cases.services.preconditions import ParcoursIsClosed
from referents.models import Role, User
from tests.cast import Cast, make_child, make_exceptional_access, make_parcours, make_user
from tests.pre_cases.facts import sees
from tests.pre_cases.views.reach import assert_hidden, url
from tests.queries import queries_of

HOUR = timedelta(hours=1)


@pytest.fixture
def lise(cast: Cast) -> User:
    """The coordination of team B."""
    return make_user("Lise", Role.COORDINATOR, cast.team_b)


def typed(cast: Cast, **values: str) -> dict[str, str]:
    return {
        "number": cast.ines_parcours.number,
        "motive": "arrival",
        "reason": "La mère est dans nos locaux",
        **values,
    }


class TestExceptionalOpen:
    def test_opens_the_parcours_and_leads_to_it(self, cast: Cast, lise: User, signed_in) -> None:
        client = signed_in(lise)
        response = client.post(url("exceptional_open"), typed(cast))
        assert response["Location"] == url("parcours_detail", cast.ines_parcours.pk)
        page = client.get(response["Location"])
        assert page.status_code == 200
        assert "Inès" in page.content.decode()
        assert sees(lise, cast.ines_parcours)

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"number": ""}, "obligatoire"),
            ({"number": "0000-0000"}, "Aucun parcours ouvert ne porte ce numéro"),
            ({"number": "x" * 13}, "12"),
            ({"number": "7QK2\x00M4XD"}, "nul"),
            ({"motive": ""}, "Dites ce qui ne peut pas attendre."),
            ({"motive": "curiosity"}, "curiosity"),
            ({"reason": ""}, "obligatoire"),
            ({"reason": "  "}, "obligatoire"),
            ({"reason": "x" * 501}, "500"),
        ],
    )
    def test_keeps_what_was_typed_and_says_what_is_wrong(
        self, cast: Cast, lise: User, signed_in, values: dict[str, str], sentence: str
    ) -> None:
        sent = typed(cast, **values)
        response = signed_in(lise).post(url("exceptional_open"), sent)
        page = response.content.decode()
        assert response.status_code == 422
        assert sentence in page
        assert sent["reason"].strip() in page
        if "\x00" not in sent["number"]:
            assert sent["number"] in page
        assert not ExceptionalAccess.objects.exists()

    def test_journals_each_wrong_number_without_it_and_stops_at_five(self, cast: Cast, lise: User, signed_in) -> None:
        client = signed_in(lise)
        for _ in range(WRONG_NUMBERS_A_DAY):
            client.post(url("exceptional_open"), typed(cast, number="0000-0000"))
        events = Event.objects.filter(action="refusal", actor_id=lise.pk)
        assert events.count() == WRONG_NUMBERS_A_DAY
        assert all("0000" not in f"{event.record_ids}{event.detail}{event.purpose}" for event in events)
        response = client.post(url("exceptional_open"), typed(cast))
        assert response.status_code == 422
        assert "Trop de numéros inconnus" in response.content.decode()
        assert events.count() == WRONG_NUMBERS_A_DAY
        assert not ExceptionalAccess.objects.exists()

    def test_says_that_the_parcours_has_been_closed_meanwhile(
        self, cast: Cast, lise: User, signed_in, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def closed(parcours: object) -> None:
            raise ParcoursIsClosed("Le parcours est clos.")

        monkeypatch.setattr("pre_cases.services.exceptional.locked", closed)
        response = signed_in(lise).post(url("exceptional_open"), typed(cast))
        assert response.status_code == 422
        assert "Le parcours est clos." in response.content.decode()

    def test_stands_in_no_address(self, cast: Cast, lise: User, signed_in) -> None:
        """A number in the address of a page opens and shows nothing."""
        page = signed_in(lise).get(url("exceptional_open"), {"number": cast.ines_parcours.number})
        assert page.status_code == 200
        assert cast.ines_parcours.number not in page.content.decode()

    def test_is_for_coordinations(self, cast: Cast, signed_in) -> None:
        for person in (cast.benoit, cast.chloe, cast.david, cast.esther, cast.farid, cast.gaelle, cast.hugo):
            for method in ("get", "post"):
                response = getattr(signed_in(person), method)(url("exceptional_open"), typed(cast))
                assert response.status_code == 404
        assert not ExceptionalAccess.objects.exists()


class TestExceptionalList:
    def test_shows_who_why_and_when_and_no_child(self, cast: Cast, lise: User, signed_in) -> None:
        make_exceptional_access(cast.ines_parcours, lise)
        for person in (cast.amina, cast.gaelle):
            page = signed_in(person).get(url("exceptional_list")).content.decode()
            for shown in ("Lise Test", "La famille est dans nos locaux", cast.ines_parcours.number, "Y mettre fin"):
                assert shown in page, shown
            for hidden in ("Inès", "Morel", str(cast.ines_parcours.pk)):
                assert hidden not in page, hidden

    def test_shows_one_s_own_while_it_runs(self, cast: Cast, lise: User, signed_in) -> None:
        access = make_exceptional_access(cast.ines_parcours, lise)
        make_exceptional_access(
            make_parcours(cast.team_a, child=make_child("Zoé")), lise, granted_at=timezone.now() - 25 * HOUR
        )
        page = signed_in(lise).get(url("exceptional_list"))
        assert list(page.context["own"]) == [access]
        assert not page.context["page"].records
        assert "Zoé" not in page.content.decode()

    def test_shows_nothing_of_another_team(self, cast: Cast, lise: User, signed_in) -> None:
        rose = make_user("Rose", Role.COORDINATOR, cast.team_b)
        make_exceptional_access(cast.ines_parcours, lise)
        page = signed_in(rose).get(url("exceptional_list"))
        assert not page.context["page"].records
        assert "Lise" not in page.content.decode()

    def test_costs_the_same_with_one_row_or_twenty_five(self, cast: Cast, lise: User, signed_in) -> None:
        client = signed_in(cast.amina)
        make_exceptional_access(cast.ines_parcours, lise)
        one = queries_of(client, url("exceptional_list"))
        for number in range(24):
            parcours = make_parcours(cast.team_a, child=make_child(f"Enfant{number}"))
            make_exceptional_access(parcours, make_user(f"Rose{number}", Role.COORDINATOR, cast.team_b))
        assert len(queries_of(client, url("exceptional_list"))) == len(one)

    def test_costs_the_reader_the_same_with_one_row_or_twenty_five(self, cast: Cast, lise: User, signed_in) -> None:
        client = signed_in(lise)
        make_exceptional_access(cast.ines_parcours, lise)
        one = queries_of(client, url("exceptional_list"))
        for number in range(24):
            make_exceptional_access(make_parcours(cast.team_a, child=make_child(f"Enfant{number}")), lise)
        assert len(queries_of(client, url("exceptional_list"))) == len(one)


class TestExceptionalEnd:
    def test_closes_the_reading_at_the_next_request(self, cast: Cast, lise: User, signed_in) -> None:
        access = make_exceptional_access(cast.ines_parcours, lise)
        reader, detail = signed_in(lise), url("parcours_detail", cast.ines_parcours.pk)
        assert reader.get(detail).status_code == 200
        for person in (cast.amina, cast.gaelle, lise):
            response = signed_in(person).post(url("exceptional_end", access.pk), follow=True)
            assert "terminé" in response.content.decode()
        assert reader.get(detail).status_code == 404
        assert Event.objects.filter(action="revoke", kind="pre_cases.exceptionalaccess").count() == 1

    def test_answers_out_of_reach_like_nothing(self, cast: Cast, lise: User, signed_in) -> None:
        """Neither the référent nor another coordination of the reader's team."""
        access = make_exceptional_access(cast.ines_parcours, lise)
        rose = make_user("Rose", Role.COORDINATOR, cast.team_b)
        for person in (rose, cast.benoit, cast.chloe, cast.david, cast.esther, cast.farid, cast.hugo):
            assert_hidden(signed_in(person), "exceptional_end", access.pk, methods=("post",))
        assert sees(lise, cast.ines_parcours)


class TestExceptionalReview:
    def test_says_whether_it_was_justified(self, cast: Cast, lise: User, signed_in) -> None:
        access = make_exceptional_access(cast.ines_parcours, lise)
        client = signed_in(cast.gaelle)
        assert "La famille est dans nos locaux" in client.get(url("exceptional_review", access.pk)).content.decode()
        response = client.post(url("exceptional_review", access.pk), {"outcome": "justified", "note": "Vu"})
        assert response["Location"] == url("exceptional_list")
        reviewed = ExceptionalAccess.objects.get()
        assert (reviewed.outcome, reviewed.reviewed_by, reviewed.review_note) == ("justified", cast.gaelle, "Vu")
        assert_hidden(client, "exceptional_review", access.pk)

    @pytest.mark.parametrize(
        ("sent", "sentence"),
        [
            ({"outcome": "", "note": "Vu avec elle"}, "Choisissez une réponse."),
            ({"outcome": "unjustified", "note": ""}, "Dites pourquoi cet accès n’était pas justifié."),
            ({"outcome": "justified", "note": "x" * 501}, "500"),
        ],
    )
    def test_keeps_what_was_typed_and_says_what_is_wrong(
        self, cast: Cast, lise: User, signed_in, sent: dict[str, str], sentence: str
    ) -> None:
        access = make_exceptional_access(cast.ines_parcours, lise)
        response = signed_in(cast.amina).post(url("exceptional_review", access.pk), sent)
        assert response.status_code == 422
        assert sentence in response.content.decode()
        assert sent["note"] in response.content.decode()
        assert ExceptionalAccess.objects.to_review().exists()

    def test_answers_out_of_reach_like_nothing(self, cast: Cast, lise: User, signed_in) -> None:
        """Nor does Lise review her own."""
        access = make_exceptional_access(cast.ines_parcours, lise)
        for person in (lise, cast.benoit, cast.chloe, cast.david, cast.esther, cast.farid, cast.hugo):
            assert_hidden(signed_in(person), "exceptional_review", access.pk)


class TestProtection:
    def test_shows_what_waits_for_a_review_oldest_first(self, cast: Cast, lise: User, signed_in) -> None:
        recent = make_exceptional_access(cast.ines_parcours, lise)
        old = make_exceptional_access(
            make_parcours(cast.team_a, child=make_child("Zoé")), lise, granted_at=timezone.now() - 30 * HOUR
        )
        make_exceptional_access(
            make_parcours(cast.team_a, child=make_child("Malo")),
            lise,
            outcome="justified",
            reviewed_at=timezone.now(),
            reviewed_by=cast.amina,
        )
        page = signed_in(cast.gaelle).get(url("protection"))
        assert list(page.context["page"]) == [old, recent]
        for hidden in ("Inès", "Zoé", "Morel", str(cast.ines_parcours.pk)):
            assert hidden not in page.content.decode()

    def test_counts_a_week_of_the_journal_as_its_list_does(self, cast: Cast, signed_in) -> None:
        signed_in(cast.david).get(url("exceptional_list"))  # a refusal
        client = signed_in(cast.gaelle)
        tiles = client.get(url("protection")).context["week"]
        assert [tile["label"] for tile in tiles] == [
            "Accès refusés",
            "Droits accordés",
            "Téléchargements",
            "Seconds facteurs réinitialisés",
            "Effacements",
        ]
        assert tiles[0]["count"] == Event.objects.filter(action="refusal").count() == 1
        for tile in tiles:
            page = client.get(str(tile["url"]))
            assert page.status_code == 200
            assert len(page.context["page"].records) == tile["count"]

    def test_is_for_the_data_protection_officer(self, cast: Cast, lise: User, signed_in) -> None:
        for person in (lise, *(p for p in cast if p not in (cast.gaelle, cast.yann))):
            assert signed_in(person).get(url("protection")).status_code == 404
        assert signed_in(cast.yann).get(url("protection"))["Location"] == reverse("no_access")

    def test_costs_the_same_with_one_row_or_twenty_five(self, cast: Cast, lise: User, signed_in) -> None:
        client = signed_in(cast.gaelle)
        make_exceptional_access(cast.ines_parcours, lise)
        one = queries_of(client, url("protection"))
        for number in range(24):
            make_exceptional_access(make_parcours(cast.team_a, child=make_child(f"Enfant{number}")), lise)
        assert len(queries_of(client, url("protection"))) == len(one)
