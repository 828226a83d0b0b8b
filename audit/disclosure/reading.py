"""Instances and patterns as files: ``linked-counts-1`` (JSON), or a CSV of persons or of cells with its description."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audit.disclosure.check import Proof
from audit.disclosure.instance import Attacker, Figure, Instance, InvalidInstance, Primary
from audit.disclosure.layout import Layout, Variable

FORMAT, DESCRIPTION = "linked-counts-1", "tables-1"


def read_instance(path: Path) -> Instance:
    """The instance of a JSON file: itself, or the description of a CSV beside it. Raises InvalidInstance."""
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        if stated["format"] == DESCRIPTION:
            return _from_csv(stated, path.parent)
        if stated["format"] != FORMAT:
            raise InvalidInstance(f"Unknown format: {stated['format']}.")
        return instance_of(stated)
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise InvalidInstance(f"{path.name} does not follow its format: {type(error).__name__} {error}.") from error


def stated_instance(instance: Instance) -> dict[str, Any]:
    """The instance in the form of its file; ``instance_of`` reads it back."""
    primary = instance.primary
    return {
        "format": FORMAT,
        "id": instance.id,
        "counts": list(instance.counts),
        "structural_zeros": sorted(instance.structural_zeros),
        "threshold": instance.threshold,
        "thresholds": dict(instance.thresholds),
        "figures": [
            {
                "id": figure.id,
                "table": figure.table,
                "label": figure.label,
                "leaves": sorted(figure.leaves),
                "published": figure.published,
                "released": figure.released,
            }
            for figure in instance.figures
        ],
        "insiders": [{"id": who.id, "leaves": sorted(who.leaves)} for who in instance.insiders],
        "primary": None
        if primary is None
        else [{"figure": item.figure, "lo": item.lo, "hi": item.hi} for item in primary],
        "lines": [{"total": total, "parts": list(parts)} for total, parts in instance.lines],
    }


def instance_of(stated: Mapping[str, Any]) -> Instance:
    """The instance that a ``linked-counts-1`` JSON states."""
    primary = stated.get("primary")
    return Instance(
        counts=tuple(stated["counts"]),
        figures=tuple(
            Figure(
                id=figure["id"],
                table=str(figure.get("table", "")),
                label=str(figure.get("label", "")),
                leaves=frozenset(figure["leaves"]),
                published=figure.get("published", True),
                released=figure.get("released", False),
            )
            for figure in stated["figures"]
        ),
        threshold=int(stated.get("threshold") or 1),
        insiders=tuple(
            Attacker(str(insider["id"]), frozenset(insider["leaves"]))
            for insider in stated.get("insiders") or ()
            if insider["leaves"]  # who knows nothing is the outsider
        ),
        structural_zeros=frozenset(stated.get("structural_zeros") or ()),
        primary=None if primary is None else tuple(Primary(item["figure"], item["lo"], item["hi"]) for item in primary),
        thresholds=stated.get("thresholds") or {},
        lines=tuple((line["total"], tuple(line["parts"])) for line in stated.get("lines") or ()),
        id=str(stated.get("id", "")),
    )


def _from_csv(stated: Mapping[str, Any], folder: Path) -> Instance:
    """A line of the CSV is a person, or a cell when the description names the column of its ``count``."""
    with (folder / stated["data"]).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    count = stated.get("count")
    hierarchies: Mapping[str, list[str]] = stated.get("hierarchies") or {}
    declared: Mapping[str, list[str]] = stated.get("categories") or {}
    names = list(dict.fromkeys(name for by in stated["tables"].values() for name in by))
    variables = []
    for name in names:
        levels = tuple({row[name]: row[parent] for row in rows} for parent in hierarchies.get(name, ()))
        categories = dict.fromkeys([*declared.get(name, ()), *sorted({row[name] for row in rows})])
        variables.append(Variable(name, tuple(categories), levels))
    impossible: list[Mapping[str, str]] = stated.get("impossible") or []
    counts: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        counts[tuple(row[name] for name in names)] += int(row[count]) if count else 1
    layout = Layout(
        variables=tuple(variables),
        tables=stated["tables"],
        threshold=stated["threshold"],
        insiders=stated.get("insiders", ""),
        thresholds=stated.get("thresholds"),
        is_possible=lambda cell: not any(rule.items() <= cell.items() for rule in impossible),
    )
    return layout.instance(counts, str(stated.get("id", stated["data"])))


def read_pattern(path: Path, instance: Instance) -> tuple[frozenset[int], Proof]:
    """The ids suppressed, and the witnesses where the pattern brings its own. Raises InvalidInstance."""
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        suppressed, proof = frozenset(stated["suppressed"]), proof_of(stated)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInstance(f"{path.name} is not a pattern: {type(error).__name__} {error}.") from error
    if not suppressed <= {figure.id for figure in instance.figures}:
        raise InvalidInstance(f"{path.name} suppresses a figure that does not exist.")
    return suppressed, proof


def proof_of(stated: Mapping[str, Any]) -> Proof:
    """The witnesses of a pattern, in the form of its file."""
    return Proof(
        tuple({int(leaf): count for leaf, count in item.items()} for item in stated.get("witnesses") or ()),
        {(figure, side): tuple(numbers) for figure, side, numbers in stated.get("uses") or ()},
    )
