"""Associative projects and their money, the places held by followed children, and the children declared apart."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db.models import Max, Sum

from audit.disclosure.cells import TOTAL, Subject
from partners.models import AgeBand, Nomenclature, Project, ProjectHeadcount, ProjectTeam, Sex
from pre_cases.models import Enrolment
from pre_cases.statistics.extent import Extent
from pre_cases.statistics.period import Period
from pre_cases.statistics.population import CHUNK
from pre_cases.statistics.tables import (
    Figures,
    Measure,
    Spec,
    Tally,
    choices_variable,
    signature,
    term_code,
    term_variable,
    tie,
)

OF_PERIOD = "Projets dont l’année scolaire commence (1er septembre) dans la période"
NUMBERS = (
    Measure("projects", "projets"),
    Measure("organisations", "organismes"),
    Measure("places", "places"),
)
AMOUNTS = (
    Measure("requested", "montant demandé (€)"),
    Measure("granted", "montant accordé (€)"),
    Measure("spent", "montant dépensé (€)"),
)
ENROLMENTS = (Measure("children", "enfants inscrits"), Measure("enrolments", "inscriptions"))
DECLARED = Measure("declared", "enfants déclarés par les associations")


def projects_of(period: Period) -> Any:
    """Projects whose school year begins inside the period."""
    first = period.starts_on.year + ((period.starts_on.month, period.starts_on.day) > (9, 1))
    last = period.ends_on.year - (period.ends_on.month < 9)
    return Project.objects.filter(school_year__range=(first, last)).order_by()


def projects(period: Period, extent: Extent) -> list[Figures]:
    return [_numbers(period, extent), _amounts(period, extent), *_enrolments(period, extent), _declared(period, extent)]


def _numbers(period: Period, extent: Extent) -> Figures:
    """A project open to several arrondissements counts once in Paris and once in each of them."""
    spec = Spec(
        "projects",
        "Projets associatifs",
        f"{OF_PERIOD} ; un projet ouvert à plusieurs arrondissements compte une fois à Paris et une fois dans chacun.",
        "projets de la période",
        term_variable("domain", "Domaine", Nomenclature.DOMAIN, period),
        NUMBERS,
        subject=Subject.OTHER,
        adds_up=False,
    )
    teams: dict[int, set[str]] = {}
    links = ProjectTeam.objects.filter(project__in=projects_of(period)).order_by()
    for project_id, team_id in links.values_list("project_id", "team_id"):
        teams.setdefault(project_id, set()).update(extent.by_team.get(team_id, ()))
    tally = Tally(spec, extent)
    carriers: set[tuple[str, str, int]] = set()
    rows = projects_of(period).values_list("pk", "organisation_id", "domain_id", "places")
    for project_id, organisation_id, domain_id, places in rows:
        everywhere = {extent.top} if extent.team_id is None else set()
        for geography in teams.get(project_id, set()) | everywhere:
            for category in (term_code(domain_id), TOTAL):
                tally.put(geography, category, measure="projects")
                tally.put(geography, category, measure="places", number=places)
                carriers.add((geography, category, organisation_id))
    for geography, category, _ in carriers:
        tally.put(geography, category, measure="organisations")
    return tally.figures()


def _amounts(period: Period, extent: Extent) -> Figures:
    """For the whole programme only: the grant of a project open to several teams is not divided among them."""
    spec = Spec(
        "project_amounts",
        "Financement des projets",
        f"{OF_PERIOD} ; un montant n’est pas réparti entre les équipes.",
        "projets de la période",
        term_variable("domain", "Domaine", Nomenclature.DOMAIN, period),
        AMOUNTS,
        subject=Subject.OTHER,
    )
    tally = Tally(spec, _top_only(extent))
    own = projects_of(period) if extent.team_id is None else projects_of(period).filter(teams=extent.team_id)
    sums = own.values_list("domain_id").annotate(Sum("requested"), Sum("granted"), Sum("spent"))
    for domain_id, *amounts in sums:
        for measure, amount in zip(AMOUNTS, amounts, strict=True):
            cents = amount.quantize(Decimal("0.01"))  # SQLite forgets the zeros
            tally.put(extent.top, term_code(domain_id), measure=measure.code, number=cents)
    return tally.figures()


def _top_only(extent: Extent) -> Extent:
    return Extent(extent.geographies[:1], extent.by_team, extent.team_id)


def _enrolments(period: Period, extent: Extent) -> list[Figures]:
    """Places held on a day of the period. A child counts in one team: that of the latest parcours with a place."""
    spec = Spec(
        "enrolments",
        "Enfants inscrits dans les projets",
        "Inscriptions en cours un jour au moins de la période ; un enfant inscrit deux fois est un enfant et deux "
        "inscriptions.",
        "enfants inscrits à un projet au moins",
        term_variable("domain", "Domaine", Nomenclature.DOMAIN, period),
        ENROLMENTS,
        adds_up=False,
    )
    rows = (
        Enrolment.objects.filter(period.overlapped())
        .order_by("parcours__child_id", "parcours__opened_on", "parcours_id")
        .values_list("parcours__child_id", "parcours__team_id", "project__domain_id")
    )
    team_of: dict[Any, int] = {}
    held: dict[Any, list[str]] = {}
    for child_id, team_id, domain_id in rows.iterator(chunk_size=CHUNK):
        team_of[child_id] = team_id
        held.setdefault(child_id, []).append(term_code(domain_id))
    tally, tied = Tally(spec, extent), Tally(tie("tie_enrolments"), extent)
    for child_id, domains in held.items():
        for domain in (*domains, *[TOTAL] * len(domains)):
            tally.add(team_of[child_id], domain, measure="enrolments")
        for domain in {*domains, TOTAL}:
            tally.add(team_of[child_id], domain)
        for place, domain in enumerate(domains):
            tied.add(team_of[child_id], signature(*_of_enrolment(domain, domains[:place])))
    return [tally.figures(), tied.figures()]


def _of_enrolment(domain: str, before: list[str]) -> Iterator[str]:
    """The first place of a child stands for the child, the first one in a domain for the child in that domain."""
    yield from (f"enrolments:{part}::enrolments" for part in (TOTAL, domain))
    if not before:
        yield f"enrolments:{TOTAL}"
    if domain not in before:
        yield f"enrolments:{domain}"


def _declared(period: Period, extent: Extent) -> Figures:
    """What associations declare of children without a parcours; never added to the followed children."""
    spec = Spec(
        "declared",
        "Enfants sans parcours déclarés par les associations",
        f"{OF_PERIOD} : effectifs déclarés par les associations, jamais ajoutés aux enfants suivis ; de plusieurs "
        "déclarations d’un projet, la plus forte de chaque tranche d’âge et sexe.",
        "enfants déclarés",
        choices_variable("age", "Tranche d’âge", AgeBand, rare=(AgeBand.UNDER_2,)),
        (DECLARED,),
        variable_2=choices_variable("sex", "Sexe", Sex),
    )
    own = projects_of(period) if extent.team_id is None else projects_of(period).filter(teams=extent.team_id)
    declared = ProjectHeadcount.objects.filter(project__in=own.values("pk")).order_by()
    tally = Tally(spec, _top_only(extent))
    for age_band, sex, _, number in declared.values_list("age_band", "sex", "project_id").annotate(Max("number")):
        tally.put(extent.top, age_band, sex, number=number)
    return tally.figures()
