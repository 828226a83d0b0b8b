"""What happens during an invented parcours: objectives, actions, exchanges, reviews, tasks, projects, bilan."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING

from django.utils import timezone

from partners.models import Organisation
from partners.models.project import school_year_of
from pre_cases.demo import sentences
from pre_cases.demo.associations import Associations
from pre_cases.demo.batch import Batch
from pre_cases.demo.names import day_between, weighted
from pre_cases.demo.sentences import some
from pre_cases.demo.staff import Staff
from pre_cases.models import (
    Action,
    ActionMode,
    ActionNature,
    Bilan,
    Comment,
    Enrolment,
    Entry,
    EntryKind,
    EntryWith,
    Objective,
    ObjectiveResult,
    Review,
    Task,
)

if TYPE_CHECKING:
    from pre_cases.demo.files import Followed

DOMAINS = {"educatif": 38, "periscolaire": 19, "culturel": 14, "social": 20, "sanitaire": 9}
PRIORITY_OF = {
    "educatif": "decrochage",
    "periscolaire": "sante",
    "culturel": "decrochage",
    "social": "parents",
    "sanitaire": "sante",
}
RESULTS = {
    ObjectiveResult.REACHED: 48,
    ObjectiveResult.PARTLY: 32,
    ObjectiveResult.NOT_REACHED: 14,
    ObjectiveResult.NOT_APPLICABLE: 6,
}
NATURES = {ActionNature.PRE: 57, ActionNature.COMMON: 38, ActionNature.EXCEPTIONAL: 5}
KINDS = {
    EntryKind.PHONE: 30, EntryKind.MEETING: 22, EntryKind.HOME_VISIT: 8, EntryKind.SCHOOL: 17, EntryKind.PARTNER: 11,
    EntryKind.MESSAGE: 12,
}  # fmt: skip
WITH_WHOM = {EntryKind.SCHOOL: [EntryWith.SCHOOL], EntryKind.PARTNER: [EntryWith.PARTNER]}
FAMILY = [EntryWith.FAMILY, EntryWith.FAMILY, EntryWith.FAMILY_AND_CHILD, EntryWith.CHILD]
REVIEW_DAYS = (120, 182)  # between two points d'étape
SHORT_ENDS = ("exit_reason:contact-perdu", "exit_reason:jamais-commence", "exit_reason:sans-entree")
ENROLLED = 0.45


class Support:
    """Fills one parcours after another; what is older than a year is told in fewer lines."""

    def __init__(self, rng: Random, batch: Batch, staff: Staff, associations: Associations, today: date) -> None:
        self.rng = rng
        self.batch = batch
        self.staff = staff
        self.associations = associations
        self.today = today

    def add(self, followed: Followed) -> None:
        self.add_entries(followed)
        if followed.stay.entered_on is not None:
            objectives = self.add_objectives(followed, followed.stay.entered_on)
            self.add_reviews(followed, followed.stay.entered_on)
            self.add_enrolment(followed, followed.stay.entered_on)
            self.add_bilan(followed, objectives)
        if followed.stay.closed_on is None:
            self.add_tasks(followed)
            if self.rng.random() < 0.12:
                self.add_comment(followed)

    # -- what was exchanged -------------------------------------------------------------------------------------------

    def add_entries(self, followed: Followed) -> None:
        rng, first, last = self.rng, followed.stay.opened_on, followed.last_day
        count = rng.randint(3, 6) if followed.is_recent else rng.randint(1, 3)
        days = [day_between(rng, first, last) for _ in range(count)]
        if followed.stay.closed_on is None and rng.random() < 0.8:  # most families were heard of this month
            days.append(day_between(rng, max(first, last - timedelta(days=26)), last))
        for day in sorted(days):
            kind = EntryKind.ATTEMPT if rng.random() < 0.07 else weighted(rng, KINDS)
            self.batch.add(
                Entry(
                    parcours=followed.parcours,
                    author=followed.referent,
                    kind=kind,
                    on=day,
                    with_whom=rng.choice(WITH_WHOM.get(kind, FAMILY)),
                    text=some(rng, sentences.ENTRIES[kind]),
                    created_at=noon(day),
                    data_key_id=followed.person.key_id,
                )
            )
            if kind != EntryKind.ATTEMPT:
                followed.contacts.append(day)

    def add_tasks(self, followed: Followed) -> None:
        """Things to do: some late, some today, some this week; and some already done."""
        rng = self.rng
        shifts = [rng.choice([-12, -6, -3, -1, 0, 0, 1, 2, 3, 4, 5, 6, 8, 12, 18])] if rng.random() < 0.3 else []
        for shift in shifts:
            due_on = max(followed.stay.opened_on, self.today + timedelta(days=shift))
            followed.tasks.append(due_on)
            self.task(followed, due_on)
        if rng.random() < 0.3 and followed.last_day > followed.stay.opened_on + timedelta(days=20):
            done_on = day_between(rng, followed.stay.opened_on + timedelta(days=10), followed.last_day)
            self.task(followed, done_on, done_at=noon(done_on))

    def task(self, followed: Followed, due_on: date, done_at: datetime | None = None) -> None:
        self.batch.add(
            Task(
                parcours=followed.parcours,
                assignee=followed.referent,
                label=some(self.rng, sentences.TASKS),
                due_on=due_on,
                done_at=done_at,
                done_by=followed.referent if done_at else None,
                data_key_id=followed.person.key_id,
            )
        )

    def add_comment(self, followed: Followed) -> None:
        day = day_between(self.rng, followed.stay.opened_on, followed.last_day)
        self.batch.add(
            Comment(
                parcours=followed.parcours,
                author=self.staff.coordinators[followed.parcours.team_id],
                text=some(self.rng, sentences.COMMENTS),
                created_at=noon(day),
                data_key_id=followed.person.key_id,
            )
        )

    # -- what is aimed at ---------------------------------------------------------------------------------------------

    def add_objectives(self, followed: Followed, entered_on: date) -> list[Objective]:
        rng = self.rng
        if followed.stay.closed_on is None and rng.random() < 0.03:
            return []  # on the list of what is to be completed
        count = rng.choice([1, 2, 2, 2, 3]) if followed.is_recent else rng.choice([1, 1, 2, 2])
        made = []
        for domain in dict.fromkeys(weighted(rng, DOMAINS) for _ in range(count)):
            text, actions = rng.choice(sentences.SUPPORT[domain])
            priority = PRIORITY_OF[domain] if rng.random() < 0.8 else rng.choice(["decrochage", "sante", "parents"])
            objective = Objective(
                parcours=followed.parcours,
                text=text,
                domain_id=f"domain:{domain}",
                priority_id=f"priority:{priority}",
                set_on=min(entered_on + timedelta(days=rng.randint(0, 30)), followed.last_day),
                data_key_id=followed.person.key_id,
            )
            made.append(self.batch.add(objective))
            for label, mode, slot in rng.sample(actions, rng.choice([1, 1, 2])):
                self.add_action(followed, objective, domain, label, mode, slot)
        return made

    def add_action(
        self, followed: Followed, objective: Objective, domain: str, label: str, mode: str, slot: str
    ) -> None:
        rng, last = self.rng, followed.last_day
        planned = followed.stay.closed_on is None and rng.random() < 0.1
        starts_on = day_between(rng, objective.set_on, min(last, objective.set_on + timedelta(days=60)))
        over = followed.stay.closed_on is not None or rng.random() < 0.3
        ends_on = day_between(rng, min(starts_on + timedelta(days=30), last), last) + timedelta(days=1)
        nature = weighted(rng, NATURES)
        self.batch.add(
            Action(
                objective=objective,
                label=label,
                domain_id=f"domain:{domain}",
                mode=mode,
                nature=nature,
                partner=self.partner(mode, nature),
                time_slot=slot,
                starts_on=None if planned else starts_on,
                ends_on=None if planned or not over or ends_on > self.today else ends_on,
                data_key_id=followed.person.key_id,
            )
        )

    def partner(self, mode: str, nature: ActionNature) -> Organisation | None:
        if mode == ActionMode.INDIVIDUAL and self.rng.random() < 0.6:
            return None
        common = nature == ActionNature.COMMON
        return self.rng.choice(self.associations.organisations if common else self.associations.partners)

    def add_reviews(self, followed: Followed, entered_on: date) -> None:
        """A point d'étape every five months or so; the last one is missing for about one open parcours in six."""
        rng = self.rng
        days = []
        day = entered_on + timedelta(days=rng.randint(*REVIEW_DAYS))
        while day < followed.last_day:
            days.append(day_between(rng, day, min(day + timedelta(days=4), followed.last_day)))
            day = days[-1] + timedelta(days=rng.randint(*REVIEW_DAYS))
        if followed.stay.closed_on is None and rng.random() < 0.17:
            days = days[:-1]
        for day in days if followed.is_recent else days[:2]:
            family_present, child_present = rng.random() < 0.8, rng.random() < 0.5
            self.batch.add(
                Review(
                    parcours=followed.parcours,
                    author=followed.referent,
                    on=day,
                    family_present=family_present,
                    child_present=child_present,
                    text=some(rng, sentences.REVIEWS),
                    next_steps=some(rng, sentences.NEXT_STEPS) if rng.random() < 0.7 else None,
                    data_key_id=followed.person.key_id,
                )
            )
            followed.reviews.append(day)
            if family_present or child_present:
                followed.contacts.append(day)

    def add_bilan(self, followed: Followed, objectives: list[Objective]) -> None:
        """The closing review, some days before the last one; or one that waits for the coordination to close."""
        rng, stay, parcours = self.rng, followed.stay, followed.parcours
        waiting = (
            stay.closed_on is None
            and objectives
            and stay.entered_on is not None
            and (self.today - stay.entered_on).days > 330
            and rng.random() < 0.06
        )
        if not waiting and (stay.closed_on is None or parcours.exit_reason_id in SHORT_ENDS):
            return
        assert stay.entered_on is not None  # noqa: S101 - evaluations have no bilan
        on = max(stay.entered_on, followed.last_day - timedelta(days=rng.randint(0, 12)))
        for objective in objectives:
            objective.result = weighted(rng, RESULTS)
            objective.result_on = max(on, objective.set_on)
        self.batch.add(
            Bilan(
                parcours=parcours,
                author=followed.referent,
                on=on,
                text=some(rng, sentences.BILANS),
                family_word=some(rng, sentences.FAMILY_WORDS) if rng.random() < 0.5 else None,
                relay=some(rng, sentences.RELAYS) if rng.random() < 0.4 else None,
                exit_reason_id=parcours.exit_reason_id or "exit_reason:objectifs-atteints",
                data_key_id=followed.person.key_id,
            )
        )

    # -- a place in a project -----------------------------------------------------------------------------------------

    def add_enrolment(self, followed: Followed, entered_on: date) -> None:
        """A place in a project of one school year of the parcours, while there are some left."""
        rng, team = self.rng, followed.parcours.team_id
        if not followed.agreement.covers_partners or rng.random() > ENROLLED:
            return
        year = school_year_of(day_between(rng, entered_on, followed.last_day))
        offered = [p for p in self.associations.projects.get((team, year), []) if self.associations.places[p.pk]]
        first = max(entered_on, date(year, 9, 15))
        last = min(followed.last_day, date(year + 1, 6, 30))
        if not offered or first > last:
            return
        led = [project for project in self.associations.led if project in offered]
        project = led[0] if led and rng.random() < 0.35 else rng.choice(offered)
        starts_on = day_between(rng, first, min(last, first + timedelta(days=45)))
        ends_on = min(followed.last_day + timedelta(days=1), project.ends_on)
        over = followed.stay.closed_on is not None or ends_on == project.ends_on
        self.associations.places[project.pk] -= 1
        self.batch.add(
            Enrolment(
                parcours=followed.parcours,
                project=project,
                starts_on=starts_on,
                ends_on=min(ends_on, self.today) if over else None,
            )
        )


def noon(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(12)))
