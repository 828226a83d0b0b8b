"""The whole-table rule: what stays, what goes, and a check that trusts nobody."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.disclosure.cells import Cell, Judged, ProtectedTable, Reference, Relation, Status, Subject, Table, difference
from audit.disclosure.suppression import UnsafeRelease, check, protect

TOP, PLACES, CATEGORIES, THRESHOLD = "top", ("a", "b"), ("x", "y", "z"), 5
ANY = st.integers(0, 30)
Counts = dict[tuple[str, str], int]


def cell(
    place: str, category: str, value: int | Decimal, *, table: str = "t", measure: str = "n", base: str = ""
) -> Cell:
    return Cell(table, place, "v", category, "", "", measure, value, base)


def table_of(
    counts: Counts, code: str = "t", subject: Subject = Subject.PERSONS, extra: tuple[Cell, ...] = ()
) -> Table:
    """A table of places and categories, with its totals in both directions."""
    totals: Counts = {}
    for (place, category), value in counts.items():
        for key in ((place, "*"), (TOP, category), (TOP, "*")):
            totals[key] = totals.get(key, 0) + value
    cells = tuple(cell(*key, value, table=code) for key, value in (counts | totals).items())
    return Table(code, TOP, subject, THRESHOLD, cells + extra)


def published(protected: ProtectedTable) -> dict[tuple[str, str], int | Decimal]:
    return {
        (judged.cell.geography, judged.cell.category): judged.cell.value
        for judged in protected.judged
        if judged.status is Status.PUBLISHED and judged.cell.measure == "n"
    }


def counts(numbers: st.SearchStrategy[int] = ANY) -> st.SearchStrategy[Counts]:
    keys = [(place, category) for place in PLACES for category in CATEGORIES]
    return st.fixed_dictionaries(dict.fromkeys(keys, numbers))


class TestRule:
    def test_publishes_a_table_without_a_small_cell(self) -> None:
        [protected] = protect([table_of({("a", "x"): 5, ("b", "x"): 0, ("a", "y"): 9, ("b", "y"): 7})])
        assert protected.suppressed == 0

    @pytest.mark.parametrize("value", [1, 4])
    def test_suppresses_everything_below_the_total(self, value: int) -> None:
        [protected] = protect([table_of({("a", "x"): value, ("a", "y"): 50, ("b", "x"): 60, ("b", "y"): 70})])
        assert published(protected) == {(TOP, "*"): 180 + value}

    def test_reacts_to_a_small_cell_of_the_top_alone(self) -> None:
        cells = (cell(TOP, "*", 40), cell(TOP, "x", 3), cell(TOP, "y", 37))
        [protected] = protect([Table("t", TOP, Subject.PERSONS, THRESHOLD, cells)])
        assert published(protected) == {(TOP, "*"): 40}

    def test_suppresses_the_total_too_when_it_is_small(self) -> None:
        [protected] = protect([table_of({("a", "x"): 2, ("b", "x"): 1})])
        assert published(protected) == {}

    def test_exempts_what_is_not_persons(self) -> None:
        [protected] = protect([table_of({("a", "x"): 1, ("b", "x"): 2}, subject=Subject.OTHER)])
        assert protected.suppressed == 0

    def test_takes_a_derived_figure_with_its_count(self) -> None:
        mean = (
            cell(TOP, "*", Decimal("12.5"), measure="mean", base="n"),
            cell("a", "*", Decimal(3), measure="mean", base="n"),
        )
        [protected] = protect([table_of({("a", "x"): 2, ("b", "x"): 30}, extra=mean)])
        status = {(j.cell.geography, j.cell.measure): j.status for j in protected.judged if j.cell.category == "*"}
        assert status[TOP, "mean"] is Status.PUBLISHED
        assert ("a", "mean") not in status  # nor a mark, which would say that somebody was counted there

    def test_ignores_the_size_of_a_derived_figure(self) -> None:
        share = (cell("a", "x", Decimal("2.0"), measure="mean", base="n"),)
        [protected] = protect([table_of({("a", "x"): 20, ("b", "x"): 30}, extra=share)])
        assert protected.suppressed == 0

    def test_hides_a_value_with_its_cell(self) -> None:
        assert Judged(cell(TOP, "*", 3), Status.SUPPRESSED).value is None

    def test_keeps_tables_apart(self) -> None:
        bad, good = protect([table_of({("a", "x"): 1, ("b", "x"): 30}), table_of({("a", "x"): 8}, "u")])
        assert bad.suppressed
        assert not good.suppressed

    @given(counts())
    def test_publishes_no_small_count(self, numbers: Counts) -> None:
        [protected] = protect([table_of(numbers)])
        assert all(not 0 < value < THRESHOLD for value in published(protected).values())

    @given(counts())
    def test_leaves_nothing_to_subtract(self, numbers: Counts) -> None:
        [protected] = protect([table_of(numbers)])
        shown = published(protected)
        assert len(shown) == len(protected.judged) or set(shown) <= {(TOP, "*")}

    @given(counts(st.sampled_from([0, 5, 6, 40])))
    def test_loses_nothing_without_need(self, numbers: Counts) -> None:
        [protected] = protect([table_of(numbers)])
        assert protected.suppressed == 0

    @given(counts(), st.permutations(range(11)))
    def test_does_not_depend_on_the_order(self, numbers: Counts, order: list[int]) -> None:
        table = table_of(numbers)
        cells = tuple(table.cells[i] for i in [*order, *range(11, len(table.cells))] if i < len(table.cells))
        [protected], [shuffled] = protect([table]), protect([replace(table, cells=cells)])
        assert published(protected) == published(shuffled)


class TestRelations:
    def test_suppress_the_table_that_yields(self) -> None:
        kept, other = table_of({("a", "x"): 20, ("b", "x"): 30}), table_of({("a", "x"): 18, ("b", "x"): 30}, "u")
        relation = difference(Reference("t", "n"), Reference("u", "n"))
        first, second = protect([kept, other], [relation])
        assert not first.suppressed
        assert published(second) == {}  # 50 and 48 at the top: the total would tell

    def test_spare_the_total_when_the_top_differs_by_enough(self) -> None:
        kept, other = table_of({("a", "x"): 20, ("b", "x"): 30}), table_of({("a", "x"): 18, ("b", "x"): 10}, "u")
        _, second = protect([kept, other], [difference(Reference("t", "n"), Reference("u", "n"))])
        assert published(second) == {(TOP, "*"): 28}

    def test_may_add_and_subtract_several_counts(self) -> None:
        tables = [table_of({("a", "x"): number}, code) for code, number in (("t", 30), ("u", 20), ("w", 12))]
        terms = tuple((sign, Reference(code, "n")) for sign, code in ((1, "t"), (-1, "u"), (-1, "w")))
        *_, last = protect(tables, [Relation(terms, Reference("w", "n"))])
        assert last.suppressed

    def test_without_their_tables_say_nothing(self) -> None:
        [only] = protect([table_of({("a", "x"): 20})], [difference(Reference("t", "n"), Reference("gone", "n"))])
        assert not only.suppressed

    @given(counts(), counts())
    def test_never_leave_a_small_difference_between_published_totals(self, one: Counts, two: Counts) -> None:
        relation = difference(Reference("t", "n"), Reference("u", "n"))
        first, second = map(published, protect([table_of(one), table_of(two, "u")], [relation]))
        for place in (TOP, *PLACES):
            if (place, "*") in first and (place, "*") in second:
                assert not 0 < abs(first[place, "*"] - second[place, "*"]) < THRESHOLD


class TestCheck:
    """Whoever made the release, it does not leave when the check refuses it."""

    def release(self, numbers: Counts, *hidden: tuple[str, str]) -> ProtectedTable:
        table = table_of(numbers)
        return ProtectedTable(
            table,
            tuple(
                Judged(c, Status.SUPPRESSED if (c.geography, c.category) in hidden else Status.PUBLISHED)
                for c in table.cells
            ),
        )

    def test_accepts_a_whole_table(self) -> None:
        check([self.release({("a", "x"): 9, ("b", "x"): 0})])

    def test_refuses_a_small_cell(self) -> None:
        with pytest.raises(UnsafeRelease):
            check([self.release({("a", "x"): 3, ("b", "x"): 9})])

    def test_refuses_a_table_hidden_in_part(self) -> None:
        with pytest.raises(UnsafeRelease):
            check([self.release({("a", "x"): 3, ("b", "x"): 9}, ("a", "x"), ("a", "*"))])

    def test_refuses_a_derived_figure_without_its_count(self) -> None:
        table = table_of({("a", "x"): 9}, extra=(cell(TOP, "*", Decimal(4), measure="mean", base="n"),))
        judged = tuple(Judged(c, Status.PUBLISHED if c.measure == "mean" else Status.SUPPRESSED) for c in table.cells)
        with pytest.raises(UnsafeRelease):
            check([ProtectedTable(table, judged)])

    def test_refuses_the_mark_of_a_derived_figure(self) -> None:
        table = table_of({("a", "x"): 3}, extra=(cell("a", "*", Decimal(4), measure="mean", base="n"),))
        with pytest.raises(UnsafeRelease):
            check([ProtectedTable(table, tuple(Judged(c, Status.SUPPRESSED) for c in table.cells))])

    def test_refuses_a_small_relation(self) -> None:
        tables = [self.release({("a", "x"): 20})]
        other = table_of({("a", "x"): 18}, "u")
        tables.append(ProtectedTable(other, tuple(Judged(c, Status.PUBLISHED) for c in other.cells)))
        with pytest.raises(UnsafeRelease):
            check(tables, [difference(Reference("t", "n"), Reference("u", "n"))])

    def test_says_which_table_and_never_a_value(self) -> None:
        with pytest.raises(UnsafeRelease, match=r"^t$"):
            check([self.release({("a", "x"): 3, ("b", "x"): 9})])


class TestTable:
    def test_refuses_the_same_cell_twice(self) -> None:
        with pytest.raises(ValueError):
            Table("t", TOP, Subject.PERSONS, THRESHOLD, (cell(TOP, "*", 1), cell(TOP, "*", 2)))

    def test_refuses_a_threshold_that_protects_nobody(self) -> None:
        with pytest.raises(ValueError):
            Table("t", TOP, Subject.PERSONS, 1, ())

    def test_may_be_empty(self) -> None:
        [protected] = protect([Table("t", TOP, Subject.PERSONS, THRESHOLD, ())])
        assert protected.suppressed == 0

    def test_refuses_two_tables_of_one_code(self) -> None:
        with pytest.raises(ValueError):
            protect([table_of({("a", "x"): 9}), table_of({("a", "x"): 9})])
