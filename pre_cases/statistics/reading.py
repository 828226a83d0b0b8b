"""What was hidden, told to the pilotage in plain French: at each level, and why more than the small counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pre_cases.statistics.catalogue import THEMES, threshold_of
from pre_cases.statistics.extent import PARIS
from pre_cases.statistics.protection import Hidden, ProtectedTie


@dataclass(frozen=True)
class Reason:
    """One table. ``small`` of its hidden cells are below ``threshold``; ``others`` are hidden so that those cannot be
    found again. It is said inside the programme only: no file tells them apart."""

    table: str
    title: str
    threshold: int
    cells: int
    in_paris: int
    in_arrondissements: int
    small: int

    @property
    def hidden(self) -> int:
        return self.in_paris + self.in_arrondissements

    @property
    def others(self) -> int:
        return self.hidden - self.small


def reasons_of(ties: Iterable[ProtectedTie], titles: dict[str, str]) -> dict[str, list[Reason]]:
    """By theme, in the order of the files; a table about whom nothing was stated has nothing to hide."""
    told: dict[str, list[Hidden]] = {}
    for tie in ties:
        for hidden in tie.hidden():
            told.setdefault(hidden.table, []).append(hidden)
    return {
        theme: [_reason(code, titles[code], told[code]) for code in codes if code in told and code in titles]
        for theme, codes in THEMES.items()
        if told.keys() & set(codes)
    }


def _reason(code: str, title: str, parts: list[Hidden]) -> Reason:
    in_paris = sum(part.hidden for part in parts if part.level == PARIS)
    return Reason(
        code,
        title,
        threshold_of(code),
        sum(part.cells for part in parts),
        in_paris,
        sum(part.hidden for part in parts) - in_paris,
        sum(part.small for part in parts),
    )


def summed(themes: dict[str, list[Reason]]) -> Reason:
    """All the tables together."""
    every = [reason for reasons in themes.values() for reason in reasons]
    return Reason(
        "",
        "Ensemble des tableaux",
        0,
        *(
            sum(getattr(reason, name) for reason in every)
            for name in ("cells", "in_paris", "in_arrondissements", "small")
        ),
    )
