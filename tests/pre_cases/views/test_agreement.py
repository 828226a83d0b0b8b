"""The pages of the agreement and of the opening: each step in its order, and nobody else's."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from pre_cases.models import Adult, Agreement, Parcours, Relation, Saisine
from pre_cases.services.family import NewAdult, add_adult
from pre_cases.services.parcours import OpeningRefused, open_parcours
from pre_cases.services.timeline import add_entry
from referents.models import Role
from tests.cast import Cast, make_agreement, make_child, make_saisine, make_stand_in, make_user
from tests.pre_cases.views.reach import assert_hidden, url

STEPS = ("agreement_present", "agreement_oral", "agreement_sign", "agreement_refuse", "parcours_open")


@pytest.fixture
def today() -> date:
    return timezone.localdate()


@pytest.fixture
def saisine(cast: Cast) -> Saisine:
    return make_saisine(make_child("Zoé", family_name="Petit"), cast.team_a, assignee=cast.benoit)


@pytest.fixture
def mother(saisine: Saisine) -> Adult:
    return saisine.child.adult_links.get().adult


@pytest.fixture
def father(cast: Cast, saisine: Saisine) -> Adult:
    facts = NewAdult(family_name="Petit", first_name="Karim", relation=Relation.FATHER, holds_authority=True)
    return add_adult(child=saisine.child, adult=facts, on=saisine.received_on, by=cast.benoit).adult


def answer(adult: Adult, kind: str, on: date | None = None, means: str = "", reason: str = "") -> dict[str, Any]:
    key = adult.pk.hex
    return {
        f"answer_{key}": kind,
        f"on_{key}": on.isoformat() if on else "",
        f"means_{key}": means,
        f"reason_{key}": reason,
    }


class TestEveryStep:
    @pytest.mark.parametrize("name", STEPS)
    def test_does_not_exist_for_who_does_not_follow_the_saisine(
        self, cast: Cast, signed_in, saisine: Saisine, name: str
    ) -> None:
        make_agreement(saisine)
        Saisine.objects.filter(pk=saisine.pk).update(assignee=None)
        for person in (cast.benoit, cast.chloe, cast.david, cast.esther):
            assert_hidden(signed_in(person), name, saisine.pk)

    @pytest.mark.parametrize("name", STEPS)
    def test_does_not_exist_once_the_parcours_is_open(self, cast: Cast, signed_in, name: str) -> None:
        assert_hidden(signed_in(cast.amina), name, cast.ines_parcours.saisine_id)

    @pytest.mark.parametrize("name", ["agreement_oral", "agreement_sign", "agreement_refuse"])
    def test_says_to_present_the_form_first(self, cast: Cast, signed_in, saisine: Saisine, name: str) -> None:
        client = signed_in(cast.benoit)
        for method in (client.get, client.post):
            page = method(url(name, saisine.pk), follow=True)
            assert "Présentez d’abord le formulaire" in page.content.decode()
        assert not saisine.agreements.exists()

    @pytest.mark.parametrize("name", STEPS)
    def test_writes_nothing_when_read(self, cast: Cast, signed_in, saisine: Saisine, name: str) -> None:
        agreement = make_agreement(saisine)
        history = agreement.history.count()
        assert signed_in(cast.benoit).get(url(name, saisine.pk)).status_code == 200
        assert agreement.history.count() == history
        assert not Parcours.objects.filter(saisine=saisine).exists()


class TestAgreementPresent:
    def data(self, today: date, **values: Any) -> dict[str, Any]:
        return {"on": today.isoformat(), "form_version": "2026-1", "covers_school": "on"} | values

    def test_records_the_presentation_and_its_scope(self, cast: Cast, signed_in, saisine: Saisine, today: date) -> None:
        response = signed_in(cast.benoit).post(url("agreement_present", saisine.pk), self.data(today))
        assert response.headers["Location"] == url("saisine_detail", saisine.pk)
        agreement = saisine.agreements.get()
        assert (agreement.presented_on, agreement.covers_school, agreement.covers_partners) == (today, True, False)

    def test_proposes_the_last_version_of_the_form(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        page = signed_in(cast.benoit).get(url("agreement_present", saisine.pk))
        assert page.context["form"]["form_version"].value() == cast.ines_parcours.agreement.form_version

    def test_keeps_what_was_typed(self, cast: Cast, signed_in, saisine: Saisine, today: date) -> None:
        data = self.data(today + timedelta(days=1), form_version="2031-9")
        page = signed_in(cast.benoit).post(url("agreement_present", saisine.pk), data)
        assert (page.status_code, "2031-9" in page.content.decode()) == (422, True)
        assert page.context["form"].errors["on"] == ["Cette date est dans le futur."]

    def test_tells_the_second_of_two_people(self, cast: Cast, signed_in, saisine: Saisine, today: date) -> None:
        signed_in(cast.benoit).post(url("agreement_present", saisine.pk), self.data(today))
        page = signed_in(cast.amina).post(url("agreement_present", saisine.pk), self.data(today))
        assert (page.status_code, "déjà présenté" in page.content.decode()) == (422, True)
        assert saisine.agreements.count() == 1


class TestAgreementOral:
    def test_is_written_down_as_still_to_be_signed(
        self, cast: Cast, signed_in, saisine: Saisine, mother: Adult, today: date
    ) -> None:
        agreement = make_agreement(saisine)
        data = {"on": today.isoformat(), "given_by": mother.pk}
        page = signed_in(cast.benoit).post(url("agreement_oral", saisine.pk), data, follow=True)
        assert "à confirmer par écrit" in page.content.decode()
        agreement.refresh_from_db()
        assert (agreement.oral_on, agreement.signed_on) == (today, None)

    def test_refuses_an_adult_of_another_child(self, cast: Cast, signed_in, saisine: Saisine, today: date) -> None:
        make_agreement(saisine)
        data = {"on": today.isoformat(), "given_by": cast.tom.adult_links.get().adult_id}
        page = signed_in(cast.benoit).post(url("agreement_oral", saisine.pk), data)
        assert (page.status_code, "given_by" in page.context["form"].errors) == (422, True)

    def test_says_to_add_a_holder_when_none_is_known(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        make_agreement(saisine)
        saisine.child.adult_links.update(holds_authority=False)
        text = signed_in(cast.benoit).get(url("agreement_oral", saisine.pk)).content.decode()
        assert url("adult_create", saisine.child_id) in text


class TestAgreementSign:
    def test_records_the_answer_of_each_holder(
        self, cast: Cast, signed_in, saisine: Saisine, mother: Adult, father: Adult, today: date
    ) -> None:
        agreement = make_agreement(saisine)
        data = answer(mother, "signed", today) | answer(father, "informed", today, means="phone")
        assert signed_in(cast.benoit).post(url("agreement_sign", saisine.pk), data).status_code == 302
        agreement.refresh_from_db()
        assert agreement.signed_on == today
        assert agreement.holders.get(adult=father).informed_means == "phone"

    @pytest.mark.parametrize(
        ("kind", "part", "sentence"),
        [
            ("informed", "means", "par quel moyen"),
            ("not_informed", "reason", "pourquoi"),
            ("objected", "on", "quel jour"),
            ("", "answer", "répondu"),
        ],
    )
    def test_says_beside_the_field_what_is_missing(
        self,
        cast: Cast,
        signed_in,
        saisine: Saisine,
        mother: Adult,
        father: Adult,
        today: date,
        kind: str,
        part: str,
        sentence: str,
    ) -> None:
        make_agreement(saisine)
        on = None if part == "on" else today
        page = signed_in(cast.benoit).post(
            url("agreement_sign", saisine.pk), answer(mother, "signed", today) | answer(father, kind, on)
        )
        assert page.status_code == 422
        assert sentence in page.context["form"].errors[f"{part}_{father.pk.hex}"][0]
        assert today.isoformat() in page.content.decode()

    def test_needs_one_signature(self, cast: Cast, signed_in, saisine: Saisine, mother: Adult, today: date) -> None:
        make_agreement(saisine)
        data = answer(mother, "informed", today, means="mail")
        page = signed_in(cast.benoit).post(url("agreement_sign", saisine.pk), data)
        assert (page.status_code, "Au moins un titulaire" in page.content.decode()) == (422, True)

    def test_leaves_an_objection_to_the_coordination(
        self, cast: Cast, signed_in, saisine: Saisine, mother: Adult, father: Adult, today: date
    ) -> None:
        make_agreement(saisine)
        client = signed_in(cast.benoit)
        client.post(
            url("agreement_sign", saisine.pk), answer(mother, "signed", today) | answer(father, "objected", today)
        )
        page = client.get(url("agreement_sign", saisine.pk), follow=True)
        assert "c’est à la coordination de trancher" in page.content.decode()
        assert not page.context["may_open"]
        settled = answer(mother, "signed", today) | answer(father, "signed", today)
        assert signed_in(cast.amina).post(url("agreement_sign", saisine.pk), settled).status_code == 302
        assert client.get(url("saisine_detail", saisine.pk)).context["may_open"]


class TestAgreementRefuse:
    def test_ends_the_agreement(self, cast: Cast, signed_in, saisine: Saisine, today: date) -> None:
        agreement = make_agreement(saisine)
        data = {"on": today.isoformat(), "reason": "Pas maintenant"}
        page = signed_in(cast.benoit).post(url("agreement_refuse", saisine.pk), data, follow=True)
        assert "Pas maintenant" in page.content.decode()
        assert Agreement.objects.get(pk=agreement.pk).refused_on == today

    def test_keeps_what_was_typed(self, cast: Cast, signed_in, saisine: Saisine) -> None:
        make_agreement(saisine)
        data = {"on": "2001-01-01", "reason": "Pas maintenant"}
        page = signed_in(cast.benoit).post(url("agreement_refuse", saisine.pk), data)
        assert (page.status_code, "Pas maintenant" in page.content.decode()) == (422, True)
        assert page.context["form"].errors["on"]


class TestParcoursOpen:
    def test_proposes_the_referent_who_opens(self, cast: Cast, signed_in, saisine: Saisine, today: date) -> None:
        make_agreement(saisine, signed_on=today)
        client = signed_in(cast.benoit)
        form = client.get(url("parcours_open", saisine.pk)).context["form"]
        assert (list(form.fields["referent"].queryset), form["referent"].value()) == ([cast.benoit], cast.benoit.pk)
        response = client.post(
            url("parcours_open", saisine.pk), {"on": today.isoformat(), "referent": cast.benoit.pk}, follow=True
        )
        parcours = Parcours.objects.get(saisine=saisine)
        assert response.redirect_chain == [(url("parcours_detail", parcours.pk), 302)]
        assert parcours.assignments.get().referent == cast.benoit

    def test_gives_the_parcours_to_who_instructed_it_when_a_stand_in_opens(
        self, cast: Cast, signed_in, saisine: Saisine, today: date
    ) -> None:
        make_agreement(saisine, signed_on=today)
        elsa = make_user("Elsa", Role.REFERENT, cast.team_a)
        make_stand_in(cast.benoit, elsa)
        client = signed_in(elsa)
        form = client.get(url("parcours_open", saisine.pk)).context["form"]
        assert list(form.fields["referent"].queryset) == [cast.benoit]
        with pytest.raises(OpeningRefused, match="revient à qui suit la saisine"):
            open_parcours(saisine=saisine, on=today, referent=elsa, by=elsa)

    def test_lets_a_referent_leave_the_choice_to_the_coordination(
        self, cast: Cast, signed_in, saisine: Saisine, today: date
    ) -> None:
        make_agreement(saisine, signed_on=today)
        data = {"on": today.isoformat(), "referent": ""}
        page = signed_in(cast.benoit).post(url("parcours_open", saisine.pk), data, follow=True)
        assert page.redirect_chain == [(url("saisine_list"), 302)]
        assert not Parcours.objects.get(saisine=saisine).assignments.exists()

    def test_carries_the_exchanges_into_the_parcours(
        self, cast: Cast, signed_in, saisine: Saisine, today: date
    ) -> None:
        make_agreement(saisine, signed_on=today)
        add_entry(saisine=saisine, kind="phone", on=today, with_whom="family", text="Un échange", by=cast.benoit)
        signed_in(cast.amina).post(
            url("parcours_open", saisine.pk), {"on": today.isoformat(), "referent": cast.benoit.pk}
        )
        assert Parcours.objects.get(saisine=saisine).entries.get().text == "Un échange"

    def test_says_what_comes_first(self, cast: Cast, signed_in, saisine: Saisine, today: date) -> None:
        client, data = signed_in(cast.benoit), {"on": today.isoformat(), "referent": ""}
        page = client.post(url("parcours_open", saisine.pk), data)
        assert (page.status_code, "Présentez d’abord le formulaire" in page.content.decode()) == (422, True)
        make_agreement(saisine)
        page = client.post(url("parcours_open", saisine.pk), data)
        assert (page.status_code, "n’a pas encore signé" in page.content.decode()) == (422, True)
        assert not Parcours.objects.filter(saisine=saisine).exists()

    def test_refuses_a_referent_who_is_not_offered(self, cast: Cast, signed_in, saisine: Saisine, today: date) -> None:
        make_agreement(saisine, signed_on=today)
        for person, referent in ((cast.benoit, cast.amina), (cast.amina, cast.chloe)):
            data = {"on": today.isoformat(), "referent": referent.pk}
            page = signed_in(person).post(url("parcours_open", saisine.pk), data)
            assert (page.status_code, "referent" in page.context["form"].errors) == (422, True)


class TestAgreementWithdraw:
    def test_ends_the_parcours_and_every_access(self, cast: Cast, signed_in, today: date) -> None:
        client, pk = signed_in(cast.benoit), cast.ines_parcours.pk
        data = {"on": today.isoformat(), "reason": ""}
        page = client.post(url("agreement_withdraw", pk), data, follow=True)
        assert "le parcours est clos" in page.content.decode()
        assert client.get(url("parcours_detail", pk)).status_code == 404
        assert signed_in(cast.david).get(url("parcours_detail", pk)).status_code == 404
        assert signed_in(cast.amina).get(url("parcours_detail", pk)).status_code == 200

    def test_keeps_what_was_typed(self, cast: Cast, signed_in) -> None:
        data = {"on": "2001-01-01", "reason": "Choix de la famille"}
        page = signed_in(cast.benoit).post(url("agreement_withdraw", cast.ines_parcours.pk), data)
        assert (page.status_code, "Choix de la famille" in page.content.decode()) == (422, True)

    def test_writes_nothing_when_read(self, cast: Cast, signed_in) -> None:
        assert signed_in(cast.benoit).get(url("agreement_withdraw", cast.ines_parcours.pk)).status_code == 200
        assert Parcours.objects.open().filter(pk=cast.ines_parcours.pk).exists()

    def test_does_not_exist_out_of_reach(self, cast: Cast, signed_in) -> None:
        for person in (cast.chloe, cast.david, cast.esther):
            assert_hidden(signed_in(person), "agreement_withdraw", cast.ines_parcours.pk)
