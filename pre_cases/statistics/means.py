"""The people of the programme on the last day of the period, and how many parcours each référent carries."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from statistics import fmean, median

from django.db.models import Count, Q

from pre_cases.models import Assignment
from pre_cases.statistics.extent import Extent
from pre_cases.statistics.period import Period
from pre_cases.statistics.tables import (
    TOTAL,
    Category,
    Figures,
    Measure,
    Spec,
    Tally,
    Variable,
    signature,
    tie,
)
from referents.intervals import in_force
from referents.models import Membership, Role

PEOPLE = Measure("people", "personnes")
STAFF = Spec(
    "staff",
    "Référents et coordination",
    "Personnes qui tiennent ce rôle au dernier jour de la période ; une personne compte une fois par rôle et par lieu.",
    "personnes ayant l’un de ces rôles",
    Variable("role", "Rôle", (Category("referent", "référents de parcours"), Category("coordinator", "coordination"))),
    (PEOPLE,),
    adds_up=False,
)
LOADS = ((1, "0"), (20, "1_19"), (40, "20_39"), (60, "40_59"), (80, "60_79"), (101, "80_100"))
CASELOAD = Spec(
    "caseload",
    "File active des référents",
    "Parcours ouverts dont chaque référent est le référent principal au dernier jour de la période.",
    "référents de parcours au dernier jour de la période",
    Variable(
        "caseload",
        "File active",
        (
            Category("0", "aucun parcours"),
            Category("1_19", "de 1 à 19"),
            Category("20_39", "de 20 à 39"),
            Category("40_59", "de 40 à 59"),
            Category("60_79", "de 60 à 79"),
            Category("80_100", "de 80 à 100"),
            Category("101_over", "plus de 100"),
        ),
    ),
    (
        PEOPLE,
        Measure("mean_parcours", "parcours par référent, moyenne", base="people"),
        Measure("median_parcours", "parcours par référent, médiane", base="people"),
    ),
)


def means(period: Period, extent: Extent) -> list[Figures]:
    """Both, and what ties them: in each place a référent stands in one of each, whoever else they stand with."""
    rows = _memberships(period, extent, Role.REFERENT, Role.COORDINATOR)
    loads = _loads(period, extent)
    present = {(user, role, place) for user, role, team in rows for place in extent.by_team[team]}
    cells: dict[int, set[str]] = defaultdict(set)
    for user, role, place in present:
        cells[user] |= {f"staff:{role}@{place}", f"staff:{TOTAL}@{place}"}
    for place, counter in loads.items():
        for user, number in counter.items():
            cells[user].add(f"caseload:{_band(number)}@{place}")
    tied = Tally(tie("tie_staff"), extent)
    for own in cells.values():
        tied.put(extent.top, signature(*own))
    return [_staff(present, extent), _caseload(loads, extent), tied.figures()]


def _staff(present: set[tuple[int, str, str]], extent: Extent) -> Figures:
    tally = Tally(STAFF, extent)
    for _, role, place in present:
        tally.put(place, role)
    for _, place in {(user, place) for user, _, place in present}:
        tally.put(place, TOTAL)
    return tally.figures()


def _memberships(period: Period, extent: Extent, *roles: Role) -> set[tuple[int, str, int]]:
    rows = Membership.objects.current(period.ends_on).filter(role__in=roles, team__in=extent.by_team)
    return set(rows.values_list("user_id", "role", "team_id"))


def _loads(period: Period, extent: Extent) -> dict[str, Counter[int]]:
    """Those with the role and no parcours count too; a référent of two places has a load in each, and one in all."""
    loads: dict[str, Counter[int]] = defaultdict(Counter)
    for user_id, _, team_id in _memberships(period, extent, Role.REFERENT):
        for place in extent.by_team[team_id]:
            loads[place][user_id] += 0
    still_open = Q(parcours__closed_on__isnull=True) | Q(parcours__closed_on__gt=period.ends_on)
    held = (
        Assignment.objects.filter(in_force(period.ends_on), still_open, parcours__team__in=extent.by_team)
        .order_by()
        .values_list("parcours__team_id", "referent_id")
        .annotate(Count("pk"))
    )
    for team_id, user_id, number in held:
        for place in extent.by_team[team_id]:
            loads[place][user_id] += number
    return loads


def _band(number: int) -> str:
    return next((band for limit, band in LOADS if number < limit), "101_over")


def _caseload(loads: Mapping[str, Counter[int]], extent: Extent) -> Figures:
    tally = Tally(CASELOAD, extent)
    for place, counter in loads.items():
        for number in counter.values():
            tally.put(place, _band(number))
        tally.derive(place, TOTAL, "mean_parcours", fmean(counter.values()))
        tally.derive(place, TOTAL, "median_parcours", median(counter.values()))
    return tally.figures()
