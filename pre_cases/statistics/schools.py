"""Establishments of the perimeter and those concerned, by nature; and the teams at work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import F, Q

from audit.disclosure.cells import TOTAL, Subject
from partners.models import SchoolNature, SchoolTeam
from partners.models.school import Nature
from pre_cases.models import Schooling
from pre_cases.statistics.extent import Extent
from pre_cases.statistics.period import Period
from pre_cases.statistics.population import Population
from pre_cases.statistics.tables import (
    UNKNOWN,
    Category,
    Figures,
    Measure,
    Spec,
    Tally,
    Variable,
    choices_variable,
)

SCHOOLS = Measure("schools", "établissements")
NATURE = choices_variable("nature", "Nature", Nature, rare=(Nature.LYCEE, Nature.SPECIALISED, Nature.OTHER))
ONCE = (
    "un établissement dont la nature a changé dans la période compte une fois au total et une fois dans chacune de ses "
    "natures"
)


def schools(population: Population) -> list[Figures]:
    period, extent = population.period, population.extent
    natures = _natures(period)
    perimeter = SchoolTeam.objects.filter(period.overlapped(), team__in=extent.by_team)
    links = set(perimeter.order_by().values_list("school_id", "team_id"))
    return [
        _by_nature(
            "schools_perimeter",
            "Établissements du périmètre",
            f"Établissements dont une équipe avait la charge un jour au moins de la période ; {ONCE}.",
            links,
            natures,
            extent,
        ),
        _by_nature(
            "schools_concerned",
            "Établissements concernés",
            "Établissements où un enfant suivi était scolarisé (scolarité confirmée) un jour où il était suivi dans la "
            f"période ; {ONCE}.",
            _concerned(population),
            natures,
            extent,
        ),
        _teams(population, {team_id for _, team_id in links}),
    ]


def _natures(period: Period) -> dict[int, set[str]]:
    """Every nature that each school had on a day of the period."""
    natures: dict[int, set[str]] = defaultdict(set)
    facts = SchoolNature.objects.filter(period.overlapped()).order_by()
    for school_id, nature in facts.values_list("school_id", "nature"):
        natures[school_id].add(nature)
    return natures


def _concerned(population: Population) -> set[tuple[int, int]]:
    """(school, team) pairs: a confirmed schooling day that is also a followed day of the period."""
    period = population.period
    parcours = "child__parcours_list__"
    rows = Schooling.objects.filter(
        period.followed(parcours),
        Q(**{f"{parcours}closed_on__isnull": True}) | Q(starts_on__lte=F(f"{parcours}closed_on")),
        **{f"{parcours}team__in": population.extent.by_team},
        confirmed_on__isnull=False,
        school__isnull=False,
        starts_on__lte=period.ends_on,
        ends_on__gt=F(f"{parcours}entered_on"),
    ).filter(ends_on__gt=period.starts_on)
    return set(rows.order_by().values_list("school_id", f"{parcours}team_id").distinct())


def _by_nature(
    code: str,
    title: str,
    definition: str,
    links: Iterable[tuple[int, int]],
    natures: dict[int, set[str]],
    extent: Extent,
) -> Figures:
    unknown = Category(UNKNOWN, "nature non renseignée", only_if_counted=True)
    variable = Variable(NATURE.code, NATURE.label, (*NATURE.categories, unknown))
    spec = Spec(
        code, title, definition, "établissements distincts", variable, (SCHOOLS,), subject=Subject.OTHER, adds_up=False
    )
    places = {(school, place) for school, team in links for place in extent.by_team.get(team, ())}
    tally = Tally(spec, extent)
    for school_id, geography in places:
        tally.put(geography, TOTAL)
        for nature in natures.get(school_id) or {UNKNOWN}:
            tally.put(geography, nature)
    return tally.figures()


def _teams(population: Population, perimeter: set[int]) -> Figures:
    """Teams that followed a child, or answered for a school, on a day of the period."""
    extent = population.extent
    spec = Spec(
        "teams",
        "Équipes et arrondissements",
        "Équipes qui ont suivi un enfant ou eu la charge d’un établissement un jour au moins de la période.",
        "équipes pluridisciplinaires",
        Variable("team", "Équipe", ()),
        (Measure("teams", "équipes"), Measure("arrondissements", "arrondissements")),
        subject=Subject.OTHER,
        adds_up=False,
    )
    tally = Tally(spec, extent)
    at_work = perimeter | {stay.team_id for stay in population.stays}
    areas: dict[str, set[str]] = defaultdict(set)
    for team_id in at_work:
        tally.add(team_id, TOTAL, measure="teams")
        places = extent.by_team[team_id]
        for geography in places:
            areas[geography].add(next((place for place in places if place.startswith("arrondissement:")), geography))
    for geography, held in areas.items():
        tally.put(geography, TOTAL, measure="arrondissements", number=len(held))
    return tally.figures()
