"""Who was there, came, left and came back: children, parcours and evaluations, counted apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from django.db.models import Count, Q

from partners.models import Nomenclature
from pre_cases.models import Parcours
from pre_cases.statistics.population import Arrival, Population, Stay
from pre_cases.statistics.tables import (
    CHILDREN,
    PARCOURS,
    TOTAL,
    Category,
    Figures,
    Measure,
    Spec,
    Tally,
    Variable,
    term_code,
    term_variable,
)

BANDS = ((3, "0_3"), (6, "3_6"), (12, "6_12"), (18, "12_18"), (24, "18_24"))
LONGEST = "24_over"
DURATION = Variable(
    "duration",
    "Durée",
    (
        Category("0_3", "moins de 3 mois"),
        Category("3_6", "de 3 à moins de 6 mois"),
        Category("6_12", "de 6 à moins de 12 mois"),
        Category("12_18", "de 12 à moins de 18 mois"),
        Category("18_24", "de 18 à moins de 24 mois"),
        Category(LONGEST, "24 mois et plus"),
    ),
)
MEAN_DAYS = Measure("mean_days", "moyenne (jours)", base="parcours")
MEDIAN_DAYS = Measure("median_days", "médiane (jours)", base="parcours")

MOVEMENT = Spec(
    code="movement",
    title="Enfants suivis : mouvement de la période",
    definition=(
        "Un enfant est suivi s’il a, un jour au moins de la période, un parcours entré et non clos ; présents au "
        "début + arrivées − sorties = présents à la fin."
    ),
    base="enfants suivis dans la période (présents au début et arrivées)",
    variable=Variable(
        "movement",
        "Mouvement",
        (
            Category("start", "présents au début"),
            Category("arrival", "arrivées (entrées et retours)"),
            Category("exit", "sorties"),
            Category("end", "présents à la fin"),
        ),
    ),
    measures=(CHILDREN,),
    adds_up=False,
)
ARRIVALS = Spec(
    code="arrivals",
    title="Arrivées de la période : entrées et retours",
    definition=(
        "Une entrée est un premier parcours commencé dans la période ; un retour, un parcours commencé dans la période "
        "par un enfant absent au début et déjà suivi auparavant."
    ),
    base="enfants suivis qui n’étaient pas présents au début",
    variable=Variable("arrival", "Arrivée", (Category("entry", "entrées"), Category("re_entry", "retours"))),
    measures=(CHILDREN,),
)
INTERRUPTIONS = Spec(
    code="interruptions",
    title="Interruptions suivies d’une reprise",
    definition=(
        "Un enfant dont un parcours s’est clos puis un autre a commencé dans la période n’est ni sorti ni de retour : "
        "son interruption est comptée ici."
    ),
    base="enfants suivis dans la période",
    variable=Variable(
        "interruption",
        "Suivi",
        (Category("interrupted", "interruption suivie d’une reprise"), Category("continuous", "sans reprise")),
    ),
    measures=(CHILDREN,),
)
PARCOURS_MOVEMENT = Spec(
    code="parcours_movement",
    title="Parcours suivis : mouvement de la période",
    definition=(
        "Les parcours sont comptés à part des enfants : en cours au début + commencés − clos = en cours à la fin."
    ),
    base="parcours suivis dans la période",
    variable=Variable(
        "parcours_movement",
        "Mouvement",
        (
            Category("start", "en cours au début"),
            Category("opened", "commencés"),
            Category("closed", "clos"),
            Category("end", "en cours à la fin"),
        ),
    ),
    measures=(PARCOURS,),
    adds_up=False,
)
EVALUATIONS = Spec(
    code="evaluations",
    title="Évaluations de la situation, avant l’entrée en parcours",
    definition=(
        "Entre l’ouverture et l’entrée décidée, la situation est en évaluation ; une évaluation close sans entrée "
        "n’est ni une entrée ni une sortie."
    ),
    base="évaluations en cours un jour au moins de la période",
    variable=Variable(
        "evaluation",
        "Évaluation",
        (
            Category("start", "en cours au début"),
            Category("opened", "ouvertes"),
            Category("entered", "suivies d’une entrée en parcours"),
            Category("no_entry", "closes sans entrée en parcours"),
            Category("end", "en cours à la fin"),
        ),
    ),
    measures=(PARCOURS,),
    adds_up=False,
)
PASSAGES = Spec(
    code="passages",
    title="Enfants passés par l’équipe",
    definition=(
        "Enfants dont un parcours était suivi par l’équipe un jour au moins de la période ; comptés aussi par l’équipe "
        "suivante, ces nombres ne s’additionnent pas d’une équipe à l’autre."
    ),
    base="enfants passés par l’équipe",
    variable=Variable(
        "passage",
        "Au jour de référence",
        (Category("here", "suivis par l’équipe"), Category("elsewhere", "suivis par une autre équipe")),
    ),
    measures=(CHILDREN,),
)


def passages(population: Population) -> Figures:
    """For one team alone: those it followed and no longer does at their reference day."""
    tally = Tally(PASSAGES, population.extent)
    here = len(population.children)
    tally.put(population.extent.top, "here", number=here)
    tally.put(population.extent.top, "elsewhere", number=population.passed_through - here)
    return tally.figures()


def movement(population: Population) -> list[Figures]:
    period = population.period
    moves, arrivals, gaps = (Tally(spec, population.extent) for spec in (MOVEMENT, ARRIVALS, INTERRUPTIONS))
    for child in population.children.values():
        team, arrival = child.team_id, child.arrival(period)
        moves.add(team, TOTAL)
        moves.add(team, "start" if arrival is Arrival.PRESENT else "arrival")
        moves.add(team, "end" if child.is_present_at_end(period) else "exit")
        if arrival is not Arrival.PRESENT:
            arrivals.add(team, arrival.value)
        gaps.add(team, "interrupted" if child.was_interrupted else "continuous")
    return [tally.figures() for tally in (moves, arrivals, gaps)]


def parcours_movement(population: Population) -> Figures:
    period = population.period
    tally = Tally(PARCOURS_MOVEMENT, population.extent)
    for stay in population.stays:
        tally.add(stay.team_id, TOTAL)
        tally.add(stay.team_id, "start" if stay.entered_on < period.starts_on else "opened")
        tally.add(stay.team_id, "closed" if period.holds(stay.closed_on) else "end")
    return tally.figures()


def evaluations(population: Population) -> Figures:
    """Opened and neither entered nor closed: a file in evaluation from ``opened_on`` on."""
    first, last = population.period.starts_on, population.period.ends_on
    within = (first, last)
    lasting_at_start = Q(entered_on__gte=first) | Q(entered_on__isnull=True)
    lasting_at_start &= Q(closed_on__gte=first) | Q(closed_on__isnull=True)
    lasting_at_end = Q(entered_on__gt=last) | Q(entered_on__isnull=True)
    lasting_at_end &= Q(closed_on__gt=last) | Q(closed_on__isnull=True)
    conditions = {
        "start": Q(opened_on__lt=first) & lasting_at_start,
        "opened": Q(opened_on__range=within),
        "entered": Q(entered_on__range=within),
        "no_entry": Q(entered_on__isnull=True, closed_on__range=within),
        "end": Q(opened_on__lte=last) & lasting_at_end,
    }
    rows = (
        Parcours.objects.filter(lasting_at_start, opened_on__lte=last, team__in=population.extent.by_team)
        .values_list("team_id")
        .annotate(**{name: Count("pk", filter=condition) for name, condition in conditions.items()})
        .order_by()
    )
    tally = Tally(EVALUATIONS, population.extent)
    for team_id, *numbers in rows:
        for name, number in zip(conditions, numbers, strict=True):
            tally.add(team_id, name, number=number)
        tally.add(team_id, TOTAL, number=numbers[0] + numbers[1])
    return tally.figures()


def exits(population: Population) -> Figures:
    period = population.period
    spec = Spec(
        code="exits",
        title="Sorties par motif",
        definition=(
            "Un enfant est sorti s’il était suivi dans la période et n’est plus présent à sa fin ; le motif est celui "
            "du dernier parcours clos dans la période."
        ),
        base="enfants sortis dans la période",
        variable=term_variable("exit_reason", "Motif de sortie", Nomenclature.EXIT_REASON, period).with_unknown(),
        measures=(CHILDREN,),
    )
    tally = Tally(spec, population.extent)
    for child in population.children.values():
        if not child.is_present_at_end(period):
            tally.add(child.team_id, term_code(child.last.exit_reason_id or "") or "nr")
    return tally.figures()


def durations(population: Population) -> list[Figures]:
    """Closed and running parcours are two tables: a running duration is not over."""
    period = population.period
    closed = _durations(
        population,
        "duration_closed",
        "Durée des parcours clos dans la période",
        "De l’entrée en parcours au dernier jour suivi, tous deux compris ; tranches en mois de calendrier, borne "
        "basse comprise.",
        "parcours clos dans la période",
        lambda stay: stay.closed_on if period.holds(stay.closed_on) else None,
    )
    running = _durations(
        population,
        "duration_running",
        "Ancienneté des parcours en cours à la fin de la période",
        "De l’entrée en parcours au dernier jour de la période, tous deux compris ; ces durées ne sont pas achevées.",
        "parcours en cours à la fin de la période",
        lambda stay: None if period.holds(stay.closed_on) else period.ends_on,
    )
    return [closed, running]


def _durations(
    population: Population, code: str, title: str, definition: str, base: str, end: Callable[[Stay], date | None]
) -> Figures:
    spec = Spec(code, title, definition, base, DURATION, (PARCOURS, MEAN_DAYS, MEDIAN_DAYS))
    tally = Tally(spec, population.extent)
    days: dict[str, list[int]] = defaultdict(list)
    for stay in population.stays:
        last = end(stay)
        if last is not None:
            tally.add(stay.team_id, duration_band(stay.entered_on, last))
            for geography in population.extent.by_team[stay.team_id]:
                days[geography].append((last - stay.entered_on).days + 1)
    tally.derive_days(days)
    return tally.figures()


def duration_band(first: date, last: date) -> str:
    """The band of a stay from its first to its last day, both included: three months to the day is « 3 to 6 »."""
    after = last + timedelta(days=1)
    for months, band in BANDS:
        if after < first + relativedelta(months=months):
            return band
    return LONGEST
