"""Fill an empty database with the invented city, in one transaction: all of it, or nothing."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from dateutil.relativedelta import relativedelta
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from audit.encryption.keys import key_ring
from audit.history import SYSTEM_EMAIL, acting_as, system_account
from audit.journal.models import Event
from audit.journal.record import record_event
from partners.models import Organisation, School
from pre_cases.demo.associations import build_associations, lead_projects
from pre_cases.demo.batch import Batch
from pre_cases.demo.calendar import (
    Targets,
    Timeline,
    current_timelines,
    evaluations,
    leavers,
    past_timelines,
    this_school_year,
)
from pre_cases.demo.children import Person, Town
from pre_cases.demo.epre import tell_epre
from pre_cases.demo.exceptions import tell_exceptions
from pre_cases.demo.files import Archive
from pre_cases.demo.life import tell_life
from pre_cases.demo.retention import keep_the_past
from pre_cases.demo.rights import tell_requests
from pre_cases.demo.staff import Staff, build_staff
from pre_cases.demo.stories import Stories
from pre_cases.demo.support import Support
from pre_cases.demo.territory import Territory, build_territory
from pre_cases.demo.waiting import Mailbox
from pre_cases.demo.week import tell_week
from pre_cases.models import Child, Parcours
from referents.models import Arrondissement, Team, User

LOADED = "load_demo"  # the journal's event that tells a database of the demonstration from any other
FILES_AT_ONCE = 300
EVALUATIONS = 60 / 1_400  # children in evaluation for each child followed this school year
ATTACHED = 0.02
THE_PROGRAMME = Targets()


class NotEmpty(Exception):
    """The database holds something that the demonstration did not put there; the message says so in French."""


@dataclass(frozen=True)
class Loaded:
    """What was loaded: distinct children followed this school year, and children in all."""

    this_year: int
    children: int


def is_loaded() -> bool:
    """Whether this database is a demonstration, loaded to the end."""
    return Event.objects.filter(action=LOADED).exists()


def require_empty() -> None:
    """Refuse a database that holds accounts, schools, teams or children: they could be real."""
    if User.objects.exclude(email=SYSTEM_EMAIL).exists():
        raise NotEmpty("Cette base contient déjà des comptes : la démonstration ne se charge que dans une base vide.")
    for model in (Arrondissement, Team, School, Organisation, Child):
        if model._default_manager.exists():
            raise NotEmpty(
                f"Cette base contient déjà des données ({model._meta.verbose_name_plural}) : "
                "la démonstration ne se charge que dans une base vide."
            )


def load(
    *,
    seed: int,
    today: date,
    targets: Targets = THE_PROGRAMME,
    say: Callable[[str], object] = lambda line: None,
) -> Loaded:
    """Load the invented city as it stands on ``today``; the same seed and day give the same facts.

    ``say`` receives a French line at each step. Raises NotEmpty. Interrupted, it leaves the database as it was; keys
    without data are swept later from the keystore.
    """
    with key_ring(), without_collection(), transaction.atomic():
        require_empty()
        with acting_as(system_account()):
            loaded = City(seed, today, targets, say).build()
            record_event(LOADED, detail={"seed": seed, "today": today.isoformat(), "children": loaded.children})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # the pages are planned on what is there
    return loaded


def followed_during(period: tuple[date, date]) -> int:
    """Distinct children already in the database who were followed on a day of the period, both ends included."""
    first, last = period
    lasting = Q(closed_on__isnull=True) | Q(closed_on__gte=first)
    return Parcours.objects.filter(lasting, entered_on__lte=last).values("child").distinct().count()


@contextmanager
def without_collection() -> Iterator[None]:
    """Hundreds of thousands of rows and no cycle among them: looking for some would take half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class City:
    """One loading, step after step; every step draws from its own generator, so that none disturbs another."""

    def __init__(self, seed: int, today: date, targets: Targets, say: Callable[[str], object]) -> None:
        self.seed = seed
        self.today = today
        self.targets = targets
        self.say = say
        self.children = 0

    def chance(self, step: str) -> Random:
        return Random(f"{self.seed}/{step}")  # noqa: S311  # nosec B311 - an invented city, not a secret

    def build(self) -> Loaded:
        self.say("Équipes, écoles, organismes et projets…")
        territory = build_territory(self.chance("territory"))
        staff = build_staff(self.chance("staff"), territory, self.today)
        associations = build_associations(self.chance("associations"), territory, self.today, staff.home)
        lead_projects(associations, staff)
        batch = Batch()
        town = Town(self.chance("children"), territory, batch, self.today)
        support = Support(self.chance("support"), batch, staff, associations, self.today)
        archive = Archive(self.chance("files"), batch, staff, support, self.today)
        rng = self.chance("calendar")
        self.say(f"Années passées : {self.targets.since_2007} enfants d’octobre 2007 à juin 2014…")
        past = past_timelines(rng, self.targets.since_2007, self.targets.in_2014)
        for _ in self.files(past, town, archive, batch, rng, [1.0 for _ in territory.teams]):
            pass
        self.say(f"Année scolaire en cours : {self.targets.this_year} enfants…")
        town.latest.clear()
        is_today = self.today == timezone.localdate()
        ines = Stories(territory, staff, associations).tell() if is_today else None
        self.add_current(territory, staff, town, archive, batch, rng)
        if ines is not None:
            tell_exceptions(staff, ines)
            tell_week(staff, ines)
            former = Parcours.objects.in_team(staff.home.pk).exclude(child__parcours_list__closed_on__isnull=True)
            tell_epre(staff, ines)
            tell_life(staff, ines)
            tell_requests(staff, ines, former.order_by("-closed_on", "pk").first())
        held = keep_the_past(self.chance("retention"), staff, self.today)
        self.say(f"Passé conservé pour le bilan du programme : {held} enfants, avec un auteur et une fin…")
        return Loaded(self.targets.this_year, self.children)

    def add_current(
        self, territory: Territory, staff: Staff, town: Town, archive: Archive, batch: Batch, rng: Random
    ) -> None:
        """Today's parcours, evaluations and saisines, and those who left before; stories already told are counted."""
        mailbox = Mailbox(self.chance("waiting"), batch, town, archive, staff, self.today)
        this_year = this_school_year(self.today)
        last_year = (this_year[0] - relativedelta(years=1), this_year[0] - timedelta(days=1))
        followed = current_timelines(rng, self.today, self.targets.this_year - followed_during(this_year))
        before = leavers(rng, followed, last_year, self.targets.this_year - followed_during(last_year))
        waiting = evaluations(rng, self.today, round(EVALUATIONS * self.targets.this_year))
        shares = [len(staff.referents[team.pk]) * (1.15 if team == staff.home else 1.0) for team in territory.teams]
        for person in self.files([*before, *followed, *waiting], town, archive, batch, rng, shares):
            stay = person.timeline.stays[-1]
            if stay.closed_on is None and stay.entered_on is not None and rng.random() < ATTACHED:
                mailbox.attach(person)
        for team in territory.teams:
            mailbox.fill(team)
        batch.save()

    def files(
        self,
        timelines: list[Timeline],
        town: Town,
        archive: Archive,
        batch: Batch,
        rng: Random,
        shares: list[float],
    ) -> Iterator[Person]:
        """Make the files of these children, each in a team drawn in proportion to ``shares``, and save them."""
        teams = town.territory.teams
        for rank, timeline in enumerate(timelines, start=1):
            person = town.person(timeline, rng.choices(teams, weights=shares)[0])
            archive.add(person)
            self.children += 1
            yield person
            if rank % FILES_AT_ONCE == 0:
                batch.save()
        batch.save()
