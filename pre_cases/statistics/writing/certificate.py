"""The certificate of a release, as it travels with its files: what was proved, with what, and what it cost."""

from __future__ import annotations

from typing import Any

from pre_cases.statistics.catalogue import publication
from pre_cases.statistics.report import Report

Certificate = dict[str, Any]

FORMAT = "release-1"
SUMS = ("goals", "broken", "witnesses", "cells", "cells_hidden", "value_hidden", "value_hidden_at_least")


def certificate_of(report: Report) -> Certificate:
    """The whole, then ``ties``, one for each group of tables protected together; no count of any cell, and no seed."""
    ties = [tie.certificate for tie in report.protection]
    lost, bound = (sum(tie[name] for tie in ties) for name in ("value_hidden", "value_hidden_at_least"))
    return {
        "format": FORMAT,
        "starts_on": report.period.starts_on.isoformat(),
        "ends_on": report.period.ends_on.isoformat(),
        "extracted_on": report.extracted_on.isoformat(),
        "publication": publication(report.period),
        "places": list(report.extent.codes),
        "seed": report.seed,
        "attackers": max((tie["attackers"] for tie in ties), default=1),
        **{name: sum(tie[name] for tie in ties) for name in SUMS},
        "gap": round((lost - bound) / lost, 6) if lost else 0.0,
        "is_complete": all(tie["is_complete"] for tie in ties),
        "ties": ties,
    }
