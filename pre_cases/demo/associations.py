"""The directory of resources, and each year's associative projects with their million euros."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from random import Random

from partners.models import (
    AgeBand,
    Organisation,
    OrganisationKind,
    Project,
    ProjectHeadcount,
    ProjectLead,
    ProjectTeam,
    Sex,
)
from partners.models.project import TimeSlot, school_year_of
from pre_cases.demo.names import WAYS, address, picked
from pre_cases.demo.staff import LEADERS, Staff
from pre_cases.demo.territory import Territory
from referents.models import Team
from referents.text import normalised

BUDGET = 1_000_000  # euros granted to the projects of one school year, staff excluded
PROJECTS_A_YEAR = 86
PAST_YEARS = range(2007, 2015)
KINDS = [
    (OrganisationKind.CENTRE_SOCIAL_ASSOCIATION, "Centre social associatif", 28),
    (OrganisationKind.CENTRE_SOCIAL_CAF, "Centre social CAF", 6),
    (OrganisationKind.SOLIDARITY_NETWORK, "Réseau de voisinage", 4),
    (OrganisationKind.ACCORDERIE, "Accorderie", 3),
    (OrganisationKind.PAD, "Point d’accès au droit", 5),
    (OrganisationKind.MJD, "Maison de justice et du droit", 3),
    (OrganisationKind.PIMMS, "PIMMS", 2),
    (OrganisationKind.YOUTH_OFFICE, "Antenne jeunes", 8),
    (OrganisationKind.CENTRE_ANIMATION, "Centre d’animation", 10),
    (OrganisationKind.PUBLIC_SERVICE, "Service social scolaire", 8),
]
CENTRES_SOCIAUX_IN_QPV = 21
ASSOCIATIONS = [
    "L’Atelier des cartables",
    "Lire en bas de chez soi",
    "Les Pieds dans l’encre",
    "Coup de pouce du quartier",
    "La Grande Lessive",
    "Passerelles d’écoliers",
    "Les Mercredis bleus",
    "Un Toit pour apprendre",
    "La Fabrique à histoires",
    "Les Petits Relais",
    "Le Chant des cours",
    "Rue des parents",
    "L’Échappée douce",
    "Le Ballon rond des cours",
    "La Boussole",
    "Les Jardins suspendus",
    "Terrain d’entente",
    "La Ruche aux devoirs",
    "Mots et merveilles",
    "Cap sur le collège",
    "Les Tréteaux du canal",
    "Un Pas de côté",
    "Sciences en poche",
    "Le Fil d’Ariane",
    "Les Explorateurs du samedi",
    "Café des familles",
    "La Caravane des livres",
    "Les Sentiers buissonniers",
    "Tous au théâtre",
    "La Maison des jeux",
    "Grandir ensemble",
    "Le Temps des copains",
    "Les Ateliers du pont",
    "À voix haute",
    "Parents en chemin",
    "Le Cerf-volant",
]
# title, domain, priority, time slot
OFFERS = [
    ("Accompagnement à la scolarité", "educatif", "decrochage", TimeSlot.AFTER_SCHOOL),
    ("Club de lecture et d’écriture", "educatif", "decrochage", TimeSlot.AFTER_SCHOOL),
    ("Aide aux devoirs au collège", "educatif", "decrochage", TimeSlot.EVENING),
    ("Stages de révision", "educatif", "decrochage", TimeSlot.HOLIDAYS),
    ("Accueil des collégiens exclus temporairement", "educatif", "decrochage", TimeSlot.SCHOOL_TIME),
    ("Jeux de société et de langage", "periscolaire", "decrochage", TimeSlot.AFTER_SCHOOL),
    ("Ateliers du mercredi", "periscolaire", "sante", TimeSlot.WEDNESDAY),
    ("Sorties du samedi", "periscolaire", "sante", TimeSlot.WEEKEND),
    ("Séjours de vacances", "periscolaire", "sante", TimeSlot.HOLIDAYS),
    ("Atelier théâtre", "culturel", "decrochage", TimeSlot.WEDNESDAY),
    ("Chorale et percussions", "culturel", "sante", TimeSlot.AFTER_SCHOOL),
    ("Découverte des musées", "culturel", "parents", TimeSlot.WEEKEND),
    ("Atelier d’arts plastiques", "culturel", "sante", TimeSlot.WEDNESDAY),
    ("Café des parents", "social", "parents", TimeSlot.EVENING),
    ("Ateliers parents et enfants", "social", "parents", TimeSlot.WEDNESDAY),
    ("Médiation entre l’école et les familles", "social", "parents", TimeSlot.SCHOOL_TIME),
    ("Bien manger, bien dormir", "sanitaire", "sante", TimeSlot.WEDNESDAY),
    ("Sport et confiance en soi", "sanitaire", "sante", TimeSlot.WEEKEND),
]  # fmt: skip


@dataclass
class Associations:
    """Who may be named as a partner, and the projects by school year with the places still free."""

    organisations: list[Organisation] = field(default_factory=list)
    partners: list[Organisation] = field(default_factory=list)
    projects: dict[tuple[int, int], list[Project]] = field(default_factory=dict)  # by team, school year
    places: dict[int, int] = field(default_factory=dict)  # by project
    led: list[Project] = field(default_factory=list)  # this school year's, by leader; the demonstration's comes first


def build_associations(rng: Random, territory: Territory, today: date, home: Team) -> Associations:
    """The directory and every year's projects; ``home`` is the team of the leader's project."""
    associations = Associations()
    numbers = [team.arrondissement_id for team in territory.teams]
    ways = rng.sample(WAYS, len(WAYS))
    for kind, label, count in KINDS:
        for position in range(count):
            associations.organisations.append(
                organisation(rng, f"{label} {ways[(position * 7 + len(label)) % len(ways)]}", kind, rng.choice(numbers))
            )
    centres = [o for o in associations.organisations if o.kind.startswith("centre_social")]
    for centre in picked(rng, centres, CENTRES_SOCIAUX_IN_QPV):
        centre.in_qpv = True
    associations.partners = [
        organisation(rng, name, OrganisationKind.ASSOCIATION, rng.choice(numbers)) for name in ASSOCIATIONS
    ]
    for partner in associations.partners:
        partner.in_qpv = rng.random() < 0.6
    associations.organisations += associations.partners
    Organisation.objects.bulk_create(associations.organisations)
    current = school_year_of(today)
    for year in sorted({*PAST_YEARS, current - 1, current}):
        build_year(rng, associations, territory, year, today, home)
    return associations


def organisation(rng: Random, name: str, kind: OrganisationKind, arrondissement: int) -> Organisation:
    return Organisation(
        name=name,
        search_name=normalised(name),
        kind=kind,
        arrondissement_id=arrondissement,
        in_qpv=kind not in (OrganisationKind.CENTRE_SOCIAL_ASSOCIATION, OrganisationKind.CENTRE_SOCIAL_CAF)
        and rng.random() < 0.4,
        address=address(rng, arrondissement),
        phone=f"01 99 00 {rng.randint(10, 99)} {rng.randint(10, 99)}",
    )


def build_year(
    rng: Random, associations: Associations, territory: Territory, year: int, today: date, home: Team
) -> None:
    """One school year: its projects, the teams they admit, what they are granted and the children they declare."""
    pairs = [(partner, offer) for partner in associations.partners for offer in OFFERS]
    first = pairs[:1]  # the same association carries the same project every year: the demonstration's leader runs it
    chosen = first + rng.sample(pairs[1:], PROJECTS_A_YEAR - 1)
    projects = [project(rng, partner, offer, year) for partner, offer in chosen]
    share_budget(rng, projects, over=date(year + 1, 9, 1) <= today)
    Project.objects.bulk_create(projects)
    admissions = []
    for rank, made in enumerate(projects):
        teams = [home, *same_arrondissement(territory, home)] if rank == 0 else admitted(rng, territory, made, rank)
        for team in teams:
            admissions.append(ProjectTeam(project=made, team=team))
            associations.projects.setdefault((team.pk, year), []).append(made)
        associations.places[made.pk] = made.places
    ProjectTeam.objects.bulk_create(admissions)
    ProjectHeadcount.objects.bulk_create([row for made in projects for row in headcounts(rng, made, year, today)])
    if year == school_year_of(today):
        associations.led = projects[:LEADERS]


def lead_projects(associations: Associations, staff: Staff) -> None:
    """Each leader runs one project of this school year, from its first day."""
    ProjectLead.objects.bulk_create(
        ProjectLead(project=led, user=user, starts_on=led.starts_on)
        for led, user in zip(associations.led, staff.leaders, strict=True)
    )


def project(rng: Random, partner: Organisation, offer: tuple[str, str, str, TimeSlot], year: int) -> Project:
    title, domain, priority, slot = offer
    return Project(
        organisation=partner,
        title=title,
        search_title=normalised(title),
        domain_id=f"domain:{domain}",
        priority_id=f"priority:{priority}",
        time_slot=slot,
        school_year=year,
        places=rng.choice([8, 10, 12, 12, 15, 15, 20, 24, 30]),
    )


def share_budget(rng: Random, projects: list[Project], *, over: bool) -> None:
    """Grant exactly the budget, in hundreds of euros; what is asked for is more, what is spent is known at the end."""
    weights = [made.places * rng.uniform(0.6, 1.5) for made in projects]
    amounts = [round(BUDGET * weight / sum(weights) / 100) * 100 for weight in weights]
    amounts[0] += BUDGET - sum(amounts)
    for made, amount in zip(projects, amounts, strict=True):
        made.granted = Decimal(amount)
        made.requested = Decimal(round(amount * rng.uniform(1.0, 1.6) / 100) * 100)
        made.spent = Decimal(round(amount * rng.uniform(0.88, 1.0))) if over else Decimal(0)


def same_arrondissement(territory: Territory, team: Team) -> list[Team]:
    return [t for t in territory.teams if t.arrondissement_id == team.arrondissement_id and t.pk != team.pk]


def admitted(rng: Random, territory: Territory, made: Project, rank: int) -> list[Team]:
    """One team in turn, so that each has its projects, and sometimes a neighbour."""
    team = territory.teams[rank % len(territory.teams)]
    neighbours = same_arrondissement(territory, team)
    return [team, rng.choice(neighbours)] if neighbours and rng.random() < 0.3 else [team]


def headcounts(rng: Random, made: Project, year: int, today: date) -> list[ProjectHeadcount]:
    """Children without a parcours that the association declares for the year, by sex and age."""
    shares = {AgeBand.FROM_2: 0.12, AgeBand.FROM_6: 0.55, AgeBand.FROM_11: 0.30, AgeBand.FROM_17: 0.03}
    total = rng.randint(24, 42)
    rows = []
    for sex, half in ((Sex.GIRL, 0.46), (Sex.BOY, 0.54)):
        for band, share in shares.items():
            number = round(total * half * share * rng.uniform(0.7, 1.3))
            if number:
                rows.append(
                    ProjectHeadcount(
                        project=made,
                        starts_on=date(year, 9, 1),
                        ends_on=date(year + 1, 9, 1),
                        sex=sex,
                        age_band=band,
                        number=number,
                        declared_on=min(today, date(year, 10, 15)),
                    )
                )
    return rows
