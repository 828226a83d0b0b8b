"""« make bench-disclosure »: what protecting the figures costs, beside two rules of the textbooks. Nothing is a test.

    python -m tests.bench_disclosure [reference|report|demo-2014|examples|scale|populations ...]

For each instance and each rule: cells hidden, value lost, goals broken, seconds; for the engine its gap too. The
populations are 240 seeded ones, every goal of which is checked; the suite runs 48 of them. Times are of this machine.
"""

from __future__ import annotations

import os
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.core.management import call_command

from audit.disclosure.audit import audit
from audit.disclosure.check import broken_goals
from audit.disclosure.instance import Instance
from audit.disclosure.layout import Layout, Variable
from audit.disclosure.protection import protect
from audit.disclosure.reading import read_instance
from tests.audit.disclosure.invented import city
from tests.audit.disclosure.textbook import gaussian_rule, line_rule

if TYPE_CHECKING:
    from pre_cases.statistics.protection import ProtectedTie

EXAMPLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "disclosure"
TWO_WAY_SECONDS, THREE_WAY_SECONDS = 120.0, 600.0

AGES = ("3-5", "6-8", "9-11", "12-14", "15-17")
LEVELS = ("nursery", "primary", "lower", "upper")
USUAL = {"3-5": (0, 1), "6-8": (1,), "9-11": (1, 2), "12-14": (2, 3), "15-17": (2, 3)}
TWO_WAY = {"age": ("team", "age"), "level": ("team", "level"), "sex": ("team", "sex")}
THREE_WAY = {"age and sex": ("team", "age", "sex"), "level and sex": ("team", "level", "sex")}


def invented(
    seed: int, children: int, teams: int, areas: int, threshold: int, tables: dict[str, tuple[str, ...]], name: str
) -> Instance:
    """A city of the shape of the reference: ages tied to class levels, teams of unequal size."""
    draw = random.Random(seed)
    names = tuple(f"T{number:03}" for number in range(teams))
    weights = [0.4 + draw.random() for _ in names]
    counts: Counter[tuple[str, ...]] = Counter()
    for team in draw.choices(names, weights, k=children):
        age = draw.choices(AGES, (2, 5, 5, 3, 1))[0]
        counts[team, age, LEVELS[draw.choice(USUAL[age])], draw.choice("FM")] += 1
    layout = Layout(
        (
            Variable("team", names, ({team: f"A{number % areas:03}" for number, team in enumerate(names)},)),
            Variable("age", AGES),
            Variable("level", LEVELS),
            Variable("sex", ("F", "M")),
        ),
        tables,
        threshold,
        insiders="team",
        is_possible=lambda cell: LEVELS.index(cell["level"]) in USUAL[cell["age"]],
    )
    return layout.instance(counts, name)


def reference() -> None:
    """The shapes of the specification: 1,400 children, 12 teams in 8 areas."""
    for threshold in (5, 11):
        instance = invented(1, 1400, 12, 8, threshold, TWO_WAY, f"two-way, t={threshold}, 13 attackers")
        compare(instance, TWO_WAY_SECONDS)
    for threshold in (5, 11):
        instance = invented(1, 1400, 12, 8, threshold, THREE_WAY, f"three-way, t={threshold}")
        compare(replace(instance, insiders=(), id=f"{instance.id}, outsider"), THREE_WAY_SECONDS)
        compare(replace(instance, id=f"{instance.id}, 13 attackers"), THREE_WAY_SECONDS)


def report() -> None:
    """A standard report: the three tied variables together, and 18 more one by one."""
    instances = [invented(1, 1400, 12, 8, 5, TWO_WAY, "tied")]
    for number in range(18):
        draw = random.Random(number)
        categories = tuple(f"c{place}" for place in range(draw.randint(2, 8)))
        shares = [1 / (1 + place) ** draw.uniform(0.5, 2) for place in range(len(categories))]
        names = tuple(f"T{team:03}" for team in range(12))
        counts = Counter(zip(draw.choices(names, k=1400), draw.choices(categories, shares, k=1400), strict=True))
        area = {team: f"A{place % 8:03}" for place, team in enumerate(names)}
        layout = Layout(
            (Variable("team", names, (area,)), Variable("x", categories)), {"x": ("team", "x")}, 5, insiders="team"
        )
        instances.append(layout.instance(counts, f"variable {number}"))
    started = time.monotonic()
    protections = [protect(instance, seed=1, time_limit=60) for instance in instances]
    seconds = time.monotonic() - started
    broken = sum(len(broken_goals(item.instance, item.suppressed, item.proof)) for item in protections)
    optimal = sum(item.is_optimal for item in protections)
    models = f"{optimal} of {len(protections)} models optimal"
    say(f"standard report: 21 two-way tables, {models}, {broken} goals broken, {seconds:.0f} s")


def demo_2014() -> None:
    """The demonstration's release of 2014, from a city loaded for it: all its tables as they are tied."""
    with tempfile.TemporaryDirectory() as folder:
        here = {"MARELLE_VAR_DIR": folder, "MARELLE_ENV_FILE": f"{folder}/marelle.env", "MARELLE_DEMO": "1"}
        os.environ.update(here)
        for name in ("DATABASE_URL", "KEYSTORE_URL"):
            os.environ.pop(name, None)
        protected, seconds, check = city_release(2014)
    hidden = sum(tie.certificate["cells_hidden"] for tie in protected)
    cells = sum(tie.certificate["cells"] for tie in protected)
    goals = sum(tie.certificate["goals"] for tie in protected)
    lost = sum(tie.certificate["value_hidden"] for tie in protected)
    for name, rule in (("line rule", line_rule), ("Gaussian elimination", gaussian_rule)):
        started = time.monotonic()
        patterns = [(tie.statement.instance, rule(tie.statement.instance)) for tie in protected]
        took = time.monotonic() - started
        broken = sum(len(audit(instance, suppressed, time_limit=60)[1]) for instance, suppressed in patterns)
        sets = [(i, {figure.leaves for figure in i.figures if figure.id in set(found)}) for i, found in patterns]
        value = sum(i.value(leaves) for i, found in sets for leaves in found)
        number = sum(len(found) for _, found in sets)
        told = f"{number} of {cells} ({number / cells:.1%}) | {value} | | {broken} of {goals} | {took:.1f}"
        say(f"| demo 2014 | {name} | {told} |")
    gap = 1 - sum(tie.certificate["value_hidden_at_least"] for tie in protected) / lost
    told = f"{hidden} of {cells} ({hidden / cells:.1%}) | {lost} | {gap:.1%} | 0 of {goals} | {seconds:.1f}"
    say(f"| demo 2014 | engine | {told} |")
    say(f"{len(protected)} problems; counting included; the checker accepts them again in {check:.1f} s")


def city_release(year: int) -> tuple[tuple[ProtectedTie, ...], float, float]:
    """The protected release of a city loaded in the settings of the environment; seconds to make it and to check it."""
    from config.management.installation import install

    install()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from audit.history import acting_as, system_account
    from pre_cases.statistics.period import Period
    from pre_cases.statistics.report import protected_report

    for alias in ("default", "keys"):
        call_command("migrate", database=alias, interactive=False, verbosity=0, skip_checks=True)
    call_command("load_demo", stdout=sys.stderr)
    with acting_as(system_account()):
        started = time.monotonic()
        report = protected_report(Period.civil_year(year), seed=1)
        made = time.monotonic()
    if not all(tie.is_safe() for tie in report.protection):
        raise SystemExit("the checker refuses the release")
    return report.protection, made - started, time.monotonic() - made


def examples() -> None:
    """The example instances beside the project; the tiny ones in one line."""
    tiny = sorted(EXAMPLES.glob("tiny*/*.json"))
    if not tiny:
        say(f"no example instances in {EXAMPLES}")
        return
    started = time.monotonic()
    protections = [protect(read_instance(path), seed=1, time_limit=60) for path in tiny]
    broken = sum(len(broken_goals(item.instance, item.suppressed, item.proof)) for item in protections)
    optimal = sum(item.is_optimal for item in protections)
    say(f"{len(tiny)} tiny instances: {optimal} optimal, {broken} goals broken, {time.monotonic() - started:.0f} s")
    for path in sorted(EXAMPLES.glob("synthetic/*.json")):
        compare(read_instance(path), THREE_WAY_SECONDS if "3way" in path.name else TWO_WAY_SECONDS)


def scale() -> None:
    """A country: 500 teams in 100 areas, 104,000 children."""
    instance = invented(1, 104_000, 500, 100, 5, TWO_WAY, "500 teams, two-way, t=5, 501 attackers")
    engine(instance, 600.0)
    say(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2:.1f} GB at most")


def populations() -> None:
    """240 seeded populations of every small shape: each goal of each one has a witness that the checker accepts."""
    goals = broken = optimal = 0
    started = time.monotonic()
    for seed in range(240):
        draw = random.Random(seed)
        instance = city(seed, draw.randint(1, 60), draw.randint(1, 3), draw.randint(1, 2), draw.choice([3, 5, 11]))
        protection = protect(instance, seed=seed, time_limit=20)
        goals += sum(1 for _ in instance.goals())
        broken += len(broken_goals(instance, protection.suppressed, protection.proof))
        optimal += protection.is_optimal
    say(f"240 populations: {goals} goals, {broken} broken, {optimal} optimal, {time.monotonic() - started:.0f} s")


def compare(instance: Instance, seconds: float) -> None:
    """One instance under the three rules."""
    for name, rule in (("line rule", line_rule), ("Gaussian elimination", gaussian_rule)):
        started = time.monotonic()
        suppressed = rule(instance)
        took = time.monotonic() - started
        tell(instance, name, suppressed, len(audit(instance, suppressed)[1]), "", took)
    engine(instance, seconds)


def engine(instance: Instance, seconds: float) -> None:
    protection = protect(instance, seed=1, time_limit=seconds)
    broken = len(broken_goals(instance, protection.suppressed, protection.proof))
    gap = "optimal" if protection.is_optimal else f"{protection.gap:.1%}"
    tell(instance, "engine", protection.suppressed, broken, gap, protection.seconds)


def tell(instance: Instance, rule: str, suppressed: Collection[int], broken: int, gap: str, seconds: float) -> None:
    hidden = {figure.leaves for figure in instance.figures if figure.id in set(suppressed)}
    cells = len({figure.leaves for figure in instance.figures if figure.published})
    lost = sum(map(instance.value, hidden))
    goals = sum(1 for _ in instance.goals())
    say(
        f"| {instance.id} | {rule} | {len(hidden)} of {cells} ({len(hidden) / cells:.1%}) | {lost} | {gap} | "
        f"{broken} of {goals} | {seconds:.1f} |"
    )


def say(text: str) -> None:
    print(text, flush=True)


PARTS: dict[str, Callable[[], None]] = {
    part.__name__.replace("_", "-"): part for part in (populations, report, demo_2014, reference, examples, scale)
}


def main(names: list[str]) -> int:
    unknown = set(names) - PARTS.keys()
    if unknown:
        say(f"unknown part: {', '.join(sorted(unknown))}")
        return 2
    say("| instance | rule | cells hidden | value lost | gap | goals broken | seconds |")
    say("|---|---|---|---|---|---|---|")
    for name in names or PARTS:
        PARTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
