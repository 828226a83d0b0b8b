"""Saisines that wait, each at its step, and those that ended without a parcours."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from pre_cases.demo import sentences
from pre_cases.demo.batch import Batch
from pre_cases.demo.calendar import Stay, Timeline
from pre_cases.demo.children import Person, Town
from pre_cases.demo.files import Archive
from pre_cases.demo.sentences import some
from pre_cases.demo.staff import Staff
from pre_cases.demo.support import noon
from pre_cases.models import Entry, EntryKind, EntryWith, Saisine, SaisineOutcome, Task
from referents.models import Team, User

# for each team: the step reached, and since how many days at least and at most the saisine was received
DRAFT, LACKING = "draft", "lacking"
STEPS = [
    ("received", 0, 6), ("received", 1, 12), ("received", 3, 20), ("presented", 8, 30), ("presented", 15, 45),
    (DRAFT, 0, 3), (LACKING, 4, 18),
    ("oral", 10, 40), ("signed", 12, 35), ("refused", 30, 120), (SaisineOutcome.REDIRECTED, 40, 160),
    (SaisineOutcome.NO_FOLLOW_UP, 40, 160),
]  # fmt: skip


class Mailbox:
    """Makes the saisines of a team into a batch."""

    def __init__(self, rng: Random, batch: Batch, town: Town, archive: Archive, staff: Staff, today: date) -> None:
        self.rng = rng
        self.batch = batch
        self.town = town
        self.archive = archive
        self.staff = staff
        self.today = today

    def fill(self, team: Team) -> None:
        for rank, (step, least, most) in enumerate(STEPS):
            received_on = self.today - timedelta(days=self.rng.randint(least, most))
            stay = Stay(received_on, received_on, received_on, received_on, None, None)
            person = self.town.person(Timeline([stay], self.today), team)
            referent = self.rng.choice(self.staff.referents[team.pk])
            saisine = self.archive.saisine(person, received_on, self.staff.coordinators[team.pk])
            saisine.is_urgent = rank == 0
            saisine.assignee = None if rank in (0, 2) else referent
            self.advance(person, saisine, step, referent)

    def attach(self, person: Person) -> None:
        """A second saisine about a child who is followed: attached to the parcours, it opens nothing."""
        received_on = self.today - timedelta(days=self.rng.randint(2, 25))
        if received_on < person.timeline.stays[-1].opened_on:
            return
        saisine = self.archive.saisine(person, received_on, self.staff.coordinators[person.household.team.pk])
        self.end(saisine, SaisineOutcome.ATTACHED)

    def advance(self, person: Person, saisine: Saisine, step: str, referent: User) -> None:
        received_on = saisine.received_on
        if step in SaisineOutcome.values:
            self.end(saisine, SaisineOutcome(step))
        if step == DRAFT:
            saisine.submitted_on, saisine.situation = None, None  # the rest will be typed after the call
        elif step == LACKING:
            saisine.completion_asked_on = min(self.today, received_on + timedelta(days=1))
            saisine.completion_needed = "Dans quelle école, et qui exerce l’autorité parentale ?"
        if step not in ("presented", "oral", "signed", "refused"):
            return
        presented_on = received_on + timedelta(days=self.rng.randint(2, 5))
        agreement = self.archive.agreement(person, saisine, presented_on)
        self.exchange(saisine, presented_on, referent)
        if step == "oral":
            agreement.oral_on = presented_on + timedelta(days=1)
            agreement.oral_given_by = person.household.holders[0]
            agreement.oral_received_by = referent
        elif step == "signed":
            self.archive.sign(person, agreement, presented_on + timedelta(days=3), self.today)
        elif step == "refused":
            agreement.refused_on = presented_on + timedelta(days=self.rng.randint(1, 10))
            agreement.reason = some(self.rng, sentences.REFUSAL_REASONS)
        else:
            self.remind(saisine, referent)

    def end(self, saisine: Saisine, outcome: SaisineOutcome) -> None:
        saisine.outcome = outcome
        saisine.outcome_on = min(self.today, saisine.received_on + timedelta(days=self.rng.randint(1, 20)))
        saisine.outcome_by = self.staff.coordinators[saisine.team_id]
        saisine.outcome_reason = sentences.OUTCOME_REASONS[outcome]
        saisine.redirected_to = "Centre social du quartier" if outcome == SaisineOutcome.REDIRECTED else ""
        saisine.family_told_on = saisine.requester_told_on = saisine.outcome_on

    def exchange(self, saisine: Saisine, on: date, author: User) -> None:
        self.batch.add(
            Entry(
                saisine=saisine,
                author=author,
                kind=EntryKind.MEETING,
                on=on,
                with_whom=EntryWith.FAMILY,
                text="Première rencontre : le formulaire d’accord est expliqué et laissé à la famille.",
                created_at=noon(on),
                data_key_id=saisine.data_key_id,
            )
        )

    def remind(self, saisine: Saisine, assignee: User) -> None:
        self.batch.add(
            Task(
                saisine=saisine,
                assignee=assignee,
                label="Demander à la famille où en est l’accord",
                due_on=self.today + timedelta(days=self.rng.randint(-3, 6)),
                data_key_id=saisine.data_key_id,
            )
        )
