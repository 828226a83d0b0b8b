"""The file of an invented child: from the saisine to the last day followed, every date in its order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType

from partners.models.project import school_year_of
from partners.models.school import Nature
from pre_cases.demo import sentences
from pre_cases.demo.ages import nature_of
from pre_cases.demo.batch import Batch
from pre_cases.demo.calendar import Stay
from pre_cases.demo.children import Person
from pre_cases.demo.names import day_between, weighted
from pre_cases.demo.sentences import some
from pre_cases.demo.staff import FORMER_ENDED_ON, Staff
from pre_cases.demo.support import Support, noon
from pre_cases.models import (
    Agreement,
    AgreementHolder,
    Assignment,
    InformedMeans,
    Parcours,
    ParcoursShare,
    Saisine,
    SaisineSign,
)
from pre_cases.services.dates import due_date, last_contact
from referents.models import User

FORM_VERSION = "2024-1"
SCHOOL_SOURCES = {
    Nature.MATERNELLE: "ecole-maternelle",
    Nature.ELEMENTAIRE: "ecole-elementaire",
    Nature.COLLEGE: "college",
    Nature.LYCEE: "lycee",
}
OTHER_SOURCES = {
    "service-social-scolaire": 9, "rased": 6, "sante-scolaire": 3, "pmi": 3, "service-social": 8, "ase": 2,
    "prevention": 2, "association": 5, "centre-social": 5, "ville": 2, "caf": 1, "famille": 9, "autre-pre": 1,
    "autre": 1,
}  # fmt: skip
FROM_SCHOOL = 0.56
SIGNS = {
    "resultats": 24, "absences": 10, "decrochage": 7, "scolarite": 8, "comportement": 9, "conflits": 8, "repli": 8,
    "acces-soins": 3, "sommeil": 6, "ouverture": 7, "isolement": 9, "loisirs": 9, "famille": 7, "logement": 10,
    "parentalite": 9,
}  # fmt: skip
EXIT_REASONS = {
    "objectifs-atteints": 36, "droit-commun": 18, "suivi-specialise": 8, "demenagement": 14, "souhait-famille": 11,
    "contact-perdu": 8, "autre": 5,
}  # fmt: skip


@dataclass
class Followed:
    """What the pieces of one parcours need of each other while they are made."""

    person: Person
    stay: Stay
    saisine: Saisine
    agreement: Agreement
    parcours: Parcours
    referent: User
    last_day: date
    is_recent: bool
    contacts: list[date] = field(default_factory=list)
    reviews: list[date] = field(default_factory=list)
    tasks: list[date] = field(default_factory=list)


class Archive:
    """Makes the files of children one after the other into a batch."""

    def __init__(self, rng: Random, batch: Batch, staff: Staff, support: Support, today: date) -> None:
        self.rng = rng
        self.batch = batch
        self.staff = staff
        self.support = support
        self.today = today
        self.reading = Permission.objects.get(
            content_type=ContentType.objects.get_for_model(Parcours), codename="view_parcours"
        )

    def add(self, person: Person) -> None:
        """Every parcours of the child, the next one naming the one before."""
        previous: Parcours | None = None
        for stay in person.timeline.stays:
            previous = self.add_parcours(person, stay, previous)

    # -- before the parcours ------------------------------------------------------------------------------------------

    def saisine(self, person: Person, received_on: date, author: User) -> Saisine:
        """What was asked, by whom, with its signs of fragility, one of them the main one."""
        rng = self.rng
        school = SCHOOL_SOURCES[nature_of(person.levels[school_year_of(received_on)])]
        source = school if rng.random() < FROM_SCHOOL else weighted(rng, OTHER_SOURCES)
        saisine = self.batch.add(
            Saisine(
                child=person.child,
                team=person.household.team,
                author=author,
                source_id=f"source:{source}",
                received_on=received_on,
                submitted_on=received_on,
                is_urgent=rng.random() < 0.04,
                situation=some(rng, sentences.SITUATIONS),
                strengths=some(rng, sentences.STRENGTHS) if rng.random() < 0.7 else None,
                already_done=some(rng, sentences.ALREADY_DONE) if rng.random() < 0.5 else None,
                data_key_id=person.key_id,
            )
        )
        signs = dict.fromkeys(weighted(rng, SIGNS) for _ in range(rng.choice([1, 2, 2, 3, 3])))
        for rank, sign in enumerate(signs):
            self.batch.add(SaisineSign(saisine=saisine, sign_id=f"sign:{sign}", is_main=rank == 0))
        return saisine

    def agreement(self, person: Person, saisine: Saisine, presented_on: date) -> Agreement:
        """The form, presented; what the family answers is filled in by the caller before the batch is saved."""
        return self.batch.add(
            Agreement(
                child=person.child,
                saisine=saisine,
                form_version=FORM_VERSION,
                covers_partners=self.rng.random() < 0.94,
                presented_on=presented_on,
                data_key_id=person.key_id,
            )
        )

    def sign(self, person: Person, agreement: Agreement, on: date, needed_until: date) -> None:
        """One holder signs, the others sign or are informed; renewed by the year as long as the parcours lasts."""
        agreement.signed_on = on
        until = on + relativedelta(months=settings.AGREEMENT_MONTHS)
        while until <= needed_until:
            until += relativedelta(months=settings.AGREEMENT_MONTHS)
        agreement.agreed_until_on = until
        for rank, adult in enumerate(person.household.holders):
            signs = rank == 0 or self.rng.random() < 0.45
            answer = AgreementHolder(
                agreement=agreement, adult=adult, signed_on=on if signs else None, data_key_id=person.key_id
            )
            if not signs:
                answer.informed_on = on
                answer.informed_means = self.rng.choice(
                    [InformedMeans.PHONE, InformedMeans.MEETING, InformedMeans.MAIL]
                )
            self.batch.add(answer)

    # -- the parcours -------------------------------------------------------------------------------------------------

    def add_parcours(self, person: Person, stay: Stay, previous: Parcours | None) -> Parcours:
        referent = self.referent(person, stay)
        saisine = self.saisine(person, stay.received_on, referent)
        agreement = self.agreement(person, saisine, stay.presented_on)
        last_day = stay.last_day(self.today)
        expired = stay.closed_on is None and self.rng.random() < 0.03
        self.sign(person, agreement, stay.signed_on, last_day - timedelta(days=60) if expired else last_day)
        parcours = Parcours(
            child=person.child,
            team=person.household.team,
            saisine=saisine,
            agreement=agreement,
            previous=previous,
            opened_on=stay.opened_on,
            entered_on=stay.entered_on,
            closed_on=stay.closed_on,
            exit_reason_id=self.exit_reason(person, stay),
            data_key_id=person.key_id,
        )
        recent = stay.closed_on is None or stay.closed_on > self.today - relativedelta(months=15)
        followed = Followed(person, stay, saisine, agreement, parcours, referent, last_day, recent)
        self.add_assignments(followed)
        self.support.add(followed)
        parcours.due_on = due_date(
            opened_on=stay.opened_on,
            entered_on=stay.entered_on,
            closed_on=stay.closed_on,
            last_review_on=max(followed.reviews, default=None),
            next_task_on=min(followed.tasks, default=None),
            agreed_until_on=agreement.agreed_until_on,
        )
        parcours.last_contact_on = last_contact(*followed.contacts)
        return self.batch.add(parcours)

    def exit_reason(self, person: Person, stay: Stay) -> str | None:
        if stay.closed_on is None:
            return None
        if stay.entered_on is None:
            return "exit_reason:sans-entree"
        if (stay.closed_on - person.born_on).days > 365.25 * 16.5:
            return "exit_reason:limite-age"
        if (stay.closed_on - stay.entered_on).days < 75 and self.rng.random() < 0.6:
            return "exit_reason:jamais-commence"
        return f"exit_reason:{weighted(self.rng, EXIT_REASONS)}"

    def referent(self, person: Person, stay: Stay) -> User:
        """One of those who worked in the team then."""
        team = person.household.team.pk
        former = stay.last_day(self.today) < FORMER_ENDED_ON
        return self.rng.choice((self.staff.former_referents if former else self.staff.referents)[team])

    def add_assignments(self, followed: Followed) -> None:
        """The référent, sometimes after another one; a few of today's parcours wait for somebody."""
        stay, rng = followed.stay, self.rng
        ends_on = None if stay.closed_on is None else min(stay.closed_on + timedelta(days=1), self.today)
        starts_on = stay.opened_on
        if stay.closed_on is None and rng.random() < (0.25 if stay.entered_on is None else 0.015):
            return
        colleagues = [user for user in self.staff.referents[followed.parcours.team_id] if user != followed.referent]
        if followed.is_recent and colleagues and rng.random() < 0.08 and followed.last_day > starts_on + timedelta(60):
            handed_on = day_between(rng, starts_on + timedelta(days=30), followed.last_day)
            self.assign(followed, rng.choice(colleagues), starts_on, handed_on)
            starts_on = handed_on
        self.assign(followed, followed.referent, starts_on, ends_on)
        if stay.closed_on is None and stay.entered_on is not None:
            self.add_share(followed)

    def assign(self, followed: Followed, referent: User, starts_on: date, ends_on: date | None) -> None:
        self.batch.add(Assignment(parcours=followed.parcours, referent=referent, starts_on=starts_on, ends_on=ends_on))

    def add_share(self, followed: Followed) -> None:
        """A few parcours are shared with a member of the team's EPRE, for a reason and until a day."""
        rng, team = self.rng, followed.parcours.team_id
        if rng.random() > (0.12 if team == self.staff.home.pk else 0.02):
            return
        starts_on = max(followed.stay.opened_on, self.today - timedelta(days=rng.randint(2, 80)))
        reader = self.staff.epre[team][0]
        self.batch.add(
            ParcoursShare(
                content_object=followed.parcours,
                user=reader,
                membership=self.staff.memberships[reader.email, team],
                permission=self.reading,
                reason=some(rng, sentences.SHARE_REASONS),
                granted_by=followed.referent,
                granted_at=noon(starts_on),
                starts_on=starts_on,
                ends_on=self.today + timedelta(days=rng.randint(10, 90)),
                data_key_id=followed.person.key_id,
            )
        )
