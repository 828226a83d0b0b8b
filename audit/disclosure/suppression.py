"""The whole-table rule (see the package): which cells of which tables may be shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from audit.disclosure.cells import Cell, Judged, ProtectedTable, Relation, Status, Subject, Table


class UnsafeRelease(Exception):
    """The independent check found a published cell that the rule forbids: nothing may leave."""


def protect(tables: Sequence[Table], relations: Sequence[Relation] = ()) -> list[ProtectedTable]:
    """Judge every cell of tables published together, and check the result before giving it back.

    Raises ValueError when two tables share a code, UnsafeRelease when the check refuses the result.
    """
    by_code = {table.code: table for table in tables}
    if len(by_code) != len(tables):
        raise ValueError("Two tables have the same code.")
    hidden, hidden_tops = _small_relations(by_code, relations)
    protected = [_judge(table, table.code in hidden, hidden_tops) for table in tables]
    check(protected, relations)
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

    judged = (Judged(cell, Status.PUBLISHED if is_shown(cell) else Status.SUPPRESSED) for cell in table.cells)
    # a derived figure exists where somebody was counted: its mark alone would tell a zero from a count
    kept = (item for item in judged if item.status is Status.PUBLISHED or not item.cell.base)
    return ProtectedTable(table, tuple(kept))


def _small_relations(tables: dict[str, Table], relations: Iterable[Relation]) -> tuple[set[str], set[tuple[str, str]]]:
    """Codes of the tables to suppress, and (code, measure) of the top totals to suppress with them."""
    hidden: set[str] = set()
    hidden_tops: set[tuple[str, str]] = set()
    for relation in relations:
        if any(reference.table not in tables for _, reference in relation.terms):
            continue
        table, measure = tables[relation.yielding.table], relation.yielding.measure
        for geography in {cell.geography for cell in table.cells}:
            if _is_small(relation, geography, tables, table.threshold):
                hidden.add(table.code)
                if geography == table.top and relation.yielding.is_total:
                    hidden_tops.add((table.code, measure))
    return hidden, hidden_tops


def _is_small(relation: Relation, geography: str, tables: dict[str, Table], threshold: int) -> bool:
    total = Decimal(0)
    for sign, reference in relation.terms:
        cell = tables[reference.table].index.get(reference.key(geography))
        if cell is None:
            return False
        total += sign * cell.value
    return 0 < abs(total) < threshold


def check(protected: Sequence[ProtectedTable], relations: Sequence[Relation] = ()) -> None:
    """Verify a result without trusting who made it; raises UnsafeRelease naming the table, never a value."""
    shown = {
        (item.table.code, *judged.cell.key): judged.cell
        for item in protected
        for judged in item.judged
        if judged.status is Status.PUBLISHED and item.table.subject is Subject.PERSONS
    }
    for item in protected:
        table = item.table
        cells = [cell for cell in table.cells if (table.code, *cell.key) in shown]
        whole = len(cells) == len(table.cells)
        if any(judged.cell.base and judged.status is Status.SUPPRESSED for judged in item.judged):
            raise UnsafeRelease(table.code)
        for cell in cells:
            is_orphan = bool(cell.base) and (table.code, *cell.place, cell.base) not in shown
            unsafe = is_orphan or (not cell.base and table.is_small(cell.value))
            if unsafe or not (whole or table.is_kept_total(cell)):
                raise UnsafeRelease(table.code)
        for relation in relations:
            if relation.yielding.table == table.code:
                _check_relation(relation, shown, table)


def _check_relation(relation: Relation, shown: Mapping[tuple[str, str, str, str, str], Cell], table: Table) -> None:
    for geography in {cell.geography for cell in table.cells}:
        found = [(sign, shown.get((other.table, *other.key(geography)))) for sign, other in relation.terms]
        values = [Decimal(sign * cell.value) for sign, cell in found if cell is not None]
        if len(values) == len(found) and table.is_small(abs(sum(values, Decimal(0)))):
            raise UnsafeRelease(table.code)
