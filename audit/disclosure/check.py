"""The checker: does each goal have a population that fits everything published? Integers only, and no solver.

It reads the instance itself, not what the engine made of it, and trusts no search: a wrong witness is a broken goal.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from audit.disclosure.instance import LOW, Goal, Instance

# A witness is another population, given by the leaves that differ from the true one and their counts there.
Witness = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Proof:
    """``uses[figure, side]`` numbers the witnesses that serve the goals of a figure on one side, all attackers."""

    witnesses: Sequence[Witness] = ()
    uses: Mapping[tuple[int, str], Sequence[int]] = field(default_factory=dict)


def broken_goals(instance: Instance, suppressed: Collection[int], proof: Proof) -> list[Goal]:
    """The goals without a valid witness when ``suppressed`` figures (ids) are hidden; an empty list is the proof."""
    valid = _valid(instance, frozenset(suppressed), (*proof.witnesses, {}))
    figures = {figure.id: figure.leaves for figure in instance.figures}
    owned = {attacker.id: attacker.leaves for attacker in instance.attackers}
    truth = len(proof.witnesses)

    def reaches(goal: Goal, number: int) -> bool:
        witness = valid[number]
        value = sum(witness.get(leaf, instance.counts[leaf]) for leaf in figures[goal.figure])
        is_there = value <= goal.target if goal.side == LOW else value >= goal.target
        return is_there and owned[goal.attacker].isdisjoint(witness)

    return [
        goal
        for goal in instance.goals()
        if not any(
            number in valid and reaches(goal, number)
            for number in (truth, *proof.uses.get((goal.figure, goal.side), ()))
        )
    ]


def _valid(instance: Instance, hidden: frozenset[int], witnesses: Sequence[Witness]) -> dict[int, Witness]:
    """The witnesses that fit all that is known to everybody, by their numbers, reduced to the leaves that change."""
    containing: dict[int, list[frozenset[int]]] = {}
    for leaves in {figure.leaves for figure in instance.figures if figure.is_shown(hidden)}:
        for leaf in leaves:
            containing.setdefault(leaf, []).append(leaves)
    valid: dict[int, Witness] = {}
    size = len(instance.counts)
    for number, witness in enumerate(witnesses):
        moved: dict[frozenset[int], int] = {}
        for leaf, count in witness.items():
            if type(count) is not int or count < 0 or leaf in instance.structural_zeros or not 0 <= leaf < size:
                break
            for leaves in containing.get(leaf, ()):
                moved[leaves] = moved.get(leaves, 0) + count - instance.counts[leaf]
        else:
            if not any(moved.values()):
                valid[number] = {leaf: count for leaf, count in witness.items() if count != instance.counts[leaf]}
    return valid
