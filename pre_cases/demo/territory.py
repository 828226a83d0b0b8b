"""The teams of the programme and the schools they answer for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from random import Random

from django.conf import settings

from partners.models import School, SchoolNature, SchoolPriorityStatus, SchoolTeam
from partners.models.school import Nature, PriorityStatus, Sector, uai_letter
from pre_cases.demo.names import WAYS
from referents.models import Arrondissement, Team

COLLEGES, ELEMENTARY, NURSERY = 41, 116, 101  # and one school that counts in both of the last two during 2014
SCHOOL_CHANGED_ON = date(2014, 9, 1)
BUILT_ON = date(1975, 9, 1)
PERIMETER_SINCE = date(2007, 9, 1)
LABELLED = 0.62  # share of the schools of the perimeter in éducation prioritaire
# One line of labels by kind of network, each with the day it began; the last one holds.
NETWORKS: dict[str, list[tuple[PriorityStatus | None, date]]] = {
    "strong": [
        (PriorityStatus.ZEP, date(1998, 9, 1)),
        (PriorityStatus.RAR, date(2006, 9, 1)),
        (PriorityStatus.ECLAIR, date(2011, 9, 1)),
        (PriorityStatus.REP_PLUS, date(2015, 9, 1)),
    ],
    "usual": [
        (PriorityStatus.ZEP, date(1998, 9, 1)),
        (PriorityStatus.RRS, date(2006, 9, 1)),
        (PriorityStatus.REP, date(2015, 9, 1)),
    ],
    "new": [(PriorityStatus.REP, date(2015, 9, 1))],
    "left": [(PriorityStatus.ZEP, date(1998, 9, 1)), (PriorityStatus.RRS, date(2006, 9, 1)), (None, date(2015, 9, 1))],
}


@dataclass
class Territory:
    """Teams in the order of the arrondissements, and the schools of each by nature."""

    teams: list[Team] = field(default_factory=list)
    schools: dict[tuple[int, str], list[School]] = field(default_factory=lambda: defaultdict(list))
    lycees: dict[int, School] = field(default_factory=dict)  # by arrondissement, outside the perimeter
    neighbourhoods: dict[int, list[str]] = field(default_factory=dict)  # three numbers by team


def build_territory(rng: Random) -> Territory:
    """Eight arrondissements, the last half of them with two teams; 259 establishments in the perimeter."""
    territory = Territory()
    numbers = sorted(settings.PROGRAMME_ARRONDISSEMENTS)
    for position, number in enumerate(numbers):
        arrondissement = Arrondissement.objects.create(number=number, name=f"Paris {number}e")
        parts = [("", "")] if position < len(numbers) // 2 else [("-a", " – Nord"), ("-b", " – Sud")]
        for suffix, side in parts:
            team = Team.objects.create(
                code=f"750{number:02d}{suffix}", name=f"Paris {number}e{side}", arrondissement=arrondissement
            )
            territory.teams.append(team)
            territory.neighbourhoods[team.pk] = [f"{3 * len(territory.teams) + i:02d}" for i in range(3)]
    build_schools(rng, territory)
    return territory


def build_schools(rng: Random, territory: Territory) -> None:
    kinds = [Nature.COLLEGE] * COLLEGES + [Nature.ELEMENTAIRE] * (ELEMENTARY + 1) + [Nature.MATERNELLE] * NURSERY
    names = {nature: rng.sample(WAYS, len(WAYS)) for nature in Nature}
    schools, facts = [], Facts()
    for rank, nature in enumerate(kinds):
        team = territory.teams[rank % len(territory.teams)]
        changes = rank == COLLEGES  # the first of the écoles élémentaires was a maternelle until September 2014
        school = school_of(rank, nature, names[nature], team.arrondissement_id, polyvalente=changes)
        schools.append(school)
        territory.schools[team.pk, nature].append(school)
        facts.nature(school, nature, changed=changes)
        facts.teams.append(SchoolTeam(school=school, team=team, starts_on=PERIMETER_SINCE))
        if rng.random() < LABELLED:
            facts.labels(school, rng.choices(list(NETWORKS), weights=[28, 62, 5, 5])[0])
    for rank, number in enumerate(sorted({team.arrondissement_id for team in territory.teams})):
        lycee = school_of(len(kinds) + rank, Nature.LYCEE, names[Nature.LYCEE], number)
        schools.append(lycee)
        territory.lycees[number] = lycee
        facts.nature(lycee, Nature.LYCEE)
    School.objects.bulk_create(schools)
    facts.save()


class Facts:
    """The dated facts about schools, gathered to be saved after them."""

    def __init__(self) -> None:
        self.natures: list[SchoolNature] = []
        self.statuses: list[SchoolPriorityStatus] = []
        self.teams: list[SchoolTeam] = []

    def nature(self, school: School, nature: Nature, *, changed: bool = False) -> None:
        since = SCHOOL_CHANGED_ON if changed else BUILT_ON
        if changed:
            self.natures.append(
                SchoolNature(school=school, nature=Nature.MATERNELLE, starts_on=BUILT_ON, ends_on=since)
            )
        self.natures.append(SchoolNature(school=school, nature=nature, starts_on=since))

    def labels(self, school: School, network: str) -> None:
        line = NETWORKS[network]
        ends = [*(since for _, since in line[1:]), None]
        self.statuses += [
            SchoolPriorityStatus(school=school, status=status, starts_on=since, ends_on=end)
            for (status, since), end in zip(line, ends, strict=True)
            if status is not None
        ]

    def save(self) -> None:
        SchoolNature.objects.bulk_create(self.natures)
        SchoolPriorityStatus.objects.bulk_create(self.statuses)
        SchoolTeam.objects.bulk_create(self.teams)


def school_of(rank: int, nature: Nature, ways: list[str], arrondissement: int, *, polyvalente: bool = False) -> School:
    """A school with a number kept out of the range of the real ones, and a valid letter."""
    kind = {
        Nature.MATERNELLE: "École maternelle",
        Nature.ELEMENTAIRE: "École polyvalente" if polyvalente else "École élémentaire",
        Nature.COLLEGE: "Collège",
        Nature.LYCEE: "Lycée",
    }[nature]
    way = ways[rank % len(ways)]
    again = rank // len(ways)  # the same street may hold a second school of that kind
    digits = f"0759{rank + 1:03d}"
    return School(
        uai=digits + uai_letter(digits),
        name=f"{kind} {'rue ' if nature in (Nature.MATERNELLE, Nature.ELEMENTAIRE) else ''}{way}"
        + (f" {'ABCD'[again]}" if again else ""),
        sector=Sector.PUBLIC,
        address=f"{3 + 2 * (rank % 40)} rue {way}",
        postcode=f"750{arrondissement:02d}",
        city="Paris",
        departement="075",
        arrondissement_id=arrondissement,
        opened_on=BUILT_ON,
    )
