"""Invented populations for the engine: seeded, with teams in areas, ages tied to class levels, and sex."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence

from audit.disclosure.instance import Attacker, Figure, Instance
from audit.disclosure.layout import Layout, Variable

AGES = ("3-5", "6-8", "9-11", "12-14")
LEVELS = {"3-5": ("nursery",), "6-8": ("primary",), "9-11": ("primary", "lower"), "12-14": ("lower",)}
TWO_WAY = {"age": ("team", "age"), "level": ("team", "level"), "sex": ("team", "sex")}
THREE_WAY = {"age and sex": ("team", "age", "sex"), "level and sex": ("team", "level", "sex")}


def is_possible(cell: Mapping[str, str]) -> bool:
    return cell["level"] in LEVELS[cell["age"]]


def city(
    seed: int,
    children: int = 120,
    teams: int = 4,
    areas: int = 3,
    threshold: int = 5,
    tables: Mapping[str, Sequence[str]] = TWO_WAY,
) -> Instance:
    """A city whose teams are unequal: the last ones follow few children."""
    draw = random.Random(seed)
    names = tuple(f"T{number:03}" for number in range(teams))
    area = {name: f"A{number % areas:03}" for number, name in enumerate(names)}
    weights = [1 / (1 + number * draw.random()) for number in range(teams)]
    counts: Counter[tuple[str, ...]] = Counter()
    for _ in range(children):
        age = draw.choice(AGES)
        team = draw.choices(names, weights)[0]
        counts[team, age, draw.choice(LEVELS[age]), draw.choice("FM")] += 1
    layout = Layout(
        variables=(
            Variable("team", names, (area,)),
            Variable("age", AGES),
            Variable("level", ("nursery", "primary", "lower")),
            Variable("sex", ("F", "M")),
        ),
        tables=tables,
        threshold=threshold,
        insiders="team",
        is_possible=is_possible,
    )
    return layout.instance(counts, f"city {seed}")


def groupings(
    counts: Sequence[int], groups: Sequence[Sequence[int]], threshold: int, own: Sequence[int] = ()
) -> Instance:
    """Leaves one by one, their total, which nobody can hide, and groups that may overlap in any way."""
    everything = range(len(counts))
    figures = [Figure(0, "total", "all", frozenset(everything), released=True)]
    for leaves in (*([place] for place in everything), *groups):
        figures.append(Figure(len(figures), "groups", str(sorted(leaves)), frozenset(leaves)))
    insiders = (Attacker("insider", frozenset(own)),) if own else ()
    return Instance(tuple(counts), tuple(figures), threshold, insiders)
