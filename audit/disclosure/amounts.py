"""Tables of amounts: a cell that one contributor dominates tells that contributor's amount, to within the rest.

A leaf holds what one contributor (an organisation) has in one cell, in whole euros; each contributor attacks
with what it knows of itself. The threshold of counts does not apply: what is primary is stated, by dominance
(85 %: the rule of French public statistics).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil

from audit.disclosure.instance import Instance, Primary

DOMINANCE = Fraction(85, 100)


def protect_contributors(instance: Instance, share: Fraction = DOMINANCE) -> Instance:
    """The instance whose primary figures are those of which one insider holds ``share`` or more.

    The amount that would make the contributor hold less than its share, and as much on the other side, must stay
    possible: a reader who supposes that the contributor has all but the usual rest is then wrong by that much.
    """
    primary = []
    for figure in instance.figures:
        value = instance.value(figure.leaves)
        greatest = max((instance.value(figure.leaves & who.leaves) for who in instance.insiders), default=0)
        if greatest and greatest >= share * value:
            high = max(value + 1, ceil(greatest / share))
            primary.append(Primary(figure.id, max(0, 2 * value - high), high))
    return replace(instance, primary=tuple(primary))
