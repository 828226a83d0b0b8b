"""The child, the adults, the home and the class: dated facts that follow each other."""

from datetime import date, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from django.utils import timezone

from audit.journal.models import Event
from partners.models import School, Term
from partners.models.school import uai_letter
from pre_cases.models import Adult, ChildAdult, LivesWith, Relation, Residence, Schooling
from pre_cases.services.family import (
    AdultRefused,
    ChildRefused,
    NewAdult,
    ResidenceRefused,
    SchoolingRefused,
    add_adult,
    change_adult,
    change_child,
    confirm_schooling,
    is_unusual_age,
    record_residence,
    record_schooling,
)
from tests.cast import Cast, make_child, make_schooling


@pytest.fixture
def today() -> date:
    return timezone.localdate()


def level(code: str) -> Term:
    return Term.objects.get(pk=f"level:{code}")


def make_school(number: int = 750001, name: str = "École du Square") -> School:
    digits = f"{number:07d}"
    return School.objects.create(uai=digits + uai_letter(digits), name=name, city="Paris 18e Arrondissement")


class TestChangeChild:
    def test_corrects_the_child_and_keeps_the_former_version(self, cast: Cast) -> None:
        changed = change_child(
            child=cast.ines, first_name="Inès", family_name="Durand", birth_date=None, sex="", by=cast.benoit
        )
        changed.refresh_from_db()
        assert (changed.family_name, changed.birth_date, changed.sex) == ("Durand", None, "")
        assert [row.family_name for row in changed.history.order_by("history_id")] == ["Morel", "Durand"]
        assert changed.history.latest().history_user_id == cast.benoit.pk

    def test_leaves_its_event_in_the_journal(self, cast: Cast) -> None:
        change_child(child=cast.ines, first_name="I", family_name="M", birth_date=None, sex="", by=cast.benoit)
        event = Event.objects.filter(action="change", kind="pre_cases.child").get()
        assert event.record_ids == [str(cast.ines.pk)]

    @pytest.mark.parametrize("days", [1, -(22 * 366)])
    def test_refuses_a_birth_that_cannot_be(self, cast: Cast, today: date, days: int) -> None:
        with pytest.raises(ChildRefused, match="vérifiez") as refusal:
            change_child(
                child=cast.ines,
                first_name="I",
                family_name="M",
                birth_date=today + timedelta(days=days),
                sex="",
                by=cast.benoit,
            )
        assert refusal.value.field == "birth_date"


class TestIsUnusualAge:
    @pytest.mark.parametrize(("years", "unusual"), [(1, True), (2, False), (17, False), (18, True)])
    def test_is_true_outside_two_to_seventeen(self, today: date, years: int, unusual: bool) -> None:
        assert is_unusual_age(today - relativedelta(years=years), today) is unusual

    def test_is_false_without_a_birth_date(self, today: date) -> None:
        assert is_unusual_age(None, today) is False


class TestAddAdult:
    def test_writes_the_adult_under_the_family_and_the_link_under_the_child(self, cast: Cast, today: date) -> None:
        facts = NewAdult(family_name="Morel", first_name="Karim", relation=Relation.FATHER, holds_authority=True)
        link = add_adult(child=cast.ines, adult=facts, on=today, by=cast.benoit)
        assert link.data_key_id == cast.ines.data_key_id
        assert link.adult.data_key_id == cast.ines.family.data_key_id
        assert ChildAdult.objects.current().filter(child=cast.ines, holds_authority=True).count() == 2

    def test_asks_why_documents_are_withheld(self, cast: Cast, today: date) -> None:
        facts = NewAdult(family_name="Morel", relation=Relation.FATHER, may_receive_documents=False)
        with pytest.raises(AdultRefused, match="pourquoi") as refusal:
            add_adult(child=cast.ines, adult=facts, on=today, by=cast.benoit)
        assert refusal.value.field == "reason"
        assert Adult.objects.filter(family=cast.ines.family).count() == 1

    def test_refuses_the_future(self, cast: Cast, today: date) -> None:
        facts = NewAdult(family_name="Morel", relation=Relation.FATHER)
        with pytest.raises(AdultRefused, match="futur"):
            add_adult(child=cast.ines, adult=facts, on=today + timedelta(days=1), by=cast.benoit)


class TestChangeAdult:
    def facts(self, **values: object) -> NewAdult:
        defaults = {
            "first_name": "Nadia",
            "family_name": "Morel",
            "phone": "0100000000",
            "relation": Relation.MOTHER,
            "holds_authority": True,
        }
        return NewAdult(**(defaults | values))  # type: ignore[arg-type]

    def test_corrects_the_identity_without_a_new_link(self, cast: Cast, today: date) -> None:
        link = cast.ines.adult_links.get()
        change_adult(link=link, adult=self.facts(phone="0611223344"), on=today, by=cast.benoit)
        assert cast.ines.adult_links.get().adult.phone == "0611223344"

    def test_keeps_the_former_link_when_authority_changes(self, cast: Cast, today: date) -> None:
        link = cast.ines.adult_links.get()
        new = change_adult(link=link, adult=self.facts(holds_authority=False), on=today, by=cast.benoit)
        link.refresh_from_db()
        assert (link.ends_on, link.holds_authority) == (today, True)
        assert (new.starts_on, new.ends_on, new.holds_authority) == (today, None, False)

    def test_corrects_a_link_of_the_same_day(self, cast: Cast) -> None:
        link = cast.ines.adult_links.get()
        changed = change_adult(
            link=link, adult=self.facts(lives_with=LivesWith.ALTERNATING), on=link.starts_on, by=cast.benoit
        )
        assert changed.pk == link.pk
        assert cast.ines.adult_links.get().lives_with == LivesWith.ALTERNATING

    def test_tells_the_second_of_two_people(self, cast: Cast, today: date) -> None:
        link = cast.ines.adult_links.get()
        change_adult(link=link, adult=self.facts(holds_authority=False), on=today, by=cast.benoit)
        with pytest.raises(AdultRefused, match="entre-temps"):
            change_adult(link=link, adult=self.facts(relation=Relation.OTHER), on=today, by=cast.amina)

    def test_refuses_a_day_before_the_link(self, cast: Cast) -> None:
        link = cast.ines.adult_links.get()
        with pytest.raises(AdultRefused, match="depuis le"):
            change_adult(
                link=link,
                adult=self.facts(holds_authority=False),
                on=link.starts_on - timedelta(days=1),
                by=cast.benoit,
            )


class TestRecordResidence:
    def test_ends_the_former_one_that_day(self, cast: Cast, today: date) -> None:
        former = cast.ines.residences.get()
        new = record_residence(child=cast.ines, address="2 rue du Parc", starts_on=today, by=cast.benoit)
        former.refresh_from_db()
        assert (former.ends_on, new.starts_on, new.determined_on) == (today, today, None)
        assert cast.ines.residences.current().get() == new

    def test_corrects_the_one_that_begins_that_day(self, cast: Cast, today: date) -> None:
        former = cast.ines.residences.get()
        record_residence(
            child=cast.ines, address="2 rue du Parc", starts_on=former.starts_on, determined_on=today, by=cast.benoit
        )
        residence = cast.ines.residences.get()
        assert (residence.address, residence.qpv_code, residence.determined_on) == ("2 rue du Parc", "", today)

    @pytest.mark.parametrize(
        ("day", "generation"),
        [(date(2014, 12, 31), "zus"), (date(2015, 1, 1), "qpv2015"), (date(2024, 1, 1), "qpv2024")],
    )
    def test_dates_the_generation_of_the_neighbourhood(self, cast: Cast, day: date, generation: str) -> None:
        child = make_child("Zoé")
        residence = record_residence(
            child=child, address="x", starts_on=day, determined_on=day, qpv_code="QP075001", by=cast.benoit
        )
        assert residence.qpv_generation == generation

    def test_refuses_a_neighbourhood_without_a_day(self, cast: Cast, today: date) -> None:
        with pytest.raises(ResidenceRefused, match="à quelle date") as refusal:
            record_residence(child=cast.ines, address="x", starts_on=today, qpv_code="QN07501M", by=cast.benoit)
        assert refusal.value.field == "determined_on"

    def test_refuses_the_future_and_the_past_of_the_last_one(self, cast: Cast, today: date) -> None:
        with pytest.raises(ResidenceRefused, match="futur"):
            record_residence(child=cast.ines, address="x", starts_on=today + timedelta(days=1), by=cast.benoit)
        with pytest.raises(ResidenceRefused, match="déjà connue"):
            record_residence(child=cast.ines, address="x", starts_on=date(2013, 1, 1), by=cast.benoit)
        assert Residence.objects.filter(child=cast.ines).count() == 1


class TestRecordSchooling:
    def test_ends_the_former_class_and_lasts_to_the_end_of_the_school_year(self, cast: Cast, today: date) -> None:
        former = cast.ines.schoolings.get()
        new = record_schooling(
            child=cast.ines, level=level("cm1"), starts_on=today, school=make_school(), by=cast.benoit
        )
        former.refresh_from_db()
        assert former.ends_on == today
        assert (new.confirmed_on, new.ends_on) == (today, date(new.school_year + 1, 9, 1))
        assert cast.ines.schoolings.current().get() == new

    def test_corrects_the_class_that_begins_that_day(self, cast: Cast) -> None:
        former = cast.ines.schoolings.get()
        record_schooling(child=cast.ines, level=level("cm2"), starts_on=former.starts_on, in_ulis=True, by=cast.benoit)
        schooling = cast.ines.schoolings.get()
        assert (schooling.pk, schooling.level_id, schooling.in_ulis) == (former.pk, "level:cm2", True)

    def test_refuses_the_future_and_a_class_before_a_later_one(self, cast: Cast, today: date) -> None:
        child = make_child("Zoé")
        make_schooling(child, starts_on=today)
        with pytest.raises(SchoolingRefused, match="futur"):
            record_schooling(child=child, level=level("cm1"), starts_on=today + timedelta(days=1), by=cast.benoit)
        if today.month == 9 and today.day == 1:
            return
        with pytest.raises(SchoolingRefused, match="déjà connue"):
            record_schooling(child=child, level=level("cm1"), starts_on=today - timedelta(days=1), by=cast.benoit)
        assert child.schoolings.count() == 1


class TestConfirmSchooling:
    def test_dates_the_confirmation_once(self, cast: Cast, today: date) -> None:
        schooling = make_schooling(make_child("Zoé"), confirmed_on=None)
        confirm_schooling(schooling=schooling, by=cast.benoit)
        assert Schooling.objects.get(pk=schooling.pk).confirmed_on == today
        with pytest.raises(SchoolingRefused, match="déjà confirmée"):
            confirm_schooling(schooling=schooling, by=cast.amina)
