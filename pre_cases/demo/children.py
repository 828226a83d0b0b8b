"""Invented children: who they are, who is around them, where they live and go to school."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from random import Random
from uuid import UUID

from audit.encryption.keys import create_data_keys
from partners.models import School, Sex
from partners.models.project import school_year_of
from partners.models.school import Nature
from pre_cases.demo import names
from pre_cases.demo.ages import HELD_BACK, birth, level_in, nature_of
from pre_cases.demo.batch import Batch
from pre_cases.demo.calendar import Timeline
from pre_cases.demo.names import weighted
from pre_cases.demo.territory import Territory
from pre_cases.models import Adult, Child, ChildAdult, Family, LivesWith, Relation, Residence, Schooling
from pre_cases.search.index import current_index_key, secrets_of_index
from pre_cases.search.words import search_words, sound
from pre_cases.services.search_index import row_of
from referents.models import Team

known_sound = cache(sound)  # the same invented names come back all the time
BOYS = 0.58
IN_QPV = 0.72
HOUSEHOLDS = {"couple": 46, "separated": 27, "alone": 17, "stepfamily": 5, "grandparent": 2, "placed": 3}


@dataclass
class Household:
    """A family of the demonstration: its row, its adults, and the name and address its children share."""

    family: Family
    kind: str
    team: Team
    name: str
    address: str
    adults: list[tuple[Adult, Relation, bool, LivesWith]] = field(default_factory=list)
    neighbourhood: str = ""  # two digits, empty outside every priority neighbourhood
    births: list[date] = field(default_factory=list)

    @property
    def holders(self) -> list[Adult]:
        return [adult for adult, _, holds_authority, _ in self.adults if holds_authority]


@dataclass
class Person:
    """A child of the demonstration and what its files need."""

    child: Child
    household: Household
    timeline: Timeline
    born_on: date
    delay: int  # classes behind the age
    segpa: bool
    cap: bool
    levels: dict[int, str] = field(default_factory=dict)  # by school year
    schools: dict[str, School] = field(default_factory=dict)  # by nature

    @property
    def key_id(self) -> UUID:
        return self.child.data_key_id


class Keys:
    """Data keys handed out one by one, made a hundred at a time."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.ready: list[UUID] = []

    def next(self) -> UUID:
        if not self.ready:
            self.ready = create_data_keys(self.kind, 100)
        return self.ready.pop()


class Town:
    """Makes families and children one after the other."""

    def __init__(self, rng: Random, territory: Territory, batch: Batch, today: date) -> None:
        self.rng = rng
        self.territory = territory
        self.batch = batch
        self.today = today
        self.child_keys = Keys("child")
        self.family_keys = Keys("family")
        self.index_key = current_index_key()
        self.index_secret = secrets_of_index()[self.index_key]
        self.latest: dict[int, Household] = {}  # by team: the family that a brother or sister may join

    def person(self, timeline: Timeline, team: Team, *, surname: str = "") -> Person:
        """A child with those stays, in a new family or as the brother or sister of the last one of the team."""
        rng = self.rng
        born_on = birth(rng, timeline)
        household = self.sibling_household(team, born_on) or self.household(team, timeline, surname)
        household.births.append(born_on)
        sex = Sex.BOY if rng.random() < BOYS else Sex.GIRL
        first_name = rng.choice(names.BOYS if sex == Sex.BOY else names.GIRLS)
        child = Child(
            family=household.family,
            first_name=first_name,
            family_name=household.name,
            search_words=search_words(first_name, household.name, known_sound),
            birth_date=born_on,
            sex=sex,
            data_key_id=self.child_keys.next(),
        )
        if self.is_recent(timeline) and rng.random() < 0.006:
            child.sex = ""
        self.batch.add(child)
        self.batch.add(row_of(child, self.index_key, self.index_secret, known_sound))
        chance = rng.random()
        delay = int(rng.random() < HELD_BACK)
        person = Person(child, household, timeline, born_on, delay, segpa=chance < 0.04, cap=0.5 < chance < 0.8)
        self.link_adults(person)
        self.add_residences(person)
        self.add_schoolings(person)
        return person

    def is_recent(self, timeline: Timeline) -> bool:
        return timeline.stays[-1].last_day(self.today) == self.today

    # -- the family ---------------------------------------------------------------------------------------------------

    def sibling_household(self, team: Team, born_on: date) -> Household | None:
        """The last family of the team, for about one child in four, when the births leave room for another."""
        household = self.latest.get(team.pk)
        if household is None or len(household.births) > 3 or self.rng.random() > 0.27:
            return None
        near = min(abs((born_on - other).days) for other in household.births)
        return household if 300 < near < 365 * 12 else None

    def household(self, team: Team, timeline: Timeline, surname: str) -> Household:
        rng = self.rng
        family = self.batch.add(Family(data_key_id=self.family_keys.next()))
        household = Household(
            family=family,
            kind=weighted(rng, HOUSEHOLDS),
            team=team,
            name=surname or rng.choice(names.FAMILIES),
            address=names.address(rng, team.arrondissement_id),
        )
        if rng.random() < IN_QPV:
            household.neighbourhood = rng.choice(self.territory.neighbourhoods[team.pk])
        self.latest[team.pk] = household
        self.add_adults(household)
        return household

    def add_adults(self, household: Household) -> None:
        main, none, alternating = LivesWith.MAIN, LivesWith.NONE, LivesWith.ALTERNATING
        mother, father = Relation.MOTHER, Relation.FATHER
        if household.kind == "separated" and self.rng.random() < 0.3:
            self.adult(household, mother, True, alternating)
            self.adult(household, father, True, alternating, elsewhere=True)
        elif household.kind == "separated":
            self.adult(household, mother, True, main)
            self.adult(household, father, self.rng.random() < 0.9, none, elsewhere=True)
        elif household.kind == "placed":
            self.adult(household, mother, True, none, elsewhere=True)
            self.adult(household, father, True, none, elsewhere=True)
            self.adult(household, Relation.FOSTER, False, main)
        elif household.kind == "grandparent":
            self.adult(household, mother, True, none, elsewhere=True)
            self.adult(household, Relation.GRANDPARENT, False, main)
        else:
            self.adult(household, mother, True, main)
            if household.kind == "couple":
                self.adult(household, father, True, main)
            if household.kind == "stepfamily":
                self.adult(household, Relation.STEP_PARENT, False, main)

    def adult(
        self, household: Household, relation: Relation, holds: bool, lives: LivesWith, *, elsewhere: bool = False
    ) -> None:
        rng = self.rng
        man = relation in (Relation.FATHER, Relation.STEP_PARENT)
        same_name = relation == Relation.FATHER or rng.random() < 0.55
        away = names.address(rng, rng.choice(self.territory.teams).arrondissement_id)
        adult = Adult(
            family=household.family,
            first_name=rng.choice(names.MEN if man else names.WOMEN),
            family_name=household.name if same_name else rng.choice(names.FAMILIES),
            phone=names.phone(rng) if rng.random() < 0.93 else None,
            address=away if elsewhere else household.address,
            address_is_confidential=elsewhere and rng.random() < 0.06,
            data_key_id=household.family.data_key_id,
        )
        household.adults.append((self.batch.add(adult), relation, holds, lives))

    def link_adults(self, person: Person) -> None:
        since = person.timeline.stays[0].received_on
        for adult, relation, holds, lives in person.household.adults:
            withheld = adult.address_is_confidential
            self.batch.add(
                ChildAdult(
                    child=person.child,
                    adult=adult,
                    relation=relation,
                    holds_authority=holds,
                    lives_with=lives,
                    may_receive_documents=holds and not withheld,
                    reason="Demande de l’autre parent, décision jointe." if holds and withheld else None,
                    starts_on=since,
                    data_key_id=person.key_id,
                )
            )

    # -- home and school ----------------------------------------------------------------------------------------------

    def add_residences(self, person: Person) -> None:
        """One residence by stay, looked up at the saisine; for a few children of today nobody looked yet."""
        stays = person.timeline.stays
        ends = [*(stay.received_on for stay in stays[1:]), None]
        for stay, ends_on in zip(stays, ends, strict=True):
            unknown = self.is_recent(person.timeline) and self.rng.random() < 0.04
            number = "" if unknown else person.household.neighbourhood
            self.batch.add(
                Residence(
                    child=person.child,
                    address=person.household.address,
                    qpv_code=qpv_code(number, stay.received_on) if number else "",
                    qpv_generation="" if unknown else Residence.generation_on(stay.received_on),
                    determined_on=None if unknown else stay.received_on,
                    starts_on=stay.received_on,
                    ends_on=ends_on,
                    data_key_id=person.key_id,
                )
            )

    def add_schoolings(self, person: Person) -> None:
        """A class for every school year that a stay touches; that of today may still have to be confirmed."""
        stays = person.timeline.stays
        years = sorted(
            {
                year
                for stay in stays
                for year in range(school_year_of(stay.received_on), school_year_of(stay.last_day(self.today)) + 1)
            }
        )
        for year in years:
            level = level_in(year, born_on=person.born_on, delay=person.delay, segpa=person.segpa, cap=person.cap)
            person.levels[year] = level
            self.batch.add(
                Schooling(
                    child=person.child,
                    school=self.school(person, level),
                    school_year=year,
                    level_id=f"level:{level}",
                    in_ulis=person.delay == 1 and self.rng.random() < 0.15,
                    in_upe2a=self.rng.random() < 0.015,
                    confirmed_on=self.confirmed_on(year),
                    starts_on=date(year, 9, 1),
                    ends_on=date(year + 1, 9, 1),
                )
            )

    def confirmed_on(self, year: int) -> date | None:
        day = date(year, 9, 4) + timedelta(days=self.rng.randrange(35))
        forgotten = self.rng.random() < (0.07 if year == school_year_of(self.today) else 0.01)
        return None if forgotten or day > self.today else day

    def school(self, person: Person, level: str) -> School:
        """The school of the child for that cycle, in the team's perimeter; a lycée stands outside it."""
        nature = nature_of(level)
        team = person.household.team
        if nature == Nature.LYCEE:
            return self.territory.lycees[team.arrondissement_id]
        if nature not in person.schools:
            person.schools[nature] = self.rng.choice(self.territory.schools[team.pk, nature])
        return person.schools[nature]


def qpv_code(number: str, on: date) -> str:
    """The code of one invented priority neighbourhood, in the generation in force on a day."""
    prefix = {"zus": "ZU", "qpv2015": "QP", "qpv2024": "QN"}[Residence.generation_on(on)]
    return f"{prefix}0759{number}"
