"""Cities drawn at random, for the proof that the rights agree (``tests/test_rights_agree.py``).

Nothing here asks a service: rows that a service would refuse are drawn too, since a right is read from the rows.
To add a grant: one method of ``GRANTS``, drawn for each parcours.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from random import Random
from typing import Any

from django.utils import timezone

from audit.history import acting_as, system_account
from partners.models import ProjectLead, Term
from pre_cases.models import (
    AccessRequest,
    Action,
    Appointment,
    Assignment,
    ConcernReported,
    Document,
    Draft,
    DuplicateNotice,
    Entry,
    EntryTemplate,
    Erasure,
    ExceptionalAid,
    FamilyRequest,
    FollowUp,
    Need,
    Objective,
    Parcours,
    RetentionHold,
    Saisine,
    SaisineOutcome,
    StatisticsExport,
    SubjectFile,
    Suspension,
    Task,
)
from referents.models import CharterSignature, Membership, Role, User
from referents.models.user import TEAM_ROLES
from tests.cast import (
    make_child,
    make_enrolment,
    make_exceptional_access,
    make_hand_over,
    make_item,
    make_parcours,
    make_project,
    make_saisine,
    make_session,
    make_share,
    make_stand_in,
    make_team,
    make_user,
)

PEOPLE, CHILDREN = 9, 10
ELSEWHERE = (Role.PILOTAGE, Role.DPO, Role.ADMINISTRATOR, Role.PROJECT_LEADER)


class RandomCity:
    """Three teams, people with several dated roles, children with open and closed parcours, and what was granted."""

    GRANTS = (
        "draw_assignments",
        "draw_shares",
        "draw_exceptional_accesses",
        "draw_questions",
        "draw_work",
        "draw_epre",
        "draw_family_request",
        "draw_end",
    )

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.rng_of_epre = Random(f"epre {seed}")  # its own, so that the other draws stay what they were
        self.today = timezone.localdate()
        self.teams = [make_team(code, 17 + number) for number, code in enumerate("abc")]
        self.projects = [
            make_project(*self.rng.sample(self.teams, count), title=f"Projet {count}") for count in range(3)
        ]
        with acting_as(system_account()):
            self.people = [self.draw_person(number) for number in range(PEOPLE)]
            for number in range(CHILDREN):
                self.draw_child(number)
            for parcours in Parcours.objects.all():
                for grant in self.GRANTS:
                    getattr(self, grant)(parcours)
            for saisine in Saisine.objects.all():
                self.draw_task(saisine=saisine, data_key_id=saisine.data_key_id)
            for project in self.projects:
                for user in self.some_people(4):
                    ProjectLead.objects.create(project=project, user=user, **self.interval())
            leaders = Membership.objects.current().filter(role=Role.PROJECT_LEADER, user__is_active=True)
            if (leader := leaders.order_by("pk").first()) is not None:  # a draw would seldom meet one of them
                lead = {"project": self.projects[0], "user": leader.user}
                if not ProjectLead.objects.filter(**lead).exists():
                    ProjectLead.objects.create(**lead, starts_on=self.today - timedelta(days=9))
            StatisticsExport.objects.create(
                requested_by=self.people[0], starts_on="2025-01-01", ends_on="2025-12-31", state="done", archive=b"PK"
            )
            for membership in Membership.objects.filter(role=Role.REFERENT):
                self.draw_stand_ins(membership)

    def often(self, share: float) -> bool:
        return self.rng.random() < share

    def interval(self) -> dict[str, date | None]:
        """Over, ended today, in force with or without an end, or still to come."""
        started, ends = self.rng.choice([(-90, -30), (-90, 0), (-90, 1), (-30, None), (0, None), (-1, 30), (1, None)])
        return {
            "starts_on": self.today + timedelta(days=started),
            "ends_on": None if ends is None else self.today + timedelta(days=ends),
        }

    def limited(self) -> dict[str, Any]:
        """The dates of a grant, which always has an end, and may be revoked before it."""
        dates = self.interval() | {"revoked_at": self.rng.choice([None, None, None, timezone.now()])}
        dates["ends_on"] = dates["ends_on"] or self.today + timedelta(days=60)
        return dates

    # -- people -------------------------------------------------------------------------------------------------------

    def draw_person(self, number: int) -> User:
        user = make_user(f"Personne{number}")
        roles = self.rng.sample([*TEAM_ROLES, *TEAM_ROLES, *ELSEWHERE], self.rng.randint(0, 5))
        held = {(role, self.rng.choice(self.teams) if role in TEAM_ROLES else None) for role in roles}
        for role, team in sorted(held, key=str):
            self.draw_membership(user, role, team)
        self.draw_charter(user)
        if self.often(0.15):
            user.is_active = False
            user.save()
        return user

    def draw_membership(self, user: User, role: Role, team: Any) -> None:
        """Over and begun again, for some: another row, which wakes up nothing of the former."""
        first = Membership.objects.create(user=user, role=role, team=team, **self.interval())
        if first.ends_on is not None and first.ends_on <= self.today and self.often(0.6):
            again = self.rng.choice([first.ends_on, self.today, self.today + timedelta(days=1)])
            Membership.objects.create(user=user, role=role, team=team, starts_on=again)

    def draw_charter(self, user: User) -> None:
        """Valid; or none, or only of a version that is no longer in force."""
        if self.often(0.75):
            return
        CharterSignature.objects.filter(user=user).delete()
        if self.often(0.5):
            CharterSignature.objects.create(
                user=user, version="former", signed_on=self.today, expires_on=self.today + timedelta(days=300)
            )

    def some_people(self, most: int) -> list[User]:
        """A few of those who have held a role, whatever became of it."""
        held = [person for person in self.people if person.memberships.exists()]
        return self.rng.sample(held, min(len(held), self.rng.randint(0, most)))

    def some_membership(self, user: User) -> Membership:
        """In force, over or to come, of the team of the record or of another."""
        held = user.memberships.order_by("pk")
        return self.rng.choice(list(held.current() if held.current() and self.often(0.5) else held))

    # -- children -----------------------------------------------------------------------------------------------------

    def draw_child(self, number: int) -> None:
        child, team = make_child(f"Enfant{number}"), self.rng.choice(self.teams)
        drawn = self.rng.random()
        if drawn < 0.65:
            closed = {
                "closed_on": self.today - timedelta(days=self.rng.randint(0, 20)),
                "exit_reason": Term.objects.get(pk="exit_reason:contact-perdu"),
            }
            make_parcours(team, child=child, **(closed if drawn < 0.2 else {}))
            Saisine.objects.filter(child=child).update(assignee=self.rng.choice([None, *self.people]))
            return
        ended = {"outcome": SaisineOutcome.NO_FOLLOW_UP, "outcome_on": self.today}
        make_saisine(child, team, assignee=self.rng.choice([None, *self.people]), **(ended if self.often(0.3) else {}))

    def draw_assignments(self, parcours: Parcours) -> None:
        """One at a time, as the service asks; by référents of the team, or by anybody, whatever the role."""
        own = list(User.objects.filter(memberships__team=parcours.team, memberships__role=Role.REFERENT).order_by("pk"))
        for _ in range(self.rng.randint(0, 3)):
            dates = self.interval()
            if parcours.assignments.overlapping(**dates).exists():
                continue
            referent = self.rng.choice(own if own and self.often(0.7) else self.people)
            Assignment.objects.create(parcours=parcours, referent=referent, **dates)

    def draw_family_request(self, parcours: Parcours) -> None:
        """Of a family, with a file of its child's data, sent to be approved while the parcours is open."""
        author, now = self.people[0], timezone.now()
        request = FamilyRequest.objects.create(
            child=parcours.child,
            team=parcours.team,
            kind="access",
            text="x",
            received_on=self.today,
            recorded_by=author,
            data_key_id=parcours.data_key_id,
        )
        sent = {"collected_at": now, "submitted_at": now, "submitted_by": author} if not parcours.is_closed else {}
        SubjectFile.objects.create(request=request, prepared_by=author, data_key_id=parcours.data_key_id, **sent)

    def draw_epre(self, parcours: Parcours) -> None:
        """On an agenda, decided, taken off, or of a session cancelled, past, or too far; in another team for some."""
        kept, self.rng = self.rng, self.rng_of_epre
        days = self.rng.choice([-30, -8, -7, 0, 1, 3, 4, 30])
        team = parcours.team if self.often(0.8) else self.rng.choice(self.teams)
        state = self.rng.choice(["planned", "planned", "held", "cancelled"])
        session = make_session(team, *self.some_people(6), on=self.today + timedelta(days=days), state=state)
        task = Task.objects.create(
            parcours=parcours,
            assignee=self.rng.choice(self.people),
            label="x",
            due_on=self.today,
            data_key_id=parcours.data_key_id,
        )
        decided = {"decision": "advice", "decided_on": self.today, "decided_by": self.people[0]}
        entrusted = {"follow_up": "x", "follow_up_on": self.today, "task": task}
        removed = {"removed_on": self.today, "removal": "taken_off"}
        make_item(session, parcours, purpose=self.rng.choice(["entry", "renewal"]), **decided, **entrusted)
        make_item(session, parcours, **(removed if self.often(0.2) else {}))
        self.rng = kept

    def draw_end(self, parcours: Parcours) -> None:
        """The file kept longer, over or not; its erasure asked for by somebody, or already refused."""
        RetentionHold.objects.create(
            child=parcours.child,
            author=self.people[0],
            motive="request",
            reason="x",
            starts_on=self.today - timedelta(days=90),
            ends_on=self.today + timedelta(days=self.rng.choice([-30, 0, 1, 30])),
            data_key_id=parcours.data_key_id,
        )
        asked = {"subject_id": parcours.child_id, "team": parcours.team, "motive": "family"}
        asks, decides = self.rng.sample(self.people, 2)
        decided = {"state": "refused", "decided_by": decides, "decided_at": timezone.now()} if self.often(0.3) else {}
        Erasure.objects.create(**asked, **decided, requested_by=asks)

    def draw_work(self, parcours: Parcours) -> None:
        """Objectives, an action, tasks, a draft, a place in a project, a notice, a document: theirs are the rights of
        the parcours.
        """
        own: dict[str, Any] = {"parcours": parcours, "data_key_id": parcours.data_key_id}
        domain = Term.objects.get(pk="domain:educatif")
        objective = Objective.objects.create(
            **own, text="x", domain=domain, priority=Term.objects.get(pk="priority:sante"), set_on=self.today
        )
        Action.objects.create(
            objective=objective,
            label="x",
            domain=domain,
            mode="individual",
            nature="pre",
            data_key_id=parcours.data_key_id,
        )
        Draft.objects.create(**own, user=self.rng.choice(self.people), form="entry", content={})
        make_enrolment(parcours, self.rng.choice(self.projects))
        team, other = self.rng.sample(self.teams, 2)
        DuplicateNotice.objects.create(
            team=team, other_team=other, child=parcours.child, sought_by=self.rng.choice(self.people)
        )
        removed = {"removed_at": timezone.now(), "removal_reason": "x"} if self.often(0.3) else {}
        Document.objects.create(
            **own,
            **removed,
            author=self.people[0],
            kind="agreement",
            name="x",
            content_type="application/pdf",
            size=1,
            digest="0",
        )
        self.draw_task(**own)
        self.draw_day(parcours, own)
        self.write_the_rest(own, domain)

    def draw_day(self, parcours: Parcours, own: dict[str, Any]) -> None:
        """Meetings, an exchange with its question, and somebody's template."""
        for person in self.some_people(3):
            state = self.rng.choice(["planned", "held"])
            Appointment.objects.create(**own, user=person, on=self.today, starts_at=time(9, 30), state=state)
        latest = parcours.assignments.order_by("-starts_on").first()
        author = latest.referent if latest is not None and self.often(0.8) else self.rng.choice(self.people)
        entry = Entry.objects.create(**own, author=author, kind="phone", on=self.today, text="x")
        answered = {"answer": "x", "answered_by": self.people[0], "answered_at": timezone.now()}
        FollowUp.objects.create(
            entry=entry,
            asked_by=self.people[1],
            question="x",
            data_key_id=parcours.data_key_id,
            **(answered if self.often(0.15) else {}),
        )
        person = self.rng.choice(self.people)
        EntryTemplate.objects.create(user=person, label="x", kind="phone", text="x", data_key_id=parcours.data_key_id)

    def write_the_rest(self, own: dict[str, Any], domain: Term) -> None:
        """A need, a suspension, an aid, and the fact that somebody reported a concern: whoever was assigned last."""
        parcours = own["parcours"]
        Need.objects.create(
            **own,
            author=self.people[0],
            text="x",
            domain=domain,
            priority=Term.objects.get(pk="priority:sante"),
            noted_on=self.today,
        )
        Suspension.objects.create(**own, reason="x", starts_on=self.today, ends_on=self.today)
        ExceptionalAid.objects.create(
            **own, team=parcours.team, purpose="x", requested=10, asked_by=self.people[0], asked_on=self.today
        )
        latest = parcours.assignments.order_by("-starts_on").first()
        author = latest.referent if latest is not None else self.people[0]
        ConcernReported.objects.create(parcours=parcours, author=author, reported_on=self.today, addressee="crip")

    def draw_task(self, **about: Any) -> None:
        for person in self.some_people(3):
            Task.objects.create(**about, assignee=person, label="x", due_on=self.today)

    # -- grants -------------------------------------------------------------------------------------------------------

    def draw_shares(self, parcours: Parcours) -> None:
        """Some after another that was revoked."""
        for user in self.some_people(4):
            if self.often(0.3):
                make_share(parcours, user, membership=self.some_membership(user), revoked_at=timezone.now())
            make_share(parcours, user, membership=self.some_membership(user), **self.limited())

    def draw_exceptional_accesses(self, parcours: Parcours) -> None:
        """Opened a moment ago, almost and exactly 24 hours ago, or 25; revoked for some; a second one for others."""
        for user in self.some_people(3) + self.some_people(1):
            access = make_exceptional_access(
                parcours,
                user,
                membership=self.some_membership(user),
                granted_at=timezone.now() - timedelta(minutes=self.rng.choice([0, 23 * 60, 23 * 60 + 55, 1440, 1500])),
                revoked_at=self.rng.choice([None, None, None, timezone.now()]),
            )
            if self.often(0.3):
                access.outcome, access.reviewed_at, access.reviewed_by = "justified", timezone.now(), system_account()
                access.save()

    def draw_questions(self, parcours: Parcours) -> None:
        """Requests for access, answered or not, and the passing on of the parcours: they open nothing by themselves."""
        for user in self.some_people(2):
            AccessRequest.objects.create(
                parcours=parcours,
                asked_by=user,
                reason="x",
                data_key_id=parcours.data_key_id,
                answered_at=self.rng.choice([None, timezone.now()]),
            )
        leaves, receives, asks = self.rng.sample(self.people, 3)
        held = Membership.objects.current().filter(team=parcours.team, role=Role.REFERENT, user__is_active=True)
        own = [membership.user for membership in held.order_by("pk") if membership.user != leaves]
        if own and self.often(0.7):
            receives = self.rng.choice(own)
        answered = {"outcome": "refused", "answered_at": timezone.now()} if self.often(0.4) else {}
        make_hand_over(parcours, leaves, receives, asked_by=self.rng.choice([leaves, asks]), **answered)

    def draw_stand_ins(self, replaced: Membership) -> None:
        """Of a membership in force, over or to come, by anybody who has held a role: several at once for some."""
        for user in self.some_people(5):
            if user.pk != replaced.user_id:
                held = self.some_membership(user)
                make_stand_in(replaced.user, user, replaced=replaced, membership=held, **self.limited())
