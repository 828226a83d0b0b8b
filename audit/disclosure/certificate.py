"""What travels with a release: what was proved, with what, and what it cost. No count, no witness, no seed."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import version
from typing import Any

from audit.disclosure.check import Proof, broken_goals
from audit.disclosure.instance import Instance
from audit.disclosure.protection import Protection, UnsafePattern

ENGINE = "1"


def certificate(protection: Protection, seed: int) -> dict[str, Any]:
    """The certificate of a protection; raises UnsafePattern unless the checker accepts it here and now."""
    instance = protection.instance
    if broken_goals(instance, protection.suppressed, protection.proof):
        raise UnsafePattern(instance.id)
    published = {figure.leaves for figure in instance.figures if figure.published}
    hidden = {
        figure.leaves for figure in instance.figures if figure.published and figure.id in set(protection.suppressed)
    }
    return {
        "engine": ENGINE,
        "versions": {"python": platform.python_version(), "numpy": version("numpy"), "highspy": version("highspy")},
        "instance": digest(_stated(instance)),
        "seed": commitment(seed),
        "threshold": instance.threshold,
        "thresholds": dict(instance.thresholds),
        "attackers": len(instance.attackers),
        "primary": len(instance.to_protect()),
        "goals": sum(1 for _ in instance.goals()),
        "broken": 0,
        "witnesses": len(protection.proof.witnesses),
        "witnesses_digest": digest(stated_proof(protection.proof)),
        "cells": len(published),
        "cells_hidden": len(hidden),
        "value_hidden": protection.lost,
        "value_hidden_at_least": protection.bound,
        "gap": round(protection.gap, 6),
        "is_optimal": protection.is_optimal,
        "is_complete": protection.is_complete,
    }


def stated_proof(proof: Proof) -> dict[str, Any]:
    """The witnesses in the form of the pattern file."""
    return {
        "witnesses": [{str(leaf): count for leaf, count in sorted(witness.items())} for witness in proof.witnesses],
        "uses": [[figure, side, list(numbers)] for (figure, side), numbers in sorted(proof.uses.items())],
    }


def commitment(seed: int) -> str:
    """Binds to the seed without telling it, as long as it was drawn from 128 bits or more."""
    return hashlib.sha256(b"disclosure seed " + str(seed).encode()).hexdigest()


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _stated(instance: Instance) -> list[Any]:
    """All that decides what is safe, so that a certificate cannot be moved to other counts."""
    return [
        instance.counts,
        sorted(instance.structural_zeros),
        [[figure.id, sorted(figure.leaves), figure.published, figure.released] for figure in instance.figures],
        [[attacker.id, sorted(attacker.leaves)] for attacker in instance.insiders],
        [[item.figure, item.lo, item.hi] for item in instance.to_protect()],
    ]
