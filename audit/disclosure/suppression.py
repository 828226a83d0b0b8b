"""The whole-table rule (see the package): which cells of which tables may be shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from audit.disclosure.cells import Cell, Judged, Pair, ProtectedTable, Reference, Status, Subject, Table


class UnsafeRelease(Exception):
    """The independent check found a published cell that the rule forbids: nothing may leave."""


def protect(tables: Sequence[Table], pairs: Sequence[Pair] = ()) -> list[ProtectedTable]:
    """Judge every cell of tables published together, and check the result before giving it back.

    Raises ValueError when two tables share a code, UnsafeRelease when the check refuses the result.
    """
    by_code = {table.code: table for table in tables}
    if len(by_code) != len(tables):
        raise ValueError("Two tables have the same code.")
    hidden, hidden_tops = _small_differences(by_code, pairs)
    protected = [_judge(table, table.code in hidden, hidden_tops) for table in tables]
    check(protected, pairs)
    return protected


def _judge(table: Table, is_hidden: bool, hidden_tops: set[tuple[str, str]]) -> ProtectedTable:
    if table.subject is Subject.OTHER:
        return ProtectedTable(table, tuple(Judged(cell, Status.PUBLISHED) for cell in table.cells))
    is_hidden = is_hidden or any(table.is_small(cell.value) for cell in table.counts())

    def is_shown(cell: Cell) -> bool:
        if not is_hidden:
            return True
        measure = cell.base or cell.measure
        base = table.index.get((*cell.place, measure))
        return (
            table.is_kept_total(cell)
            and base is not None
            and not table.is_small(base.value)
            and (table.code, measure) not in hidden_tops
        )

    return ProtectedTable(
        table,
        tuple(Judged(cell, Status.PUBLISHED if is_shown(cell) else Status.SUPPRESSED) for cell in table.cells),
    )


def _small_differences(tables: dict[str, Table], pairs: Iterable[Pair]) -> tuple[set[str], set[tuple[str, str]]]:
    """Codes of the tables to suppress, and (code, measure) of the top totals to suppress with them."""
    hidden: set[str] = set()
    hidden_tops: set[tuple[str, str]] = set()
    for pair in pairs:
        table = tables.get(pair.yielding.table)
        if table is None or pair.kept.table not in tables:
            continue
        kept = _by_geography(tables[pair.kept.table], pair.kept)
        for geography, value in _by_geography(table, pair.yielding).items():
            if geography in kept and table.is_small(abs(kept[geography] - value)):
                hidden.add(table.code)
                if geography == table.top:
                    hidden_tops.add((table.code, pair.yielding.measure))
    return hidden, hidden_tops


def _by_geography(table: Table, reference: Reference) -> dict[str, int]:
    return {
        cell.geography: int(cell.value)
        for cell in table.counts()
        if (cell.category, cell.category_2, cell.measure)
        == (reference.category, reference.category_2, reference.measure)
    }


def check(protected: Sequence[ProtectedTable], pairs: Sequence[Pair] = ()) -> None:
    """Verify a result without trusting who made it; raises UnsafeRelease naming the table, never a value."""
    published: dict[tuple[str, ...], int] = {}
    for item in protected:
        if item.table.subject is Subject.OTHER:
            continue
        shown = {judged.cell.key for judged in item.judged if judged.status is Status.PUBLISHED}
        if shown == {cell.key for cell in item.table.cells}:
            unsafe = any(item.table.is_small(cell.value) for cell in item.table.counts())
        else:
            rest = [item.table.index[key] for key in shown]
            unsafe = any(not item.table.is_kept_total(cell) for cell in rest) or any(
                item.table.is_small(cell.value) for cell in rest if not cell.base
            )
        if unsafe or any((*key[:3], item.table.index[key].base or key[3]) not in shown for key in shown):
            raise UnsafeRelease(item.table.code)
        for key in shown:
            if not item.table.index[key].base:
                published[item.table.code, *key] = int(item.table.index[key].value)
    thresholds = {item.table.code: item.table.threshold for item in protected}
    for pair in pairs:
        _check_pair(pair, published, thresholds.get(pair.yielding.table, 0))


def _check_pair(pair: Pair, published: dict[tuple[str, ...], int], threshold: int) -> None:
    kept, yielding = pair.kept, pair.yielding
    wanted = (yielding.table, yielding.category, yielding.category_2, yielding.measure)
    for (table, geography, *rest), value in published.items():
        other = (kept.table, geography, kept.category, kept.category_2, kept.measure)
        if (table, *rest) == wanted and other in published and 0 < abs(published[other] - value) < threshold:
            raise UnsafeRelease(yielding.table)
