"""``python -m audit.disclosure protect|check|explain``: the engine for a statistician, without the application.

Exit 0 only when every goal has its checked witness; 1 when a goal is broken or unproved; 2 for a refusal.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from audit.disclosure.attack import SolverFailure
from audit.disclosure.audit import audit, reasons
from audit.disclosure.certificate import certificate, stated_proof
from audit.disclosure.instance import Goal, Instance, InvalidInstance
from audit.disclosure.problem import Problem
from audit.disclosure.protection import UnsafePattern, protect
from audit.disclosure.reading import read_instance, read_pattern
from audit.disclosure.search import Unprotectable

SHOWN = 20
BROKEN, REFUSED = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.run(asked))
    except InvalidInstance as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{error.filename}: {error.strerror}")
    except Unprotectable:
        return _refuse("Earlier releases give a primary figure away, whatever is hidden now.")
    except (UnsafePattern, SolverFailure) as error:
        return _refuse(f"No pattern could be proved safe ({type(error).__name__} {error}).")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m audit.disclosure", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="protect|check|explain")
    protecting = commands.add_parser("protect", help="choose what to hide, and prove it")
    protecting.add_argument("instance", type=Path)
    protecting.add_argument("--out", type=Path, required=True, metavar="PATTERN.json")
    protecting.add_argument("--time-limit", type=float, default=60.0, metavar="S", help="seconds (60)")
    protecting.add_argument("--seed", type=int, default=None, metavar="S", help="drawn at random unless given")
    protecting.set_defaults(run=_protect)
    checking = commands.add_parser("check", help="verify any pattern, ours or another's")
    checking.add_argument("instance", type=Path)
    checking.add_argument("pattern", type=Path)
    checking.add_argument("--time-limit", type=float, default=None, metavar="S", help="seconds (none)")
    checking.set_defaults(run=_check)
    explaining = commands.add_parser("explain", help="why a cell is hidden")
    explaining.add_argument("instance", type=Path)
    explaining.add_argument("pattern", type=Path)
    explaining.add_argument("--figure", type=int, required=True, metavar="ID")
    explaining.set_defaults(run=_explain)
    return parser


def _protect(asked: argparse.Namespace) -> int:
    instance = read_instance(asked.instance)
    seed = secrets.randbits(128) if asked.seed is None else abs(asked.seed)
    protection = protect(instance, seed=seed, time_limit=asked.time_limit, progress=_progress)
    proved = certificate(protection, seed)
    pattern = {
        "format": "pattern-1",
        "instance": instance.id,
        "suppressed": list(protection.suppressed),
        "certificate": proved,
        **stated_proof(protection.proof),
    }
    whole = asked.out.with_name(asked.out.name + ".part")
    whole.write_text(json.dumps(pattern, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")
    os.replace(whole, asked.out)
    _say(
        f"{proved['cells_hidden']} of {proved['cells']} cells hidden, value {protection.lost}, "
        f"at least {protection.bound} (gap {protection.gap:.1%}); {proved['goals']} goals, every one with its witness; "
        f"{protection.seconds:.1f} s"
    )
    return 0


def _check(asked: argparse.Namespace) -> int:
    instance = read_instance(asked.instance)
    suppressed, proof = read_pattern(asked.pattern, instance)
    proof, broken = audit(instance, suppressed, proof, asked.time_limit)
    goals = sum(1 for _ in instance.goals())
    _say(f"{goals} goals, {len(broken)} without a witness")
    for goal in broken[:SHOWN]:
        _say(f"  {_named(instance, goal)}")
    return BROKEN if broken else 0


def _explain(asked: argparse.Namespace) -> int:
    instance = read_instance(asked.instance)
    suppressed, _ = read_pattern(asked.pattern, instance)
    figures = {figure.id: figure for figure in instance.figures}
    if asked.figure not in figures:
        raise InvalidInstance(f"There is no figure {asked.figure}.")
    figure = figures[asked.figure]
    name = f"{figure.table}: {figure.label}"
    if asked.figure not in suppressed:
        _say(f"{name} is shown.")
        return 0
    if any(figures[primary.figure].leaves == figure.leaves for primary in instance.to_protect()):
        _say(f"{name} is primary: its own value must not be told.")
        return 0
    failures = reasons(instance, suppressed, asked.figure)
    if not failures:
        _say(f"{name} could be shown: nothing asks for it to be hidden.")
        return 0
    problem = Problem(instance)
    attackers = {number: name for name, number in reversed(problem.attacker_of.items())}
    _say(f"{name} is hidden for others. If it were shown:")
    for failure in failures[:SHOWN]:
        task = failure.task
        other = figures[problem.figures[task.figure].ids[0]] if problem.figures[task.figure].ids else figure
        side = "as many as the threshold" if task.sign > 0 else "nobody"
        _say(f"  {attackers[task.attacker]} could exclude that {other.table}: {other.label} holds {side}")
    return 0


def _named(instance: Instance, goal: Goal) -> str:
    figure = next(figure for figure in instance.figures if figure.id == goal.figure)
    return f"{figure.table}: {figure.label} ({goal.figure}), {goal.attacker}, {goal.side}"


def _progress(step: str, lost: int, bound: float) -> None:
    print(f"{step:<8} lost {lost}, bound {bound:.1f}", file=sys.stderr, flush=True)  # noqa: T201


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _refuse(text: str) -> int:
    print(text, file=sys.stderr)  # noqa: T201
    return REFUSED


if __name__ == "__main__":
    sys.exit(main())
