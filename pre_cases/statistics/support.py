"""What was done for the followed children: signs of fragility, objectives with their results, actions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet

from partners.models import Nomenclature, OrganisationKind, Term, TimeSlot
from pre_cases.models import Action, ActionMode, ActionNature, Objective, ObjectiveResult, SaisineSign
from pre_cases.statistics.population import CHUNK, Population
from pre_cases.statistics.tables import (
    CHILDREN,
    OBJECTIVES,
    SHARE,
    TOTAL,
    UNKNOWN,
    Category,
    Figures,
    Spec,
    Tally,
    Variable,
    choices_variable,
    signature,
    term_code,
    term_variable,
    tie,
)
from pre_cases.statistics.values import ties_of_headings, ties_of_values

Values = dict[UUID, set[str]]

MANY = "un enfant compte une fois dans chaque valeur, et les valeurs ne s’additionnent pas."
BASE = "enfants suivis pour lesquels une valeur au moins est enregistrée"
ACTION = "Actions commencées, en cours un jour où l’enfant était suivi dans la période"
RESULT = choices_variable("result", "Résultat", ObjectiveResult).with_unknown()
PER_CHILD = Spec(
    "actions_per_child",
    "Nombre d’actions par enfant suivi",
    f"{ACTION} ; les actions seulement prévues ne comptent pas.",
    "enfants suivis dans la période",
    Variable(
        "actions",
        "Actions",
        (
            Category("0", "aucune"),
            Category("1", "1"),
            Category("2", "2"),
            Category("3", "3"),
            Category("4_over", "4 et plus"),
        ),
    ),
    (CHILDREN,),
)


def signs(population: Population) -> list[Figures]:
    """Signs of the saisine that opened the last parcours followed, by heading and in detail."""
    rows = [
        (child_id, sign, parcours_id)
        for child_id, sign, parcours_id in SaisineSign.objects.filter(
            population.period.followed("saisine__parcours__"), saisine__child__in=population.child_ids()
        )
        .order_by()
        .values_list("saisine__child_id", "sign_id", "saisine__parcours__id")
        .iterator(chunk_size=CHUNK)
    ]
    children = population.children
    kept = [(c, term_code(s)) for c, s, p in rows if c in children and children[c].last.id == p]
    headings = sign_headings()
    words = f"Signes de la saisine qui a ouvert le parcours ; {MANY}"
    period = population.period
    heading = term_variable("sign_heading", "Signe (rubrique)", Nomenclature.SIGN, period, depth="top")
    detail = term_variable("sign", "Signe", Nomenclature.SIGN, period)
    held = _values(population, kept)
    above = {child_id: {headings[sign] for sign in own} for child_id, own in held.items()}
    base = Tally(tie("tie_signs"), population.extent)
    for child_id, child in children.items():
        part = TOTAL if child_id in held else UNKNOWN
        base.add(child.team_id, signature(f"movement:{TOTAL}", f"signs:{part}", f"signs_heading:{part}"))
    return [
        _multiple(
            population,
            Spec("signs_heading", "Signes de fragilité par rubrique", words, BASE, heading, (), adds_up=False),
            above,
        ),
        _multiple(population, Spec("signs", "Signes de fragilité", words, BASE, detail, (), adds_up=False), held),
        base.figures(),
        *ties_of_headings(population.extent, "signs", "signs_heading", headings, _by_team(population, held)),
    ]


def _values(population: Population, pairs: Iterable[tuple[UUID, str]]) -> Values:
    """The values that each followed child holds; those who hold none are not there."""
    held: Values = {}
    for child_id, value in pairs:
        if child_id in population.children:
            held.setdefault(child_id, set()).add(value)
    return held


def _by_team(population: Population, held: Values) -> Iterator[tuple[int, set[str]]]:
    return ((population.children[child_id].team_id, values) for child_id, values in held.items())


def sign_headings() -> dict[str, str]:
    """The heading of each sign of fragility, by code."""
    return {
        code: parent or code for code, parent in Term.objects.of(Nomenclature.SIGN).values_list("code", "parent__code")
    }


def _multiple(population: Population, spec: Spec, held: Values) -> Figures:
    """A table of several values a child: each value once a child, the base, those without any, and the shares."""
    measured = Spec(
        spec.code,
        spec.title,
        spec.definition,
        spec.base,
        spec.variable.with_unknown(),
        (CHILDREN, SHARE),
        adds_up=False,
    )
    tally = Tally(measured, population.extent)
    for child_id, child in population.children.items():
        values = held.get(child_id, ())
        for value in values:
            tally.add(child.team_id, value)
        tally.add(child.team_id, TOTAL if values else UNKNOWN)
    tally.derive_shares()
    return tally.figures()


# -- actions --------------------------------------------------------------------------------------------------------


def lived_actions(population: Population) -> QuerySet[Any]:
    """Actions true of a day on which the child was followed in the period; planned ones have no start."""
    parcours = "objective__parcours__"
    return Action.objects.filter(
        population.period.overlapped(),
        population.period.followed(parcours),
        Q(ends_on__isnull=True) | Q(ends_on__gt=F(f"{parcours}entered_on")),
        Q(**{f"{parcours}closed_on__isnull": True}) | Q(starts_on__lte=F(f"{parcours}closed_on")),
        **{f"{parcours}child__in": population.child_ids()},
    ).order_by()


def actions(population: Population) -> list[Figures]:
    lived = lived_actions(population)
    period = population.period
    domain = term_variable("domain", "Domaine", Nomenclature.DOMAIN, period)
    described = (
        ("actions_domain", "Actions par domaine", domain, "domain_id"),
        ("actions_mode", "Actions par mode", choices_variable("mode", "Mode", ActionMode), "mode"),
        ("actions_nature", "Actions par nature", choices_variable("nature", "Nature", ActionNature), "nature"),
        ("actions_time_slot", "Actions par créneau", choices_variable("time_slot", "Créneau", TimeSlot), "time_slot"),
        (
            "actions_partner",
            "Actions par nature de partenaire",
            choices_variable("partner", "Partenaire", OrganisationKind, rare=OrganisationKind.values),
            "partner__kind",
        ),
    )
    held = {code: _values(population, _recorded(lived, column)) for code, _, _, column in described}
    tables = [
        _multiple(
            population,
            Spec(code, f"Enfants suivis : {title.lower()}", f"{ACTION} ; {MANY}", BASE, variable, (), adds_up=False),
            held[code],
        )
        for code, title, variable, _ in described
    ]
    ties = [
        tied
        for code, _, variable, _ in described
        for tied in ties_of_values(
            population.extent, code, [value.code for value in variable.categories], _by_team(population, held[code])
        )
    ]
    return [*tables, *_actions_per_child(population, lived, held), *ties]


def _recorded(lived: QuerySet[Any], column: str) -> Iterator[tuple[UUID, str]]:
    """Each value once a child; what is not filled in is no value."""
    rows = lived.values_list("objective__parcours__child_id", column).distinct()
    for child_id, value in rows.iterator(chunk_size=CHUNK):
        if value:
            yield child_id, term_code(value) if column.endswith("_id") else value


def _actions_per_child(population: Population, lived: QuerySet[Any], held: Mapping[str, Values]) -> list[Figures]:
    """How many each child has; and what ties it to the other tables: no action is nothing recorded of any."""
    tally = Tally(PER_CHILD, population.extent)
    tied = Tally(tie("tie_actions"), population.extent)
    rows = lived.values_list("objective__parcours__child_id").annotate(Count("pk"))
    numbers = Counter(dict(rows.iterator(chunk_size=CHUNK)))
    for child_id, child in population.children.items():
        number = "4_over" if numbers[child_id] >= 4 else str(numbers[child_id])
        tally.add(child.team_id, number)
        totals = (f"{code}:{TOTAL if child_id in values else UNKNOWN}" for code, values in held.items())
        tied.add(child.team_id, signature(f"{PER_CHILD.code}:{number}", *totals))
    return [tally.figures(), tied.figures()]


# -- objectives -----------------------------------------------------------------------------------------------------


def objectives(population: Population) -> list[Figures]:
    """Results of the objectives of the parcours closed in the period, by domain and by priority."""
    period = population.period
    closed = Objective.objects.filter(
        period.followed("parcours__"),
        parcours__closed_on__lte=period.ends_on,
        parcours__team__in=population.extent.by_team,
    ).order_by()
    tied = Tally(tie("tie_objectives"), population.extent)
    crossed = closed.values_list("parcours__team_id", "domain_id", "priority_id", "result").annotate(Count("pk"))
    for team_id, domain_id, priority_id, result, number in crossed:
        cells = {"domain": domain_id, "priority": priority_id}
        own = (f"objectives_{name}:{term_code(term)}:{result or UNKNOWN}" for name, term in cells.items())
        tied.add(team_id, signature(*own), number=number)
    described = (
        ("domain", "domaine", "Domaine", Nomenclature.DOMAIN),
        ("priority", "priorité", "Priorité", Nomenclature.PRIORITY),
    )
    tables = []
    for column, word, label, nomenclature in described:
        spec = Spec(
            f"objectives_{column}",
            f"Résultats des objectifs par {word}",
            "Objectifs des parcours clos dans la période, chacun avec son résultat à la clôture.",
            "objectifs des parcours clos dans la période",
            term_variable(column, label, nomenclature, period),
            (OBJECTIVES,),
            variable_2=RESULT,
        )
        tally = Tally(spec, population.extent)
        rows = closed.values_list("parcours__team_id", f"{column}_id", "result").annotate(Count("pk"))
        for team_id, term_id, result, number in rows:
            tally.add(team_id, term_code(term_id), result or UNKNOWN, number=number)
        tables.append(tally.figures())
    return [*tables, tied.figures()]
