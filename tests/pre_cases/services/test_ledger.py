"""The ledger: what overlapping releases tell together, and the checker before any file."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from audit.disclosure.audit import audit
from audit.disclosure.cells import Judged, Status
from audit.disclosure.protection import protect
from audit.disclosure.search import Unprotectable
from pre_cases.models import ReleasedTable, StatisticsExport
from pre_cases.services.ledger import UnsafeRelease, prepare, released_before, released_ties, verify
from pre_cases.statistics.kept import kept, read_kept
from pre_cases.statistics.period import Period
from pre_cases.statistics.protection import Earlier, ProtectedTie, with_earlier
from pre_cases.statistics.report import protected_report
from pre_cases.statistics.writing.archive import files_of, zip_of
from referents.models import Role, User
from tests.cast import make_team, make_user
from tests.pre_cases.statistics.invented import Programme, released

CIVIL, SCHOOL = Period.civil_year(2014), Period.school_year(2014)

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture(autouse=True)
def _one_threshold(settings: Any) -> None:
    settings.STATISTICS_THRESHOLDS = {}


@pytest.fixture
def programme() -> Programme:
    """Children of four arrondissements, the same from 2013 to 2016: in the first few girls, in the second few boys, and
    either of the others could hide them."""
    programme = Programme()
    teams = [programme.north, programme.east, make_team("ouest", 20), make_team("centre", 10)]
    for team, girls, boys in zip(teams, (2, 8, 7, 9), (9, 2, 8, 7), strict=True):
        for sex, number in (("girl", girls), ("boy", boys)):
            for _ in range(number):
                programme.follow((date(2013, 2, 1), date(2016, 2, 1)), team=team, sex=sex)
    return programme


@pytest.fixture
def esther() -> User:
    return make_user("Esther", Role.PILOTAGE)


def identity(ties: Any) -> ProtectedTie:
    return next(tie for tie in ties if tie.statement.code == "tie_identity")


class TestReleasedBefore:
    def test_two_years_safe_alone_give_children_away_together(self, programme: Programme) -> None:
        """The same children in both; the second year, made without the ledger, hides other cells than the first."""
        first = identity(protected_report(CIVIL, seed=1).protection)
        second = another_pattern(first)
        assert first.is_safe()
        assert second.is_safe()
        assert leaks(first, second)

    def test_no_year_gives_away_what_an_earlier_one_hid(self, programme: Programme, esther: User) -> None:
        civil, school = released(esther, CIVIL), released(esther, SCHOOL)
        first, second = identity(released_ties(civil)), identity(released_ties(school))
        assert second.certificate["earlier_releases"] == 1
        assert not leaks(first, second)

    def test_leaves_out_the_same_year_and_those_apart(self, programme: Programme, esther: User) -> None:
        released(esther, CIVIL)
        assert not released_before(CIVIL)
        assert not released_before(Period.civil_year(2015))
        assert set(released_before(SCHOOL)) == set(ReleasedTable.objects.values_list("tie", flat=True))


def another_pattern(first: ProtectedTie) -> ProtectedTie:
    """Another safe pattern of the same tie, made to show what the first hides beyond the small counts."""
    instance = first.statement.instance
    small = {item.figure for item in instance.to_protect()}
    dear = tuple(
        replace(figure, released=figure.released or figure.id in set(first.suppressed) - small)
        for figure in instance.figures
    )
    for _ in dear:  # some of what the first hides may have to be hidden again
        try:
            found = protect(replace(instance, figures=tuple(dear)), seed=1, time_limit=20)
        except Unprotectable:
            hidden = [
                number
                for number, figure in enumerate(dear)
                if figure.released and not instance.figures[number].released
            ]
            dear = (*dear[: hidden[0]], instance.figures[hidden[0]], *dear[hidden[0] + 1 :])
        else:
            return replace(first, suppressed=frozenset(found.suppressed), proof=found.proof)
    raise AssertionError("only one pattern is safe")


def leaks(first: ProtectedTie, second: ProtectedTie) -> bool:
    """Whether somebody who reads both excludes 0 or the threshold for a small count."""
    _, together = with_earlier(second.statement, [Earlier(first.statement.leaves, first.alone)])
    return bool(audit(together, second.suppressed)[1])


class TestVerify:
    def test_accepts_what_was_released(self, programme: Programme, esther: User) -> None:
        verify(released(esther, CIVIL))

    def test_refuses_a_pattern_that_shows_more(self, programme: Programme, esther: User) -> None:
        export = released(esther, CIVIL)
        row = export.released_tables.get(tie="tie_identity")
        tie = read_kept(bytes(row.proof), row.certificate)
        shown = replace(tie, suppressed=tie.suppressed - {min(tie.suppressed)})
        self.tamper(row, proof=kept(shown), pattern=sorted(shown.suppressed))
        self.refuse(export)

    def test_refuses_a_witness_that_is_none(self, programme: Programme, esther: User) -> None:
        export = released(esther, CIVIL)
        row = export.released_tables.get(tie="tie_identity")
        tie = read_kept(bytes(row.proof), row.certificate)
        broken = replace(tie, proof=replace(tie.proof, witnesses=[{} for _ in tie.proof.witnesses]))
        self.tamper(row, proof=kept(broken))
        self.refuse(export)

    def test_refuses_files_that_show_what_the_pattern_hides(self, programme: Programme, esther: User) -> None:
        export = released(esther, CIVIL)
        exact, archive = prepare_without_protection(CIVIL)
        assert exact != archive
        StatisticsExport.objects.filter(pk=export.pk).update(archive=exact)
        export.refresh_from_db()
        self.refuse(export)

    def test_refuses_a_release_with_a_part_of_its_ledger_missing(self, programme: Programme, esther: User) -> None:
        export = released(esther, CIVIL)
        export.released_tables.filter(tie="tie_followed").delete()
        self.refuse(export)

    def test_refuses_what_cannot_be_read(self, programme: Programme, esther: User) -> None:
        export = released(esther, CIVIL)
        self.tamper(export.released_tables.get(tie="tie_identity"), proof=b"nothing")
        self.refuse(export)

    def tamper(self, row: ReleasedTable, **values: Any) -> None:
        ReleasedTable.objects.filter(pk=row.pk).update(**values)

    def refuse(self, export: StatisticsExport) -> None:
        with pytest.raises(UnsafeRelease, match="vérification"):
            verify(export)


def prepare_without_protection(period: Period) -> tuple[bytes, bytes]:
    """Files with every count shown, and those that may leave."""
    report, archive = prepare(period, lambda percent, step: None)
    tables = tuple(
        replace(table, judged=tuple(Judged(judged.cell, Status.PUBLISHED) for judged in table.judged))
        for table in report.tables
    )
    return zip_of(files_of(replace(report, tables=tables))), archive
