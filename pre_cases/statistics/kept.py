"""A protected tie as the ledger keeps it: what it stated, what it hid, and the witnesses. It never leaves."""

from __future__ import annotations

import json
import zlib
from typing import Any

from audit.disclosure.certificate import digest, stated_proof
from audit.disclosure.reading import instance_of, proof_of, stated_instance
from pre_cases.statistics.protection import ProtectedTie
from pre_cases.statistics.statements import CellKey, Spot, Statement


def kept(tie: ProtectedTie) -> bytes:
    statement = tie.statement
    value: dict[str, Any] = {
        "statement": stated_instance(statement.instance),
        "spots": [[number, *spot.cell, spot.place] for number, spot in statement.spots.items()],
        "closed": [[*spot.cell, spot.place] for spot in sorted(statement.closed)],
        "leaves": statement.leaves,
        "problem": None if tie.problem == statement.instance else stated_instance(tie.problem),
        "suppressed": sorted(tie.suppressed),
        "proof": stated_proof(tie.proof),
    }
    return zlib.compress(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def read_kept(content: bytes, certificate: dict[str, Any]) -> ProtectedTie:
    """Raises ValueError (of zlib, of JSON, of the statement) when the content is not what was kept."""
    try:
        value = json.loads(zlib.decompress(content))
        instance = instance_of(value["statement"])
        statement = Statement(
            instance.id,
            instance,
            {number: Spot(CellKey(*cell), place) for number, *cell, place in value["spots"]},
            frozenset(Spot(CellKey(*cell), place) for *cell, place in value["closed"]),
            tuple((place, text) for place, text in value["leaves"]),
        )
        problem = instance if value["problem"] is None else instance_of(value["problem"])
        return ProtectedTie(statement, problem, frozenset(value["suppressed"]), proof_of(value["proof"]), certificate)
    except (zlib.error, KeyError, TypeError) as error:
        raise ValueError(type(error).__name__) from error


def layout_digest(statement: Statement) -> str:
    """Of what is published and where, whatever the counts: two years of the same tables have the same."""
    return digest(
        [statement.code, sorted([*spot.cell, spot.place] for spot in {*statement.spots.values(), *statement.closed})]
    )
