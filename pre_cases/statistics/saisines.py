"""Saisines received in the period: who asked, why, what became of them, and how long the next steps took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Case, Count, Exists, F, Min, OuterRef, Q, Value, When
from django.db.models.functions import Coalesce

from partners.models import Nomenclature
from pre_cases.models import Agreement, Entry, EntryKind, EntryWith, Saisine, SaisineOutcome, SaisineSign
from pre_cases.statistics.extent import Extent
from pre_cases.statistics.period import Period
from pre_cases.statistics.support import sign_headings
from pre_cases.statistics.tables import (
    SAISINES,
    TOTAL,
    UNKNOWN,
    Category,
    Figures,
    Measure,
    Spec,
    Tally,
    Variable,
    term_code,
    term_variable,
)
from pre_cases.statistics.values import ties_of_headings

RECEIVED = "saisines reçues dans la période"
OUTCOME = Variable(
    "outcome",
    "Suite à la fin de la période",
    (
        Category("entered", "entrée en parcours"),
        Category("evaluation", "évaluation en cours"),
        Category("no_entry", "close sans entrée en parcours"),
        Category("attached", "rattachée au parcours en cours"),
        Category("redirected", "réorientée"),
        Category("no_follow_up", "sans suite"),
        Category("refused", "accord refusé ou retiré"),
        Category("signed", "accord signé, parcours à ouvrir"),
        Category("awaited", "accord attendu"),
        Category("received", "reçue, à instruire"),
    ),
)
DELAY_BANDS = ((15, "0_14"), (31, "15_30"), (61, "31_60"), (91, "61_90"))
DELAY = Variable(
    "delay",
    "Délai",
    (
        Category("0_14", "moins de 15 jours"),
        Category("15_30", "de 15 à 30 jours"),
        Category("31_60", "de 31 à 60 jours"),
        Category("61_90", "de 61 à 90 jours"),
        Category("91_over", "plus de 90 jours"),
        Category("error", "date antérieure à la réception (erreur à corriger)"),
    ),
)
DELAY_MEASURES = (
    SAISINES,
    Measure("mean_days", "moyenne (jours)", base="saisines"),
    Measure("median_days", "médiane (jours)", base="saisines"),
)
DELAY_RULE = "Délai en jours, compté l’année où il s’achève ; un délai négatif est une erreur comptée à part."
WITH_FAMILY = Q(
    kind__in=(EntryKind.MEETING, EntryKind.EVALUATION, EntryKind.HOME_VISIT),
    with_whom__in=(EntryWith.FAMILY, EntryWith.FAMILY_AND_CHILD),
)


def saisines(period: Period, extent: Extent) -> list[Figures]:
    received = (
        Saisine.objects.submitted()
        .filter(received_on__range=(period.starts_on, period.ends_on), team__in=extent.by_team)
        .order_by()
    )
    return [
        _sources(received, period, extent),
        _outcomes(received, period, extent),
        *_signs(period, extent),
        *_delays(period, extent),
    ]


def _sources(received: Any, period: Period, extent: Extent) -> Figures:
    spec = Spec(
        "saisine_source",
        "Saisines par prescripteur",
        "Saisines reçues dans la période, selon qui les a adressées.",
        RECEIVED,
        term_variable("source", "Prescripteur", Nomenclature.SOURCE, period),
        (SAISINES,),
    )
    tally = Tally(spec, extent)
    for team_id, source_id, number in received.values_list("team_id", "source_id").annotate(Count("pk")):
        tally.add(team_id, term_code(source_id), number=number)
    return tally.figures()


def _outcomes(received: Any, period: Period, extent: Extent) -> Figures:
    """What each was worth on the last day of the period, whatever happened since; the first fact that matches wins."""
    last = period.ends_on
    agreements = Agreement.objects.filter(saisine=OuterRef("pk"), presented_on__lte=last)
    ended = Q(refused_on__lte=last) | Q(withdrawn_on__lte=last)
    decided = [
        When(outcome=outcome.value, outcome_on__lte=last, then=Value(outcome.value)) for outcome in SaisineOutcome
    ]
    code = Case(
        When(parcours__entered_on__lte=last, then=Value("entered")),
        When(parcours__closed_on__lte=last, then=Value("no_entry")),
        When(parcours__opened_on__lte=last, then=Value("evaluation")),
        *decided,
        When(Exists(agreements.filter(signed_on__lte=last).exclude(ended)), then=Value("signed")),
        When(Exists(agreements.exclude(ended)), then=Value("awaited")),
        When(Exists(agreements), then=Value("refused")),
        default=Value("received"),
        output_field=models.CharField(),
    )
    spec = Spec(
        "saisine_outcome",
        "Suites données aux saisines",
        "Ce qu’étaient devenues, au dernier jour de la période, les saisines reçues dans la période.",
        RECEIVED,
        OUTCOME,
        (SAISINES,),
    )
    tally = Tally(spec, extent)
    for team_id, outcome, number in (
        received.annotate(at_end=code).values_list("team_id", "at_end").annotate(Count("pk"))
    ):
        tally.add(team_id, outcome, number=number)
    return tally.figures()


def _signs(period: Period, extent: Extent) -> list[Figures]:
    rows = set(
        SaisineSign.objects.filter(
            saisine__submitted_on__isnull=False,
            saisine__received_on__range=(period.starts_on, period.ends_on),
            saisine__team__in=extent.by_team,
        )
        .order_by()
        .values_list("saisine_id", "saisine__team_id", "sign_id")
    )
    headings = sign_headings()
    words = "Signes notés par les saisines reçues ; une saisine compte une fois dans chaque valeur."
    base = "saisines reçues qui notent un signe au moins"
    heading = term_variable("sign_heading", "Signe (rubrique)", Nomenclature.SIGN, period, depth="top")
    detail = term_variable("sign", "Signe", Nomenclature.SIGN, period)
    by_heading = {(saisine, team, headings[term_code(sign)]) for saisine, team, sign in rows}
    by_sign = {(saisine, team, term_code(sign)) for saisine, team, sign in rows}
    teams = {saisine: team for saisine, team, _ in rows}
    held: dict[Any, set[str]] = {}
    for saisine, _, sign in rows:
        held.setdefault(saisine, set()).add(term_code(sign))
    by_team = ((teams[saisine], own) for saisine, own in held.items())
    return [
        *ties_of_headings(extent, "saisine_signs", "saisine_signs_heading", headings, by_team),
        _named(Spec("saisine_signs_heading", "Saisines : signes par rubrique", words, base, heading, (), adds_up=False),
               period, extent, by_heading),
        _named(Spec("saisine_signs", "Saisines : signes de fragilité", words, base, detail, (), adds_up=False),
               period, extent, by_sign),
    ]  # fmt: skip


def _named(spec: Spec, period: Period, extent: Extent, rows: Iterable[tuple[Any, int, str]]) -> Figures:
    """Each value once a saisine; the total is that of the saisines with a sign, those without are counted apart."""
    measured = Spec(
        spec.code, spec.title, spec.definition, spec.base, spec.variable.with_unknown(), (SAISINES,), adds_up=False
    )
    tally = Tally(measured, extent)
    recorded = set()
    for saisine_id, team_id, sign in rows:
        tally.add(team_id, sign)
        if saisine_id not in recorded:
            recorded.add(saisine_id)
            tally.add(team_id, TOTAL)
    received = Saisine.objects.submitted().filter(
        received_on__range=(period.starts_on, period.ends_on), team__in=extent.by_team
    )
    silent = received.filter(~Exists(SaisineSign.objects.filter(saisine=OuterRef("pk")))).order_by()
    for team_id, number in silent.values_list("team_id").annotate(Count("pk")):
        tally.add(team_id, UNKNOWN, number=number)
    return tally.figures()


# -- delays ---------------------------------------------------------------------------------------------------------


def _delays(period: Period, extent: Extent) -> list[Figures]:
    agreement = Spec(
        "delay_agreement",
        "Délai de la saisine à l’accord signé",
        DELAY_RULE,
        "saisines dont l’accord a été signé dans la période",
        DELAY,
        DELAY_MEASURES,
    )
    meeting = Spec(
        "delay_meeting",
        "Délai de la saisine à la première rencontre de la famille",
        DELAY_RULE,
        "saisines dont la famille a été rencontrée une première fois dans la période",
        DELAY,
        DELAY_MEASURES,
    )
    return [
        _delay_table(agreement, extent, first_signatures(period, extent)),
        _delay_table(meeting, extent, first_meetings(period, extent)),
    ]


def first_signatures(period: Period, extent: Extent) -> Iterable[tuple[int, date, date]]:
    """(team, received, signed) of the saisines whose first signature falls in the period."""
    return (
        Agreement.objects.filter(signed_on__isnull=False, saisine__team__in=extent.by_team)
        .order_by()
        .values_list("saisine_id")
        .annotate(first=Min("signed_on"))
        .filter(first__range=(period.starts_on, period.ends_on))
        .values_list("saisine__team_id", "saisine__received_on", "first")
    )


def first_meetings(period: Period, extent: Extent) -> Iterable[tuple[int, date, date]]:
    """(team, received, met) of the saisines whose first meeting with the family falls in the period."""
    met = Entry.objects.filter(WITH_FAMILY).order_by()
    own_saisine = Coalesce("saisine_id", "parcours__saisine_id")
    before = met.filter(on__lt=period.starts_on)
    firsts = dict(
        met.filter(on__range=(period.starts_on, period.ends_on))
        .annotate(of=own_saisine)
        .filter(
            ~Exists(before.filter(saisine=OuterRef("of"))), ~Exists(before.filter(parcours__saisine=OuterRef("of")))
        )
        .values_list("of")
        .annotate(first=Min("on"))
    )
    rows = Saisine.objects.submitted().filter(
        Q(entries__on__range=(period.starts_on, period.ends_on))
        | Q(parcours__entries__on__range=(period.starts_on, period.ends_on)),
        team__in=extent.by_team,
    )
    found = rows.order_by().values_list("pk", "team_id", "received_on").distinct()
    return [(team_id, received, firsts[pk]) for pk, team_id, received in found if pk in firsts]


def _delay_table(spec: Spec, extent: Extent, rows: Iterable[tuple[int, date, date]]) -> Figures:
    tally = Tally(spec, extent)
    days: dict[str, list[int]] = defaultdict(list)
    for team_id, received, done in rows:
        delay = (done - received).days
        tally.add(team_id, delay_band(delay))
        if delay >= 0:
            for geography in extent.by_team[team_id]:
                days[geography].append(delay)
    tally.derive_days(days)
    return tally.figures()


def delay_band(days: int) -> str:
    """The band of a delay; a negative one is an error, never clipped to zero."""
    if days < 0:
        return "error"
    return next((band for limit, band in DELAY_BANDS if days < limit), "91_over")


def negative_delays(period: Period, extent: Extent) -> list[tuple[Any, date]]:
    """(id, day of receipt) of the saisines received in the period and signed before their receipt, to be corrected."""
    return list(
        Saisine.objects.filter(
            received_on__range=(period.starts_on, period.ends_on),
            team__in=extent.by_team,
            agreements__signed_on__lt=F("received_on"),
        )
        .order_by("received_on", "pk")
        .values_list("pk", "received_on")
        .distinct()
    )
