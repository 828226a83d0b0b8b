"""The services walked at random: whatever is asked, in whatever order, the rules of the domain never break.

A service may refuse; it may neither fail nor leave something false behind. The suite plays some hundred steps, always
the same; ``make campaign-walk`` plays ten thousand others, and more with ``MARELLE_WALK_STEPS``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, ClassVar

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from audit.services import Refused
from partners.models import Term
from pre_cases.models import (
    Action,
    Agreement,
    AgreementHolder,
    AidDecision,
    AidEnvelope,
    Assignment,
    ChildAdult,
    Enrolment,
    Entry,
    ExceptionalAid,
    Objective,
    ObjectiveResult,
    Parcours,
    ParcoursShare,
    ParcoursStage,
    Review,
    Saisine,
    SaisineOutcome,
    Suspension,
)
from pre_cases.services.access import revoke_share, share_parcours
from pre_cases.services.agreement import (
    HolderAnswer,
    holders_of,
    present_agreement,
    record_oral_agreement,
    refuse_agreement,
    sign_agreement,
    withdraw_agreement,
)
from pre_cases.services.aid import ask_aid, decide_aid, set_envelope
from pre_cases.services.assignment import assign_referent
from pre_cases.services.dates import wrong_dates
from pre_cases.services.evaluation import note_need
from pre_cases.services.family import NewAdult
from pre_cases.services.objection import record_objection, settle_objection
from pre_cases.services.parcours import close_parcours, decide_entry, open_parcours, reopen_parcours
from pre_cases.services.partnership import end_enrolment, enrol_child
from pre_cases.services.reminders import remind_team
from pre_cases.services.review import record_review, write_bilan
from pre_cases.services.saisine import NewChild, decide_outcome, receive_saisine
from pre_cases.services.saisine_content import SaisineContent, ask_completion, change_saisine
from pre_cases.services.support import add_action, add_objective, end_action, record_result
from pre_cases.services.suspension import resume_parcours, suspend_parcours
from pre_cases.services.timeline import add_entry, add_task
from referents.models import Role, User
from tests.cast import Cast, make_user

IN_THE_SUITE, A_WALK = 300, 50  # steps
WANTED = int(os.environ.get("MARELLE_WALK_STEPS", "0"))
WRITTEN_ON = (Parcours, Assignment, Objective, Entry, Review, Enrolment, ParcoursShare, Suspension, ExceptionalAid)

which = st.integers(0, 50)  # the row that is meant, among those there are
ago = st.sampled_from([0, 0, 0, 1, 2, 5, 20, -1])  # days before today; one of them is tomorrow
yes = st.booleans()
answers_of_two = st.lists(st.sampled_from(["signed", "signed", "informed", "no", "objected"]), min_size=2, max_size=2)
amounts = st.sampled_from(["-1", "0", "9.99", "80", "300"])


def on(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


class Walk(RuleBasedStateMachine):
    """One team at work on the children that it is told of, from day to day."""

    cast: ClassVar[Cast]
    colleague: ClassVar[User]
    steps: ClassVar[int] = 0
    done: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [transaction.atomic(using=alias) for alias in ("default", "keys")]
        for block in self.blocks:
            block._from_testcase = True  # type: ignore[attr-defined]  # a key is committed apart, as within any test
            block.__enter__()
        self.clock = time_machine.travel(timezone.now(), tick=False)
        self.traveller = self.clock.start()
        self.closed: dict[Any, int] = {}  # how many versions a parcours had when it was closed
        self.opposed: dict[Any, tuple[int, ...]] = {}  # how much was new when a holder objected
        self.terms = {term.pk: term for term in Term.objects.all()}
        self.refusals: set[str] = set()

    def teardown(self) -> None:
        assert all(sentence.strip().endswith(".") for sentence in self.refusals), self.refusals
        assert not Parcours.objects.in_team(self.cast.team_a.pk).visible_to(self.cast.chloe).exists(), "another team"
        self.clock.stop()
        for alias, block in zip(("keys", "default"), reversed(self.blocks), strict=True):
            transaction.set_rollback(True, using=alias)
            block.__exit__(None, None, None)

    # -- asking -------------------------------------------------------------------------------------------------------

    def ask(self, service: Callable[..., Any], **values: Any) -> Any:
        """What the service answers, None when it refuses with a sentence."""
        type(self).steps += 1
        try:
            answer = service(**values)
        except Refused as refusal:
            self.refusals.add(str(refusal))
            return None
        type(self).done += 1
        return answer or True

    def one(self, rows: Any, number: int) -> Any:
        """The row meant; None when there is none, and then nothing is asked."""
        found = list(rows.order_by("pk"))
        return found[number % len(found)] if found else None

    def parcours(self, number: int) -> Any:
        """An open one most of the time; a closed one must refuse everything."""
        rows = Parcours.objects.closed() if number > 45 else Parcours.objects.open()
        return self.one(rows.select_related("agreement"), number)

    # -- a day, a saisine, an agreement -------------------------------------------------------------------------------

    @rule(days=st.sampled_from([1, 1, 3, 10, 40]))
    def wait(self, days: int) -> None:
        self.traveller.shift(timedelta(days=days))
        type(self).steps += 1

    @rule(days=ago, adults=st.integers(0, 2), is_draft=yes, urgent=yes)
    def receive(self, days: int, adults: int, is_draft: bool, urgent: bool) -> None:
        people = [
            NewAdult(family_name=f"Parent{number}", relation=relation, holds_authority=True)
            for number, relation in zip(range(adults), ("mother", "father"), strict=False)
        ]
        child = NewChild("Enfant", "Tiré", birth_date=on(3650), sex="boy", adults=people)
        self.ask(
            receive_saisine,
            team=self.cast.team_a,
            received_on=on(days),
            source=self.terms["source:college"],
            signs=[self.terms["sign:absences"]],
            new_child=child,
            is_urgent=urgent,
            is_draft=is_draft and not adults,
            by=self.cast.benoit,
        )

    @rule(number=which, days=ago)
    def receive_again(self, number: int, days: int) -> None:
        saisine = self.one(Saisine.objects.select_related("child"), number)
        if saisine is not None:
            self.ask(
                receive_saisine,
                team=self.cast.team_a,
                received_on=on(days),
                source=self.terms["source:caf"],
                signs=[],
                child=saisine.child,
                by=self.cast.amina,
            )

    @rule(number=which, submit=yes, lacking=yes)
    def rewrite(self, number: int, submit: bool, lacking: bool) -> None:
        saisine = self.one(Saisine.objects.all(), number)
        if saisine is None:
            return
        if lacking:
            self.ask(ask_completion, saisine=saisine, needed="La classe.", by=self.cast.benoit)
            return
        content = SaisineContent(saisine.received_on, saisine.source, [self.terms["sign:resultats"]])
        self.ask(change_saisine, saisine=saisine, content=content, submit=submit, by=self.cast.benoit)

    @rule(number=which, days=ago)
    def present(self, number: int, days: int) -> None:
        saisine = self.one(Saisine.objects.all(), number)
        if saisine is not None:
            scope = {"covers_school": True, "covers_partners": bool(number % 4)}
            self.ask(
                present_agreement, saisine=saisine, on=on(days), form_version="2026-1", by=self.cast.benoit, **scope
            )

    @rule(number=which, days=ago)
    def agree_aloud(self, number: int, days: int) -> None:
        agreement = self.one(Agreement.objects.select_related("saisine"), number)
        links = holders_of(agreement) if agreement else []
        if links:
            given_by = links[number % len(links)].adult
            self.ask(record_oral_agreement, agreement=agreement, on=on(days), given_by=given_by, by=self.cast.benoit)

    @rule(number=which, days=ago, answers=answers_of_two)
    def sign(self, number: int, days: int, answers: list[str]) -> None:
        agreement = self.one(Agreement.objects.select_related("saisine"), number)
        if agreement is None:
            return
        kinds: dict[str, dict[str, Any]] = {
            "signed": {"signed_on": on(days)},
            "informed": {"informed_on": on(days), "informed_means": "phone"},
            "no": {"not_informed_reason": "Adresse inconnue."},
            "objected": {"objected_on": on(days)},
        }
        holders = [
            HolderAnswer(link.adult, **kinds[answer])
            for link, answer in zip(holders_of(agreement), answers, strict=False)
        ]
        self.ask(sign_agreement, agreement=agreement, on=on(days), holders=holders, by=self.cast.benoit)

    @rule(number=which, days=ago)
    def say_no(self, number: int, days: int) -> None:
        agreement = self.one(Agreement.objects.select_related("saisine"), number)
        if agreement is not None and number % 3 == 0:
            self.ask(refuse_agreement, agreement=agreement, on=on(days), by=self.cast.benoit)

    @rule(number=which, days=ago, outcome=st.sampled_from(SaisineOutcome))
    def decide(self, number: int, days: int, outcome: SaisineOutcome) -> None:
        saisine = self.one(Saisine.objects.all(), number)
        if saisine is not None and number % 3 == 0:
            reason = {"reason": "Un autre service suit déjà.", "redirected_to": "Le centre social"}
            self.ask(decide_outcome, saisine=saisine, outcome=outcome, on=on(days), by=self.cast.amina, **reason)

    # -- a parcours ---------------------------------------------------------------------------------------------------

    @rule(number=which, days=ago, with_referent=yes)
    def open(self, number: int, days: int, with_referent: bool) -> None:
        ready = Saisine.objects.filter(agreements__signed_on__isnull=False).distinct()
        saisine = self.one(ready, number)
        if saisine is not None:
            referent = self.cast.benoit if with_referent else None
            self.ask(open_parcours, saisine=saisine, on=on(days), referent=referent, by=self.cast.amina)

    @rule(number=which, days=ago, first=yes)
    def assign(self, number: int, days: int, first: bool) -> None:
        parcours = self.parcours(number)
        if parcours is not None:
            referent = self.cast.benoit if first else self.colleague
            self.ask(assign_referent, parcours=parcours, referent=referent, on=on(days), by=self.cast.amina)

    @rule(number=which, days=ago)
    def enter(self, number: int, days: int) -> None:
        parcours = self.parcours(number)
        if parcours is not None:
            self.ask(decide_entry, parcours=parcours, on=on(days), by=self.cast.amina)

    @rule(number=which, days=ago, what=st.sampled_from(["need", "objective", "entry", "task", "review"]))
    def write(self, number: int, days: int, what: str) -> None:
        parcours, benoit = self.parcours(number), self.cast.benoit
        if parcours is None:
            return
        place = {"domain": self.terms["domain:educatif"], "priority": self.terms["priority:sante"]}
        if what == "need":
            self.ask(note_need, parcours=parcours, text="x", noted_on=on(days), by=benoit, **place)
        elif what == "objective":
            self.ask(add_objective, parcours=parcours, text="x", set_on=on(days), by=benoit, **place)
        elif what == "entry":
            said = {"kind": "phone", "with_whom": "family", "text": "x"}
            self.ask(add_entry, parcours=parcours, on=on(days), by=benoit, **said)
        elif what == "task":
            self.ask(add_task, parcours=parcours, assignee=benoit, label="x", due_on=on(-days), by=benoit)
        else:
            there = {"family_present": True, "child_present": False}
            self.ask(record_review, parcours=parcours, on=on(days), text="x", by=benoit, **there)

    @rule(number=which, days=ago, ends=yes)
    def act(self, number: int, days: int, ends: bool) -> None:
        if ends:
            action = self.one(Action.objects.select_related("objective__parcours"), number)
            if action is not None:
                self.ask(end_action, action=action, on=on(days), by=self.cast.benoit)
            return
        objective = self.one(Objective.objects.select_related("parcours"), number)
        if objective is not None:
            kind = {"domain": self.terms["domain:educatif"], "mode": "individual", "nature": "pre"}
            self.ask(add_action, objective=objective, label="x", starts_on=on(days), by=self.cast.benoit, **kind)

    @rule(number=which, days=ago, result=st.sampled_from(ObjectiveResult))
    def conclude(self, number: int, days: int, result: ObjectiveResult) -> None:
        objective = self.one(Objective.objects.select_related("parcours"), number)
        if objective is not None:
            self.ask(record_result, objective=objective, result=result, on=on(days), by=self.cast.benoit)

    @rule(number=which, days=ago, all_of_them=yes)
    def sum_up(self, number: int, days: int, all_of_them: bool) -> None:
        parcours = self.parcours(number)
        if parcours is None:
            return
        objectives = Objective.objects.filter(parcours=parcours).values_list("pk", flat=True)
        results = dict.fromkeys(objectives, ObjectiveResult.REACHED) if all_of_them else {}
        reason = self.terms["exit_reason:objectifs-atteints"]
        self.ask(
            write_bilan, parcours=parcours, on=on(days), text="x", exit_reason=reason, results=results,
            by=self.cast.benoit,
        )  # fmt: skip

    @rule(number=which, days=ago, reason=st.sampled_from(["objectifs-atteints", "contact-perdu", "sans-entree"]))
    def close(self, number: int, days: int, reason: str) -> None:
        parcours = self.parcours(number)
        if parcours is not None:
            exit_reason = self.terms[f"exit_reason:{reason}"]
            self.ask(close_parcours, parcours=parcours, on=on(days), reason=exit_reason, by=self.cast.amina)

    @rule(number=which)
    def reopen(self, number: int) -> None:
        parcours = self.one(Parcours.objects.closed(), number)
        if parcours is not None and self.ask(reopen_parcours, parcours=parcours, reason="x", by=self.cast.amina):
            self.closed.pop(parcours.pk, None)

    @rule(number=which, days=ago)
    def withdraw(self, number: int, days: int) -> None:
        parcours = self.parcours(number)
        if parcours is not None and number % 4 == 0:
            self.ask(withdraw_agreement, parcours=parcours, on=on(days), by=self.cast.benoit)

    @rule(number=which, days=ago, settles=yes)
    def object(self, number: int, days: int, settles: bool) -> None:
        parcours = self.parcours(number)
        if parcours is None:
            return
        if settles:
            if self.ask(settle_objection, parcours=parcours, on=on(days), how="x", by=self.cast.amina):
                self.opposed.pop(parcours.pk, None)
            return
        links = list(ChildAdult.objects.current().filter(child=parcours.child_id).select_related("adult"))
        if links:
            adult = links[number % len(links)].adult
            if self.ask(record_objection, parcours=parcours, adult=adult, on=on(days), by=self.cast.benoit):
                self.opposed.setdefault(parcours.pk, self.new_things(parcours))

    @rule(number=which, days=ago, until=st.sampled_from([None, -3, -30, 0]), ends=yes)
    def suspend(self, number: int, days: int, until: int | None, ends: bool) -> None:
        if ends:
            suspension = self.one(Suspension.objects.select_related("parcours"), number)
            if suspension is not None:
                self.ask(resume_parcours, suspension=suspension, on=on(days), by=self.cast.benoit)
            return
        parcours = self.parcours(number)
        if parcours is not None:
            ends_on = None if until is None else on(until)
            self.ask(
                suspend_parcours, parcours=parcours, reason="x", starts_on=on(days), ends_on=ends_on,
                by=self.cast.benoit,
            )  # fmt: skip

    # -- who else -----------------------------------------------------------------------------------------------------

    @rule(number=which, length=st.sampled_from([1, 20, 90]), revokes=yes)
    def share(self, number: int, length: int, revokes: bool) -> None:
        if revokes:
            share = self.one(ParcoursShare.objects.all(), number)
            if share is not None:
                self.ask(revoke_share, share=share, by=self.cast.benoit)
            return
        parcours = self.parcours(number)
        if parcours is not None:
            ends_on = on(-length)
            self.ask(
                share_parcours, parcours=parcours, user=self.cast.david, reason="x", ends_on=ends_on,
                by=self.cast.benoit,
            )  # fmt: skip

    @rule(number=which, days=ago, ends=yes)
    def enrol(self, number: int, days: int, ends: bool) -> None:
        if ends:
            enrolment = self.one(Enrolment.objects.select_related("parcours"), number)
            if enrolment is not None:
                self.ask(end_enrolment, enrolment=enrolment, on=on(days), by=self.cast.benoit)
            return
        parcours = self.parcours(number)
        if parcours is not None:
            self.ask(enrol_child, parcours=parcours, project=self.cast.project, on=on(days), by=self.cast.benoit)

    @rule(number=which, amount=amounts, what=st.sampled_from(["ask", "decide", "fund"]))
    def aid(self, number: int, amount: str, what: str) -> None:
        euros = Decimal(amount)
        if what == "fund":
            year = timezone.localdate().year
            self.ask(set_envelope, team=self.cast.team_a, year=year, amount=euros, by=self.cast.amina)
        elif what == "ask":
            parcours = self.parcours(number)
            if parcours is not None:
                self.ask(ask_aid, parcours=parcours, purpose="x", requested=euros, by=self.cast.benoit)
        else:
            aid = self.one(ExceptionalAid.objects.select_related("parcours"), number)
            if aid is not None:
                decision = AidDecision.REFUSED if number % 4 == 0 else AidDecision.GRANTED
                self.ask(decide_aid, aid=aid, decision=decision, granted=euros, reason="x", by=self.cast.amina)

    @rule()
    def remind(self) -> None:
        self.ask(remind_team, team=self.cast.team_a, by=self.cast.amina)
        assert remind_team(team=self.cast.team_a, by=self.cast.amina) == 0

    # -- what is never false ------------------------------------------------------------------------------------------

    def new_things(self, parcours: Parcours) -> tuple[int, ...]:
        return (
            parcours.enrolments.count(),
            ParcoursShare.objects.filter(content_object=parcours).count(),
            Action.objects.filter(objective__parcours=parcours).count(),
            parcours.aids.count(),
        )

    def versions(self, parcours: Parcours) -> int:
        """How many versions the history holds of a parcours and of what hangs on it."""
        found = 0
        for model in WRITTEN_ON:
            name = {Parcours: "id", ParcoursShare: "content_object"}.get(model, "parcours")
            found += model.history.filter(**{name: parcours.pk}).count()
        return found

    @invariant()
    def parcours_of_a_child_follow_each_other(self) -> None:
        by_child: dict[Any, list[Parcours]] = {}
        for parcours in Parcours.objects.order_by("opened_on", "pk"):
            by_child.setdefault(parcours.child_id, []).append(parcours)
        for ordered in by_child.values():
            assert sum(not parcours.is_closed for parcours in ordered) <= 1
            for former, latter in pairwise(ordered):
                assert former.closed_on is not None
                assert former.closed_on < latter.opened_on

    @invariant()
    def a_parcours_stands_on_a_signed_agreement(self) -> None:
        for parcours in Parcours.objects.select_related("agreement", "saisine"):
            agreement = parcours.agreement
            assert agreement.signed_on is not None
            assert agreement.signed_on <= parcours.opened_on
            assert not parcours.saisine.is_draft
            assert agreement.holders.filter(signed_on__isnull=False).exists()
            if agreement.withdrawn_on is not None:
                assert parcours.closed_on == agreement.withdrawn_on
        assert not Agreement.objects.filter(saisine__submitted_on__isnull=True).exists()

    @invariant()
    def one_referent_at_a_time(self) -> None:
        for parcours in Parcours.objects.prefetch_related("assignments"):
            rows = sorted(parcours.assignments.all(), key=lambda row: (row.starts_on, row.pk))
            for former, latter in pairwise(rows):
                assert former.ends_on is not None
                assert former.ends_on <= latter.starts_on
            if parcours.is_closed:
                assert all(row.ends_on is not None for row in rows)

    @invariant()
    def what_ends_opens_nothing_and_changes_no_more(self) -> None:
        for parcours in Parcours.objects.closed():
            versions = self.closed.setdefault(parcours.pk, self.versions(parcours))
            assert self.versions(parcours) == versions, "a closed parcours was written on"
            assert not parcours.shares.unrevoked().exists()
            assert not parcours.enrolments.filter(ends_on__isnull=True).exists()
            assert not parcours.suspensions.filter(ends_on__isnull=True).exists()
            assert (
                Parcours.objects.with_stage(timezone.localdate() + timedelta(days=1)).get(pk=parcours.pk).stage
                is ParcoursStage.CLOSED
            )
        assert not Parcours.objects.shared_with(self.cast.david).filter(closed_on__isnull=False).exists()

    @invariant()
    def an_opposition_stops_what_is_new(self) -> None:
        objecting = AgreementHolder.objects.objecting()
        for parcours in Parcours.objects.open().filter(agreement__holders__in=objecting).distinct():
            assert self.new_things(parcours) == self.opposed.setdefault(parcours.pk, self.new_things(parcours))
            assert not Parcours.objects.shared_with(self.cast.david).filter(pk=parcours.pk).exists()

    @invariant()
    def intervals_never_meet_nor_end_before_they_start(self) -> None:
        for model in (Suspension, Enrolment):
            rows: dict[Any, list[Any]] = {}
            for row in model.objects.order_by("starts_on", "pk"):
                assert row.ends_on is None or row.ends_on >= row.starts_on
                if row.ends_on != row.starts_on:
                    rows.setdefault((row.parcours_id, getattr(row, "project_id", None)), []).append(row)
            for ordered in rows.values():
                for former, latter in pairwise(ordered):
                    assert former.ends_on is not None
                    assert former.ends_on <= latter.starts_on

    @invariant()
    def the_fund_is_never_overdrawn(self) -> None:
        for envelope in AidEnvelope.objects.all():
            granted = ExceptionalAid.objects.granted_in(envelope.team_id, envelope.year).total()
            assert 0 <= granted <= envelope.amount

    @invariant()
    def the_stored_dates_are_those_of_the_facts(self) -> None:
        assert list(wrong_dates(Parcours.objects.select_related("agreement"))) == []


@pytest.fixture
def walk(cast: Cast) -> type[Walk]:
    Walk.cast, Walk.colleague = cast, make_user("Ibrahim", Role.REFERENT, cast.team_a)
    Walk.steps = Walk.done = 0
    return Walk


def options(walks: int, *, always_the_same: bool) -> settings:
    return settings(
        max_examples=walks,
        stateful_step_count=A_WALK,
        deadline=None,
        database=None,
        derandomize=always_the_same,
        phases=[Phase.generate],  # making a failing walk shorter takes longer than reading its steps
        suppress_health_check=list(HealthCheck),
    )


class TestWalk:
    def test_breaks_no_rule_of_the_domain(self, walk: type[Walk]) -> None:
        run_state_machine_as_test(walk, settings=options(IN_THE_SUITE // A_WALK, always_the_same=True))
        assert walk.done > IN_THE_SUITE // 10, "too few steps were accepted to prove anything"

    @pytest.mark.skipif(not WANTED, reason="played by « make campaign-walk »")
    def test_breaks_none_in_ten_thousand_steps(self, walk: type[Walk]) -> None:
        while walk.steps < WANTED:
            run_state_machine_as_test(walk, settings=options(20, always_the_same=False))
        print(f"\n{walk.steps} steps, {walk.done} of them accepted")
