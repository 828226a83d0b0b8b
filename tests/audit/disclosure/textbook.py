"""The two rules of the textbooks that the engine is compared with; both leave goals broken."""

import numpy as np

from audit.disclosure.instance import Instance


def line_rule(instance: Instance) -> set[int]:
    """Hide the primary figures, then, in each line with one hidden figure, the smallest other one with somebody."""
    leaves = {figure.id: figure.leaves for figure in instance.figures}
    values = {figure.leaves: instance.value(figure.leaves) for figure in instance.figures}
    lines = [list(dict.fromkeys(leaves[number] for number in (total, *parts))) for total, parts in instance.lines]
    hidden = {leaves[item.figure] for item in instance.to_protect()}
    changed = True
    while changed:
        changed = False
        for line in lines:
            if len(line) > 1 and sum(cell in hidden for cell in line) == 1:
                others = [cell for cell in line if cell not in hidden]
                hidden.add(min([cell for cell in others if values[cell]] or others, key=lambda cell: values[cell]))
                changed = True
    return {figure.id for figure in instance.figures if figure.published and figure.leaves in hidden}


def gaussian_rule(instance: Instance) -> set[int]:
    """Hide the primary figures, then the smallest shown figure by which one of them is an exact combination."""
    sets = list(dict.fromkeys(figure.leaves for figure in instance.figures))
    free = [leaf for leaf in range(len(instance.counts)) if leaf not in instance.structural_zeros]
    matrix = np.array([[leaf in leaves for leaf in free] for leaves in sets], dtype=float)
    values = np.array([instance.value(leaves) for leaves in sets])
    places = {leaves: place for place, leaves in enumerate(sets)}
    leaves_of = {figure.id: figure.leaves for figure in instance.figures}
    primary = sorted({places[leaves_of[item.figure]] for item in instance.to_protect()})
    hidden = set(primary)
    for place in primary:
        while True:
            shown = [other for other in range(len(sets)) if other not in hidden]
            weights, *_ = np.linalg.lstsq(matrix[shown].T, matrix[place], rcond=None)
            if not shown or np.abs(matrix[shown].T @ weights - matrix[place]).max() > 1e-6:
                break
            used = [other for other, weight in zip(shown, weights, strict=True) if abs(weight) > 1e-6 and values[other]]
            hidden.add(min(used or shown, key=lambda other: int(values[other])))
    return {figure.id for figure in instance.figures if figure.published and places[figure.leaves] in hidden}
