"""What ties the tables of movement: arrivals, exits, durations, parcours and evaluations tell of the same lives.

Each followed child stands with the last of its parcours; each earlier parcours of the period, and each evaluation
without an entry, stands alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Case, Count, Q, Value, When

from pre_cases.models import Parcours
from pre_cases.statistics.movement import duration_band
from pre_cases.statistics.period import Period
from pre_cases.statistics.population import Arrival, FollowedChild, Population, Stay
from pre_cases.statistics.tables import TOTAL, UNKNOWN, Figures, Tally, signature, term_code, tie

# Whoever was interrupted has an earlier parcours, so that those who were not and the earlier parcours add up to the
# children followed: as everybody knows, no table shows it.
ONCE = "known:once"


def movement_tie(population: Population) -> Figures:
    period = population.period
    tally = Tally(tie("tie_movement"), population.extent)
    last = set()
    for child in population.children.values():
        last.add(child.last.id)
        once = () if child.was_interrupted else (ONCE,)
        tally.add(child.team_id, signature(*_of_child(child, period), *_of_stay(child.last, period), *once))
    for stay in population.stays:
        if stay.id not in last:
            tally.add(stay.team_id, signature(*_of_stay(stay, period), ONCE))
    for team_id, began, became, number in _without_entry(population):
        cells = (f"evaluations:{part}" for part in (TOTAL, began, became))
        tally.add(team_id, signature(*cells), number=number)
    return tally.figures()


def _of_child(child: FollowedChild, period: Period) -> Iterable[str]:
    arrival = child.arrival(period)
    yield f"movement:{TOTAL}"
    if arrival is Arrival.PRESENT:
        yield "movement:start"
    else:
        yield "movement:arrival"
        yield f"arrivals:{arrival.value}"
    if child.is_present_at_end(period):
        yield "movement:end"
    else:
        yield "movement:exit"
        yield f"exits:{term_code(child.last.exit_reason_id or '') or UNKNOWN}"
    yield "interruptions:interrupted" if child.was_interrupted else "interruptions:continuous"


def _of_stay(stay: Stay, period: Period) -> Iterable[str]:
    yield f"parcours_movement:{TOTAL}"
    if stay.entered_on < period.starts_on:
        yield "parcours_movement:start"
    else:
        yield "parcours_movement:opened"
        began = "start" if stay.opened_on < period.starts_on else "opened"
        yield from (f"evaluations:{part}" for part in (TOTAL, began, "entered"))
    if stay.closed_on is not None and period.holds(stay.closed_on):
        yield "parcours_movement:closed"
        yield f"duration_closed:{duration_band(stay.entered_on, stay.closed_on)}"
    else:
        yield "parcours_movement:end"
        yield f"duration_running:{duration_band(stay.entered_on, period.ends_on)}"


def _without_entry(population: Population) -> Iterable[tuple[int, str, str, int]]:
    """(team, start or opened, no_entry or end, number) of the evaluations of the period that led to no entry in it."""
    first, last = population.period.starts_on, population.period.ends_on
    rows = Parcours.objects.filter(
        Q(closed_on__gte=first) | Q(closed_on__isnull=True),
        Q(entered_on__gt=last) | Q(entered_on__isnull=True),
        opened_on__lte=last,
        team__in=population.extent.by_team,
    ).annotate(
        began=Case(When(opened_on__lt=first, then=Value("start")), default=Value("opened")),
        became=Case(When(entered_on__isnull=True, closed_on__lte=last, then=Value("no_entry")), default=Value("end")),
    )
    found: Iterable[tuple[int, str, str, int]] = (
        rows.order_by().values_list("team_id", "began", "became").annotate(Count("pk"))
    )
    return found
