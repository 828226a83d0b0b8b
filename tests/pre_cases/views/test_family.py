"""The pages of the child, the adults, the home and the class."""

from datetime import date
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.utils import timezone

from partners.models import School
from partners.models.school import uai_letter
from pre_cases.models import Adult, Child, Schooling
from referents.models import Role
from tests.cast import Cast, make_child, make_saisine, make_schooling, make_user
from tests.pre_cases.views.reach import assert_hidden, url

PAGES = ("child_change", "adult_create", "residence_record", "schooling_record")


@pytest.fixture
def today() -> date:
    return timezone.localdate()


class TestEveryPage:
    @pytest.mark.parametrize("name", PAGES)
    def test_does_not_exist_out_of_reach(self, cast: Cast, signed_in, name: str) -> None:
        for person in (cast.chloe, cast.david, cast.esther, cast.farid, cast.hugo):
            assert_hidden(signed_in(person), name, cast.ines.pk)

    @pytest.mark.parametrize("name", PAGES)
    def test_shows_the_banner_of_the_parcours_and_writes_nothing(self, cast: Cast, signed_in, name: str) -> None:
        page = signed_in(cast.benoit).get(url(name, cast.ines.pk))
        assert (page.status_code, 'class="banner' in page.content.decode()) == (200, True)
        assert cast.ines.history.count() == 1

    @pytest.mark.parametrize("name", PAGES)
    def test_serves_a_child_who_only_has_a_saisine(self, cast: Cast, signed_in, name: str) -> None:
        child = make_child("Zoé")
        saisine = make_saisine(child, cast.team_a)
        text = signed_in(cast.benoit).get(url(name, child.pk)).content.decode()
        assert url("saisine_detail", saisine.pk) in text


class TestAnotherSaisine:
    @pytest.mark.parametrize("name", PAGES)
    def test_gives_no_writing_about_a_child_whom_a_colleague_follows(self, cast: Cast, signed_in, name: str) -> None:
        colleague = make_user("Denis", Role.REFERENT, cast.team_a)
        saisine = make_saisine(cast.ines, cast.team_a, assignee=colleague)
        assert_hidden(signed_in(colleague), name, cast.ines.pk)
        page = signed_in(colleague).get(url("saisine_detail", saisine.pk))
        assert url(name, cast.ines.pk) not in page.content.decode()


class TestChildChange:
    def data(self, **values: Any) -> dict[str, Any]:
        return {"first_name": "Inès", "family_name": "Durand", "birth_date": "", "sex": ""} | values

    def test_corrects_the_child(self, cast: Cast, signed_in) -> None:
        response = signed_in(cast.benoit).post(url("child_change", cast.ines.pk), self.data())
        assert response.headers["Location"] == url("parcours_detail", cast.ines_parcours.pk)
        assert Child.objects.get(pk=cast.ines.pk).family_name == "Durand"

    def test_proposes_what_is_known(self, cast: Cast, signed_in) -> None:
        text = signed_in(cast.benoit).get(url("child_change", cast.ines.pk)).content.decode()
        assert cast.ines.birth_date.isoformat() in text

    @pytest.mark.parametrize(
        ("values", "field"),
        [({"first_name": ""}, "first_name"), ({"birth_date": "31/02/2020"}, "birth_date"), ({"sex": "x"}, "sex")],
    )
    def test_keeps_what_was_typed(self, cast: Cast, signed_in, values: dict, field: str) -> None:
        page = signed_in(cast.benoit).post(url("child_change", cast.ines.pk), self.data(**values))
        assert (page.status_code, "Durand" in page.content.decode()) == (422, True)
        assert field in page.context["form"].errors
        assert Child.objects.get(pk=cast.ines.pk).family_name == "Morel"

    def test_says_beside_the_field_that_nobody_is_born_tomorrow(self, cast: Cast, signed_in, today: date) -> None:
        data = self.data(birth_date=(today + relativedelta(days=1)).isoformat())
        page = signed_in(cast.benoit).post(url("child_change", cast.ines.pk), data)
        assert (page.status_code, list(page.context["form"].errors)) == (422, ["birth_date"])


class TestAdultCreate:
    def data(self, today: date, **values: Any) -> dict[str, Any]:
        return {
            "first_name": "Karim",
            "family_name": "Morel",
            "relation": "father",
            "lives_with": "alternating",
            "may_be_contacted": "on",
            "may_receive_documents": "on",
            "on": today.isoformat(),
        } | values

    def test_adds_an_adult(self, cast: Cast, signed_in, today: date) -> None:
        data = self.data(today, holds_authority="on")
        assert signed_in(cast.benoit).post(url("adult_create", cast.ines.pk), data).status_code == 302
        assert cast.ines.adult_links.filter(relation="father", holds_authority=True).count() == 1

    def test_changes_the_one_named_in_the_address(self, cast: Cast, signed_in, today: date) -> None:
        link = cast.ines.adult_links.get()
        client, address = signed_in(cast.benoit), f"{url('adult_create', cast.ines.pk)}?lien={link.pk}"
        assert "Nadia" in client.get(address).content.decode()
        data = self.data(today, first_name="Nadia", relation="mother", phone="06 11 22 33 44")
        assert client.post(address, data).status_code == 302
        assert Adult.objects.get(pk=link.adult_id).phone == "06 11 22 33 44"
        assert not cast.ines.adult_links.current().get().holds_authority

    def test_knows_no_adult_of_another_child(self, cast: Cast, signed_in, today: date) -> None:
        other = cast.tom.adult_links.get()
        for asked in (other.pk, "x", ""):
            address = f"{url('adult_create', cast.ines.pk)}?lien={asked}"
            assert signed_in(cast.benoit).get(address).status_code == 404
            assert signed_in(cast.benoit).post(address, self.data(today)).status_code == 404

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"relation": ""}, "relation"),
            ({"phone": "le soir"}, "phone"),
            ({"email": "karim"}, "email"),
            ({"may_receive_documents": ""}, "reason"),
            ({"on": "2999-01-01"}, "on"),
        ],
    )
    def test_keeps_what_was_typed(self, cast: Cast, signed_in, today: date, values: dict, field: str) -> None:
        page = signed_in(cast.benoit).post(url("adult_create", cast.ines.pk), self.data(today, **values))
        assert (page.status_code, "Karim" in page.content.decode()) == (422, True)
        assert list(page.context["form"].errors) == [field]
        assert cast.ines.adult_links.count() == 1


class TestResidenceRecord:
    def data(self, today: date, **values: Any) -> dict[str, Any]:
        return {"address": "2 rue du Parc", "starts_on": today.isoformat(), "qpv": "unknown"} | values

    def test_records_a_move_and_what_was_found(self, cast: Cast, signed_in, today: date) -> None:
        data = self.data(today, qpv="inside", qpv_code="qn07501m", determined_on=today.isoformat())
        assert signed_in(cast.benoit).post(url("residence_record", cast.ines.pk), data).status_code == 302
        residence = cast.ines.residences.current().get()
        assert (residence.qpv_code, residence.determined_on) == ("QN07501M", today)

    def test_tells_outside_from_not_looked_up(self, cast: Cast, signed_in, today: date) -> None:
        client, address = signed_in(cast.benoit), url("residence_record", cast.ines.pk)
        client.post(address, self.data(today, qpv="outside", determined_on=today.isoformat()))
        assert cast.ines.residences.current().get().determined_on == today
        client.post(address, self.data(today, qpv="unknown", determined_on=today.isoformat(), qpv_code="QP075001"))
        residence = cast.ines.residences.current().get()
        assert (residence.determined_on, residence.qpv_code) == (None, "")

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"address": ""}, "address"),
            ({"qpv": "inside", "determined_on": "2024-01-01"}, "qpv_code"),
            ({"qpv": "inside", "qpv_code": "Goutte d’Or", "determined_on": "2024-01-01"}, "qpv_code"),
            ({"qpv": "outside"}, "determined_on"),
            ({"starts_on": "2001-01-01"}, "starts_on"),
            ({"qpv": "outside", "determined_on": "2999-01-01"}, "determined_on"),
        ],
    )
    def test_keeps_what_was_typed(self, cast: Cast, signed_in, today: date, values: dict, field: str) -> None:
        page = signed_in(cast.benoit).post(url("residence_record", cast.ines.pk), self.data(today, **values))
        if "address" not in values:
            assert "2 rue du Parc" in page.content.decode()
        assert (page.status_code, list(page.context["form"].errors)) == (422, [field])
        assert cast.ines.residences.count() == 1


class TestSchoolingRecord:
    def test_records_the_class_and_the_school_found(self, cast: Cast, signed_in, today: date) -> None:
        school = School.objects.create(uai="0750001" + uai_letter("0750001"), name="École du Square", city="Paris")
        data = {"school_text": school.uai.lower(), "level": "level:cm1", "starts_on": today.isoformat()}
        assert signed_in(cast.benoit).post(url("schooling_record", cast.ines.pk), data).status_code == 302
        schooling = cast.ines.schoolings.current().get()
        assert (schooling.school, schooling.level_id, schooling.confirmed_on) == (school, "level:cm1", today)

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"level": "level:elementaire"}, "level"),
            ({"level": "sign:absences"}, "level"),
            ({"school_text": "Introuvable"}, "school_text"),
            ({"starts_on": "2999-01-01"}, "starts_on"),
        ],
    )
    def test_keeps_what_was_typed(self, cast: Cast, signed_in, today: date, values: dict, field: str) -> None:
        data = {"school_text": "", "level": "level:cm1", "starts_on": today.isoformat()} | values
        page = signed_in(cast.benoit).post(url("schooling_record", cast.ines.pk), data)
        assert (page.status_code, list(page.context["form"].errors)) == (422, [field])
        assert cast.ines.schoolings.count() == 1


class TestSchoolingConfirm:
    def test_asks_then_confirms(self, cast: Cast, signed_in, today: date) -> None:
        child = make_child("Zoé")
        make_saisine(child, cast.team_a)
        schooling = make_schooling(child, confirmed_on=None)
        client, address = signed_in(cast.benoit), url("schooling_confirm", schooling.pk)
        assert client.get(address).status_code == 200
        assert Schooling.objects.get(pk=schooling.pk).confirmed_on is None
        assert client.post(address).status_code == 302
        assert Schooling.objects.get(pk=schooling.pk).confirmed_on == today

    def test_tells_the_second_of_two_people(self, cast: Cast, signed_in) -> None:
        schooling = cast.ines.schoolings.get()
        page = signed_in(cast.benoit).post(url("schooling_confirm", schooling.pk), follow=True)
        assert "déjà confirmée" in page.content.decode()

    def test_does_not_exist_out_of_reach(self, cast: Cast, signed_in) -> None:
        for person in (cast.chloe, cast.david, cast.esther):
            assert_hidden(signed_in(person), "schooling_confirm", cast.ines.schoolings.get().pk)
