"""How old invented children are, and the class that goes with the age."""

from datetime import date, timedelta
from random import Random

from partners.models.project import school_year_of
from partners.models.school import Nature
from pre_cases.demo.calendar import Timeline
from pre_cases.demo.names import weighted

# completed years at the reference day: 15 % from 2 to 5, 52 % from 6 to 10, 32 % from 11 to 16, 1.5 % of 17
AGES = {
    3: 3.5, 4: 5, 5: 6.5, 6: 10.5, 7: 10.5, 8: 10.5, 9: 10.3, 10: 10, 11: 8, 12: 7.5, 13: 6.5, 14: 5, 15: 3, 16: 1.7,
    17: 1.5,
}  # fmt: skip
YOUNGEST = 2.5  # years, when the saisine is received: the first class is the toute petite section
LEVELS = ["tps", "ps", "ms", "gs", "cp", "ce1", "ce2", "cm1", "cm2", "6e", "5e", "4e", "3e", "2de", "1re", "terminale"]
AGE_OF_FIRST_LEVEL = 2  # reached in the civil year in which the school year begins
HELD_BACK = 0.08


def birth(rng: Random, timeline: Timeline) -> date:
    """A birth that gives the drawn age at the reference day, and a class when the saisine is received."""
    first = timeline.stays[0].received_on
    age = weighted(rng, AGES)
    while True:
        born_on = timeline.reference_on - timedelta(days=int(365.25 * age) + rng.randrange(1, 365))
        in_class = school_year_of(first) - born_on.year >= AGE_OF_FIRST_LEVEL
        if in_class and (first - born_on).days > 365.25 * YOUNGEST:
            return born_on
        age += 1


def level_in(year: int, *, born_on: date, delay: int, segpa: bool, cap: bool) -> str:
    """The class that goes with the age that year, one behind for those who were held back after the CP."""
    rank = year - born_on.year - AGE_OF_FIRST_LEVEL
    if rank > LEVELS.index("cp"):
        rank -= delay
    level = LEVELS[min(max(rank, 0), len(LEVELS) - 1)]
    if segpa and nature_of(level) == Nature.COLLEGE:
        return "segpa"
    if cap and nature_of(level) == Nature.LYCEE:
        return "cap"
    return level


def nature_of(level: str) -> Nature:
    if level in ("segpa", "6e", "5e", "4e", "3e"):
        return Nature.COLLEGE
    if level == "cap":
        return Nature.LYCEE
    rank = LEVELS.index(level)
    if rank < LEVELS.index("cp"):
        return Nature.MATERNELLE
    return Nature.ELEMENTAIRE if rank < LEVELS.index("6e") else Nature.LYCEE
