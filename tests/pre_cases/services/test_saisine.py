"""A request reaches a team, somebody follows it, and it may end without a parcours."""

from datetime import date, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from django.utils import timezone

from audit.encryption.keystore.models import DataKey
from audit.journal.models import Event
from partners.models import Term
from pre_cases.models import Child, ChildAdult, Family, Relation, Saisine, SaisineOutcome, SaisineStage
from pre_cases.services.family import AdultRefused, ChildRefused, KnownAdult, NewAdult
from pre_cases.services.saisine import (
    AssigneeRefused,
    NewChild,
    OutcomeRefused,
    SaisineRefused,
    assign_saisine,
    decide_outcome,
    receive_saisine,
    record_told,
)
from pre_cases.services.timeline import SaisineIsOver
from referents.models import Role
from tests.cast import Cast, make_agreement, make_child, make_saisine, make_user


@pytest.fixture
def today() -> date:
    return timezone.localdate()


def term(pk: str) -> Term:
    return Term.objects.get(pk=pk)


def receive(cast: Cast, **values):
    defaults = {
        "team": cast.team_a,
        "received_on": timezone.localdate(),
        "source": term("source:college"),
        "signs": [],
        "by": cast.benoit,
    }
    return receive_saisine(**(defaults | values))


def new_child(**values) -> NewChild:
    defaults = {
        "first_name": "Zoé",
        "family_name": "Petit",
        "birth_date": timezone.localdate() - relativedelta(years=8),
        "sex": "girl",
        "level": term("level:ce2"),
        "address": "1 rue du Parc",
        "adults": [NewAdult(family_name="Petit", relation=Relation.MOTHER, holds_authority=True)],
    }
    return NewChild(**(defaults | values))


class TestReceiveSaisine:
    def test_writes_the_child_and_everything_around(self, cast: Cast, today: date) -> None:
        signs = [term("sign:absences"), term("sign:isolement")]
        saisine = receive(cast, new_child=new_child(), signs=signs, main_sign=signs[1], situation="Des faits.")
        child = Saisine.objects.get(pk=saisine.pk).child
        assert (child.first_name, saisine.situation, saisine.author) == ("Zoé", "Des faits.", cast.benoit)
        assert saisine.data_key_id == child.data_key_id != child.family.data_key_id
        assert child.adult_links.get().adult.data_key_id == child.family.data_key_id
        schooling = child.schoolings.get()
        assert (schooling.starts_on, schooling.confirmed_on, schooling.level_id) == (today, today, "level:ce2")
        residence = child.residences.get()
        assert (residence.address, residence.determined_on) == ("1 rue du Parc", None)
        assert {(row.sign_id, row.is_main) for row in saisine.signs.all()} == {
            ("sign:absences", False),
            ("sign:isolement", True),
        }
        assert Saisine.objects.with_stage().get(pk=saisine.pk).stage is SaisineStage.RECEIVED

    def test_leaves_its_event_in_the_journal(self, cast: Cast) -> None:
        saisine = receive(cast, new_child=new_child())
        event = Event.objects.filter(action="create", kind="pre_cases.saisine").get()
        assert (event.record_ids, event.actor_id) == ([str(saisine.pk)], cast.benoit.pk)

    def test_makes_no_schooling_nor_residence_when_nothing_is_typed(self, cast: Cast) -> None:
        saisine = receive(cast, new_child=new_child(level=None, address=" ", adults=[]))
        assert not saisine.child.schoolings.exists()
        assert not saisine.child.residences.exists()

    def test_puts_a_sibling_in_the_same_family(self, cast: Cast) -> None:
        mother = cast.ines.adult_links.get().adult
        known = [KnownAdult(adult=mother, relation=Relation.MOTHER, holds_authority=True)]
        saisine = receive(cast, new_child=new_child(family=cast.ines.family, adults=[], known_adults=known))
        assert saisine.child.family == cast.ines.family
        assert saisine.child.data_key_id != cast.ines.data_key_id
        assert saisine.child.adult_links.get().adult == mother

    def test_refuses_an_adult_of_another_family(self, cast: Cast) -> None:
        stranger = cast.tom.adult_links.get().adult
        known = [KnownAdult(adult=stranger, relation=Relation.MOTHER)]
        with pytest.raises(AdultRefused):
            receive(cast, new_child=new_child(family=cast.ines.family, known_adults=known))
        assert ChildAdult.objects.filter(adult=stranger).count() == 1

    def test_writes_nothing_when_a_rule_refuses(self, cast: Cast, today: date) -> None:
        children, families = Child.objects.count(), Family.objects.count()
        bad = NewAdult(family_name="Petit", relation=Relation.MOTHER, may_be_contacted=False)
        with pytest.raises(AdultRefused):
            receive(cast, new_child=new_child(adults=[bad]))
        assert (Child.objects.count(), Family.objects.count()) == (children, families)

    def test_makes_its_keys_before_the_rows(self, cast: Cast) -> None:
        saisine = receive(cast, new_child=new_child())
        ids = {saisine.child.data_key_id, saisine.child.family.data_key_id}
        assert set(DataKey.objects.filter(key_id__in=ids).values_list("key_id", flat=True)) == ids

    def test_refuses_the_future(self, cast: Cast, today: date) -> None:
        with pytest.raises(SaisineRefused, match="futur") as refusal:
            receive(cast, new_child=new_child(), received_on=today + timedelta(days=1))
        assert refusal.value.field == "received_on"

    def test_refuses_a_birth_after_the_receipt_or_too_long_ago(self, cast: Cast, today: date) -> None:
        for birth_date in (today, today - relativedelta(years=23)):
            with pytest.raises(ChildRefused, match="vérifiez") as refusal:
                receive(cast, new_child=new_child(birth_date=birth_date), received_on=today - timedelta(days=1))
            assert refusal.value.field == "birth_date"

    def test_accepts_an_unusual_age(self, cast: Cast, today: date) -> None:
        assert receive(cast, new_child=new_child(birth_date=today - relativedelta(years=18)))

    def test_refuses_a_main_sign_that_is_not_ticked(self, cast: Cast) -> None:
        with pytest.raises(SaisineRefused, match="parmi les signes"):
            receive(cast, new_child=new_child(), signs=[], main_sign=term("sign:absences"))

    def test_records_another_one_about_a_known_child(self, cast: Cast) -> None:
        saisine = receive(cast, child=cast.ines)
        assert saisine.child == cast.ines
        assert cast.ines.saisines.count() == 2


class TestAssignSaisine:
    def test_lets_a_referent_take_one_that_nobody_follows(self, cast: Cast) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        assert assign_saisine(saisine=saisine, assignee=cast.benoit, by=cast.benoit).assignee == cast.benoit

    def test_tells_the_second_of_two_people(self, cast: Cast) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        other = make_user("Omar", Role.REFERENT, cast.team_a)
        assign_saisine(saisine=saisine, assignee=other, by=other)
        with pytest.raises(AssigneeRefused, match="suit déjà"):
            assign_saisine(saisine=saisine, assignee=cast.benoit, by=cast.benoit)
        assert Saisine.objects.get(pk=saisine.pk).assignee == other

    def test_lets_only_the_coordination_hand_it_over(self, cast: Cast) -> None:
        other = make_user("Omar", Role.REFERENT, cast.team_a)
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        with pytest.raises(AssigneeRefused, match="coordination"):
            assign_saisine(saisine=saisine, assignee=other, by=cast.benoit)
        assign_saisine(saisine=saisine, assignee=cast.benoit, by=cast.amina)
        assert assign_saisine(saisine=saisine, assignee=other, by=cast.amina).assignee == other

    def test_refuses_somebody_of_another_team(self, cast: Cast) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        for stranger in (cast.chloe, cast.yann, cast.david):
            with pytest.raises(AssigneeRefused, match="équipe"):
                assign_saisine(saisine=saisine, assignee=stranger, by=cast.amina)

    def test_refuses_one_that_became_a_parcours(self, cast: Cast) -> None:
        with pytest.raises(SaisineIsOver):
            assign_saisine(saisine=cast.ines_parcours.saisine, assignee=cast.benoit, by=cast.amina)


class TestDecideOutcome:
    def decide(self, cast: Cast, saisine: Saisine, **values) -> Saisine:
        defaults = {
            "outcome": SaisineOutcome.NO_FOLLOW_UP,
            "on": timezone.localdate(),
            "reason": "La famille a trouvé une solution.",
            "by": cast.amina,
        }
        return decide_outcome(saisine=saisine, **(defaults | values))

    def test_ends_the_saisine_with_its_author_reason_and_days(self, cast: Cast, today: date) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        self.decide(
            cast, saisine, outcome=SaisineOutcome.REDIRECTED, redirected_to="Centre social", family_told_on=today
        )
        ended = Saisine.objects.with_stage().get(pk=saisine.pk)
        assert ended.stage is SaisineStage.REDIRECTED
        assert (ended.outcome_by, ended.outcome_on, ended.redirected_to) == (cast.amina, today, "Centre social")
        assert (ended.family_told_on, ended.requester_told_on) == (today, None)

    def test_asks_where_the_family_is_redirected_and_why(self, cast: Cast) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        with pytest.raises(OutcomeRefused, match="vers qui") as refusal:
            self.decide(cast, saisine, outcome=SaisineOutcome.REDIRECTED)
        assert refusal.value.field == "redirected_to"
        with pytest.raises(OutcomeRefused, match="pourquoi"):
            self.decide(cast, saisine, reason=" ")

    def test_only_attaches_one_about_a_child_already_followed(self, cast: Cast) -> None:
        saisine = make_saisine(cast.ines, cast.team_a)
        for outcome in (SaisineOutcome.NO_FOLLOW_UP, SaisineOutcome.REDIRECTED):
            with pytest.raises(OutcomeRefused, match="rattachée"):
                self.decide(cast, saisine, outcome=outcome, redirected_to="x")
        self.decide(cast, saisine, outcome=SaisineOutcome.ATTACHED)
        assert Saisine.objects.with_stage().get(pk=saisine.pk).stage is SaisineStage.ATTACHED

    def test_attaches_nothing_without_an_open_parcours(self, cast: Cast) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        with pytest.raises(OutcomeRefused, match="Aucun parcours"):
            self.decide(cast, saisine, outcome=SaisineOutcome.ATTACHED)

    @pytest.mark.parametrize("name", ["on", "family_told_on", "requester_told_on"])
    def test_refuses_the_future_and_days_before_the_receipt(self, cast: Cast, today: date, name: str) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a, received_on=today - timedelta(days=2))
        for day in (today + timedelta(days=1), today - timedelta(days=3)):
            with pytest.raises(OutcomeRefused) as refusal:
                self.decide(cast, saisine, **{name: day})
            assert refusal.value.field == name

    def test_happens_once(self, cast: Cast) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        self.decide(cast, saisine)
        with pytest.raises(SaisineIsOver, match="terminée"):
            self.decide(cast, saisine)

    def test_refuses_one_that_became_a_parcours(self, cast: Cast) -> None:
        with pytest.raises(SaisineIsOver, match="parcours est ouvert"):
            self.decide(cast, cast.ines_parcours.saisine)

    def test_ends_one_whose_agreement_is_refused(self, cast: Cast, today: date) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        make_agreement(saisine, refused_on=today)
        assert self.decide(cast, saisine).outcome == SaisineOutcome.NO_FOLLOW_UP


class TestRecordTold:
    def test_dates_what_is_learned_after_the_end(self, cast: Cast, today: date) -> None:
        saisine = make_saisine(
            make_child("Zoé"), cast.team_a, outcome="no_follow_up", outcome_on=today, outcome_by=cast.amina
        )
        record_told(saisine=saisine, family_told_on=today, requester_told_on=None, by=cast.amina)
        assert Saisine.objects.get(pk=saisine.pk).family_told_on == today

    def test_comes_after_the_decision(self, cast: Cast, today: date) -> None:
        saisine = make_saisine(make_child("Zoé"), cast.team_a)
        with pytest.raises(OutcomeRefused, match="Décidez"):
            record_told(saisine=saisine, family_told_on=today, requester_told_on=None, by=cast.amina)
