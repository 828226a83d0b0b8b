"""The EPRE: two sessions at once, foreign situations, names on a sheet, decisions and what follows from them."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.encryption.keys import load_keys_of, own_key_ring
from audit.history import acting_as, system_account
from audit.services import Refused
from partners.models import Term
from pre_cases.models import (
    AgreementHolder,
    EpreItem,
    EpreParticipant,
    EpreSession,
    EpreState,
    Parcours,
    ParcoursStage,
    Task,
)
from pre_cases.querysets.parcours import ParcoursFlag
from pre_cases.services.agreement import withdraw_agreement
from pre_cases.services.assignment import assign_referent
from pre_cases.services.epre_agenda import move_up, put_on_agenda, remove_from_agenda, write_sheet
from pre_cases.services.epre_decision import NextStep, complete_follow_up, decide_item, tell_family
from pre_cases.services.epre_session import (
    cancel_session,
    close_minutes,
    hold_session,
    invite,
    move_session,
    plan_session,
    uninvite,
)
from pre_cases.services.parcours import close_parcours
from referents.models import Role, User
from tests.cast import Cast, make_child, make_item, make_parcours, make_session, make_user

DAY = timedelta(days=1)
HOURS: dict[str, Any] = {"starts_at": time(14), "ends_at": time(16), "place": "Centre Binet"}


def today() -> date:
    return timezone.localdate()


def again(item: EpreItem) -> EpreItem:
    found = EpreItem.objects.select_related("session", "parcours", "task").get(pk=item.pk)
    load_keys_of(found)
    return found


def as_read(user: User) -> User:
    return User.objects.get(pk=user.pk)


@pytest.fixture
def evaluated(cast: Cast) -> Parcours:
    """Benoît's, in evaluation, its key loaded."""
    parcours = make_parcours(cast.team_a, child=make_child("Lina"), referent=cast.benoit, entered_on=None)
    load_keys_of(parcours)
    return parcours


@pytest.fixture
def session(cast: Cast) -> EpreSession:
    """Held today: decisions may be written down."""
    return make_session(cast.team_a, cast.david, on=today())


@pytest.fixture
def item(evaluated: Parcours, session: EpreSession) -> EpreItem:
    return make_item(session, evaluated)


class TestPlanSession:
    def plan(self, cast: Cast, **values: Any) -> EpreSession:
        return plan_session(team=cast.team_a, by=cast.amina, **HOURS | {"on": today() + 9 * DAY} | values)

    @pytest.mark.parametrize(("starts", "ends"), [((14, 0), (16, 0)), ((15, 59), (17, 0)), ((13, 0), (14, 1))])
    def test_refuses_two_at_once(self, cast: Cast, starts: tuple[int, int], ends: tuple[int, int]) -> None:
        self.plan(cast)
        with pytest.raises(Refused, match="déjà une séance à ces heures") as refused:
            self.plan(cast, starts_at=time(*starts), ends_at=time(*ends))
        assert refused.value.field == "on"

    def test_takes_one_after_the_other_and_the_hours_of_a_cancelled_one(self, cast: Cast) -> None:
        first = self.plan(cast)
        self.plan(cast, starts_at=time(16), ends_at=time(17))
        cancel_session(session=first, by=cast.amina)
        assert self.plan(cast).state == EpreState.PLANNED

    def test_refuses_to_end_before_it_begins(self, cast: Cast) -> None:
        with pytest.raises(Refused, match="se termine après avoir commencé"):
            self.plan(cast, ends_at=time(14))
        with pytest.raises(IntegrityError), transaction.atomic(), acting_as(system_account()):
            EpreSession.objects.create(
                team=cast.team_a, on=today(), created_by=cast.amina, **HOURS | {"ends_at": time(9)}
            )

    def test_invites_again_those_who_are_still_of_the_team(self, cast: Cast) -> None:
        former = make_session(cast.team_a, cast.david, cast.yann)
        invite(session=former, name="Dr Hamel", institution="PMI", by=cast.amina)
        made = self.plan(cast, invite_again=True)
        assert set(made.participants.values_list("name", flat=True)) == {"David Test", "Dr Hamel"}

    def test_is_not_moved_upon_another_one(self, cast: Cast) -> None:
        self.plan(cast)
        other = self.plan(cast, on=today() + 10 * DAY)
        with pytest.raises(Refused, match="déjà une séance"):
            move_session(session=other, by=cast.amina, on=today() + 9 * DAY, **HOURS)
        assert move_session(session=other, by=cast.amina, on=other.on, **HOURS | {"place": "Mairie"}).place == "Mairie"


class TestCancelSession:
    def test_frees_a_written_sheet_in_a_request_of_its_own(self, cast: Cast) -> None:
        session = make_session(cast.team_a)
        put_on_agenda(session=session, parcours=cast.ines_parcours, question="Quel appui ?", by=cast.amina)
        with own_key_ring():
            cancel_session(session=session, by=cast.amina)
        assert not EpreItem.objects.there().exists()


class TestInvite:
    def test_refuses_somebody_twice(self, cast: Cast, session: EpreSession) -> None:
        with pytest.raises(Refused, match="déjà invitée"):
            invite(session=session, user=cast.david, by=cast.amina)
        invite(session=session, name="Dr Hamel", institution="PMI", by=cast.amina)
        with pytest.raises(Refused, match="déjà invitée"):
            invite(session=session, name="dr hamel", institution="pmi", by=cast.amina)
        with pytest.raises(IntegrityError), transaction.atomic(), acting_as(system_account()):
            EpreParticipant.objects.create(session=session, user=cast.david, name="x", institution="y")

    def test_refuses_an_account_of_another_team_and_nobody(self, cast: Cast, session: EpreSession) -> None:
        with pytest.raises(Refused, match="ne fait pas partie de l’équipe"):
            invite(session=session, user=cast.chloe, by=cast.amina)
        with pytest.raises(Refused, match="son nom et son institution"):
            invite(session=session, name="Dr Hamel", by=cast.amina)

    def test_is_taken_back_before_the_session_only(self, cast: Cast, session: EpreSession) -> None:
        participant = session.participants.get()
        hold_session(session=session, attended={participant.pk: True}, charters={}, by=cast.amina)
        with pytest.raises(Refused, match="ne perd personne"):
            uninvite(participant=participant, by=cast.amina)


class TestPutOnAgenda:
    def test_puts_the_parcours_at_the_stage_of_the_epre(self, cast: Cast, evaluated: Parcours) -> None:
        put_on_agenda(session=make_session(cast.team_a), parcours=evaluated, question="Que faire ?", by=cast.benoit)
        read = Parcours.objects.with_stage().get(pk=evaluated.pk)
        assert read.stage is ParcoursStage.EPRE
        assert Parcours.objects.with_stage(today() - DAY).get(pk=evaluated.pk).stage is ParcoursStage.DIAGNOSIS

    def test_refuses_the_session_of_another_team_and_a_past_one(self, cast: Cast, evaluated: Parcours) -> None:
        with pytest.raises(Refused, match="une autre équipe"):
            put_on_agenda(session=make_session(cast.team_b), parcours=evaluated, by=cast.benoit)
        with pytest.raises(Refused, match="passée"):
            put_on_agenda(session=make_session(cast.team_a, on=today() - DAY), parcours=evaluated, by=cast.benoit)

    def test_refuses_a_situation_twice(self, cast: Cast, evaluated: Parcours, item: EpreItem) -> None:
        with pytest.raises(Refused, match="déjà à l’ordre du jour"):
            put_on_agenda(session=make_session(cast.team_a), parcours=evaluated, by=cast.benoit)
        with pytest.raises(IntegrityError), transaction.atomic():
            make_item(make_session(cast.team_a), evaluated)

    def test_refuses_without_an_agreement_in_force(self, cast: Cast, evaluated: Parcours) -> None:
        agreement = evaluated.agreement
        for change in ({"agreed_until_on": today()}, {"withdrawn_on": today()}):
            with transaction.atomic(), acting_as(system_account()):
                for name, value in change.items():
                    setattr(agreement, name, value)
                agreement.save()
                with pytest.raises(Refused, match="accord"):
                    put_on_agenda(session=make_session(cast.team_a), parcours=evaluated, by=cast.benoit)

    @pytest.mark.parametrize(
        "text", ["Lina dort mal.", "LINA", "La mère, Nadia, travaille tard.", "la famille morel", "Tiago la garde"]
    )
    def test_refuses_a_name_and_says_which(self, cast: Cast, evaluated: Parcours, text: str) -> None:
        make_child("Tiago", family=evaluated.child.family)
        with pytest.raises(Refused, match="reste anonyme : enlevez") as refused:
            put_on_agenda(session=make_session(cast.team_a), parcours=evaluated, tried=text, by=cast.benoit)
        assert refused.value.field == "tried"

    def test_refuses_the_day_of_birth(self, cast: Cast, evaluated: Parcours) -> None:
        born = evaluated.child.birth_date
        assert born is not None
        for written in (f"{born:%d/%m/%Y}", born.isoformat()):
            with pytest.raises(Refused, match="reste anonyme"):
                put_on_agenda(
                    session=make_session(cast.team_a), parcours=evaluated, question=f"Né le {written}", by=cast.benoit
                )


class TestAgenda:
    def test_is_put_in_another_order(self, cast: Cast, session: EpreSession, item: EpreItem) -> None:
        second = make_item(session, cast.ines_parcours)
        load_keys_of(cast.ines_parcours)
        move_up(item=again(second), by=cast.amina)
        assert [again(second).number, again(item).number] == [1, 2]
        with pytest.raises(Refused, match="déjà la première"):
            move_up(item=again(second), by=cast.amina)

    def test_held_loses_no_situation(self, cast: Cast, session: EpreSession, item: EpreItem) -> None:
        participant = session.participants.get()
        hold_session(session=session, attended={participant.pk: True}, charters={}, by=cast.amina)
        for refused in (remove_from_agenda, move_up):
            with pytest.raises(Refused, match="tenue"):
                refused(item=again(item), by=cast.amina)
        with pytest.raises(Refused, match="ne s’annule plus"):
            cancel_session(session=session, by=cast.amina)

    def test_cancelled_frees_its_situations(self, cast: Cast, session: EpreSession, item: EpreItem) -> None:
        cancel_session(session=session, by=cast.amina)
        assert again(item).removal == "cancelled"
        parcours = again(item).parcours
        assert put_on_agenda(session=make_session(cast.team_a), parcours=parcours, by=cast.benoit).number == 1

    def test_is_left_the_day_the_parcours_ends_or_the_agreement_is_withdrawn(
        self, cast: Cast, session: EpreSession, item: EpreItem
    ) -> None:
        without = Term.objects.get(pk="exit_reason:sans-entree")
        close_parcours(parcours=again(item).parcours, on=today(), reason=without, by=cast.amina)
        assert again(item).removal == "closed"
        other = make_item(session, cast.ines_parcours)
        withdraw_agreement(parcours=cast.ines_parcours, on=today(), by=cast.benoit)
        assert again(other).removal == "agreement"

    def test_is_left_at_once_when_a_holder_objects(self, cast: Cast, session: EpreSession, item: EpreItem) -> None:
        assert EpreItem.objects.opened_to(as_read(cast.david)).get() == item
        holder = AgreementHolder.objects.get(agreement=item.parcours.agreement_id)
        with acting_as(system_account()):
            holder.signed_on, holder.objected_on = None, today()
            holder.save()
        assert not EpreItem.objects.there().exists()
        assert not EpreItem.objects.opened_to(as_read(cast.david)).exists()

    def test_is_left_when_the_parcours_changes_of_team(self, cast: Cast, item: EpreItem) -> None:
        parcours = again(item).parcours
        with acting_as(system_account()):
            parcours.team = cast.team_b
            parcours.save()
        assert not EpreItem.objects.there().exists()
        assert not EpreItem.objects.decidable_by(as_read(cast.amina)).exists()

    def test_passes_to_the_new_referent_with_the_parcours(self, cast: Cast, item: EpreItem) -> None:
        malik = make_user("Malik", Role.REFERENT, cast.team_a)
        assign_referent(parcours=again(item).parcours, referent=malik, by=cast.amina)
        assert not EpreItem.objects.editable_by(as_read(cast.benoit)).exists()
        assert EpreItem.objects.editable_by(as_read(malik)).get() == item

    def test_keeps_the_sheet_that_is_written(self, cast: Cast, item: EpreItem) -> None:
        write_sheet(item=item, by=cast.benoit, purpose="advice", question="Quel lieu ?", resources="", tried="Un essai")
        written = again(item)
        assert (written.purpose, written.question, written.tried) == ("advice", "Quel lieu ?", "Un essai")


class TestDecideItem:
    def test_refuses_before_the_day_of_the_session(self, cast: Cast, evaluated: Parcours) -> None:
        early = make_item(make_session(cast.team_a, on=today() + DAY), evaluated)
        with pytest.raises(Refused, match="futur"):
            decide_item(item=early, decision="entry", by=cast.amina)
        assert again(early).decision == ""

    def test_begins_the_parcours_on_the_day_of_the_session(self, cast: Cast, evaluated: Parcours) -> None:
        item = make_item(make_session(cast.team_a, on=today() - 2 * DAY), evaluated)
        decide_item(item=item, decision="entry", by=cast.amina)
        read = Parcours.objects.with_stage().get(pk=evaluated.pk)
        assert (read.entered_on, read.stage) == (today() - 2 * DAY, ParcoursStage.RUNNING)
        with pytest.raises(Refused, match="n’est plus à l’ordre du jour"):
            decide_item(item=item, decision="adjourned", by=cast.amina)

    def test_ratifies_an_urgent_entry_once(self, cast: Cast, session: EpreSession) -> None:
        parcours = make_parcours(cast.team_a, child=make_child("Tom"), referent=cast.benoit)
        with acting_as(system_account()):
            parcours.saisine.is_urgent = True
            parcours.saisine.save()
        load_keys_of(parcours)
        assert Parcours.objects.flagged(ParcoursFlag.TO_RATIFY).get() == parcours
        decide_item(item=make_item(session, parcours), decision="entry", by=cast.amina)
        assert Parcours.objects.get(pk=parcours.pk).entered_on == parcours.entered_on
        assert not Parcours.objects.flagged(ParcoursFlag.TO_RATIFY).exists()

    def test_refuses_a_second_entry_that_is_no_ratification(self, cast: Cast, session: EpreSession) -> None:
        load_keys_of(cast.ines_parcours)
        item = make_item(session, cast.ines_parcours)
        with pytest.raises(Refused, match="déjà décidée"):
            decide_item(item=item, decision="entry", by=cast.amina)

    def test_puts_an_adjourned_situation_on_the_agenda_named(self, cast: Cast, item: EpreItem) -> None:
        later = make_session(cast.team_a, on=today() + 20 * DAY)
        for wrong in (None, item.session, make_session(cast.team_b), make_session(cast.team_a, on=today() - DAY)):
            with pytest.raises(Refused, match="séance"):
                decide_item(item=item, decision="adjourned", adjourned_to=wrong, by=cast.amina)
        decide_item(item=item, decision="adjourned", adjourned_to=later, by=cast.amina)
        moved = later.items.get()
        load_keys_of(moved)
        assert (moved.question, moved.decision) == (item.question, "")

    def test_extends_the_agreement_by_a_renewal_only(self, cast: Cast, session: EpreSession) -> None:
        load_keys_of(cast.ines_parcours)
        until = cast.ines_parcours.agreement.agreed_until_on
        assert until is not None
        item = make_item(session, cast.ines_parcours, purpose="renewal")
        for wrong in (None, until, until + relativedelta(months=12, days=1)):
            with pytest.raises(Refused):
                decide_item(item=item, decision="renewal", renewed_until_on=wrong, by=cast.amina)
        decide_item(item=item, decision="renewal", renewed_until_on=until + relativedelta(months=6), by=cast.amina)
        read = Parcours.objects.select_related("agreement").get(pk=cast.ines_parcours.pk)
        assert read.agreement.agreed_until_on == until + relativedelta(months=6)

    @pytest.mark.parametrize("decision", ["redirected", "no_follow_up", "advice"])
    def test_asks_why(self, cast: Cast, item: EpreItem, decision: str) -> None:
        with pytest.raises(Refused, match="Dites pourquoi"):
            decide_item(item=item, decision=decision, by=cast.amina)
        decide_item(item=item, decision=decision, reason="Un suivi existe déjà.", by=cast.amina)
        assert Parcours.objects.get(pk=item.parcours_id).closed_on is None

    def test_refuses_a_name_in_what_the_minutes_say(self, cast: Cast, item: EpreItem) -> None:
        with pytest.raises(Refused, match="reste anonyme"):
            decide_item(item=item, decision="advice", reason="Lina ira au centre", by=cast.amina)
        follow_up = NextStep("Appeler Nadia", today() + DAY, user=cast.benoit)
        with pytest.raises(Refused, match="reste anonyme"):
            decide_item(item=item, decision="entry", follow_up=follow_up, by=cast.amina)
        assert not Task.objects.exists()
        assert Parcours.objects.get(pk=item.parcours_id).entered_on is None

    def test_entrusts_a_follow_up_to_an_account_or_to_a_name(self, cast: Cast, item: EpreItem) -> None:
        david = item.session.participants.get()
        follow_up = NextStep("Écrire au médecin scolaire", today() + 7 * DAY, participant=david)
        decide_item(item=item, decision="entry", follow_up=follow_up, by=cast.amina)
        given = EpreItem.objects.entrusted_to(as_read(cast.david)).get()
        assert given == item
        complete_follow_up(item=again(given), by=cast.david)
        assert not EpreItem.objects.entrusted_to(as_read(cast.david)).exists()

    def test_refuses_a_follow_up_by_a_member_of_another_session(self, cast: Cast, item: EpreItem) -> None:
        stranger = make_session(cast.team_b, cast.chloe).participants.get()
        with pytest.raises(Refused, match="pas de la séance"):
            decide_item(
                item=item, decision="entry", follow_up=NextStep("x", today() + DAY, participant=stranger), by=cast.amina
            )
        assert again(item).decision == ""

    def test_says_when_the_family_was_told(self, cast: Cast, item: EpreItem) -> None:
        with pytest.raises(Refused, match="pas encore décidé"):
            tell_family(item=item, on=today(), by=cast.benoit)
        decide_item(item=item, decision="entry", by=cast.amina)
        for wrong in (today() + DAY, today() - DAY):
            with pytest.raises(Refused):
                tell_family(item=item, on=wrong, by=cast.benoit)
        assert tell_family(item=item, on=today(), by=cast.benoit).family_told_on == today()


class TestCloseMinutes:
    def test_waits_for_the_presence_the_charters_and_the_decisions(
        self, cast: Cast, session: EpreSession, item: EpreItem
    ) -> None:
        paper = invite(session=session, name="Dr Hamel", institution="PMI", by=cast.amina)
        david = session.participants.get(user=cast.david)
        with pytest.raises(Refused, match="qui était présent"):
            close_minutes(session=session, by=cast.amina)
        attended = {david.pk: True, paper.pk: True}
        with pytest.raises(Refused, match="sans personne"):
            hold_session(session=session, attended={}, charters={}, by=cast.amina)
        with pytest.raises(Refused, match="futur"):
            hold_session(session=session, attended=attended, charters={paper.pk: today() + DAY}, by=cast.amina)
        hold_session(session=session, attended=attended, charters={}, by=cast.amina)
        with pytest.raises(Refused, match="attend encore sa décision"):
            close_minutes(session=session, by=cast.amina)
        decide_item(item=item, decision="entry", by=cast.amina)
        with pytest.raises(Refused, match="n’a pas signé la charte"):
            close_minutes(session=session, by=cast.amina)
        hold_session(session=session, attended=attended, charters={paper.pk: today()}, by=cast.amina)
        close_minutes(session=session, by=cast.amina)
        with pytest.raises(Refused, match="clos"):
            invite(session=session, name="Mme Roy", institution="École", by=cast.amina)

    def test_is_not_of_a_session_to_come(self, cast: Cast) -> None:
        later = make_session(cast.team_a, cast.david)
        attended = {later.participants.get().pk: True}
        with pytest.raises(Refused, match="futur"):
            hold_session(session=later, attended=attended, charters={}, by=cast.amina)
