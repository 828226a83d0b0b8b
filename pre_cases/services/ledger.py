"""What was released, and the proof of it: noted with the files, read by the releases to come, checked before any file
is given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from django.db import transaction

from audit.disclosure.cells import TOTAL, Status
from audit.services import Refused
from pre_cases.models import ReleasedTable, StatisticsExport
from pre_cases.statistics.kept import kept, layout_digest, read_kept
from pre_cases.statistics.period import Period
from pre_cases.statistics.protection import Earlier, ProtectedTie
from pre_cases.statistics.report import Report, protected_report
from pre_cases.statistics.statements import CellKey, Spot
from pre_cases.statistics.writing.archive import files_of, rows_in, zip_of
from pre_cases.statistics.writing.rows import Row, Rows

UNSAFE = (
    "La vérification de la protection a échoué : rien n’est diffusé. Prévenez l’administration technique, et ne "
    "diffusez pas les fichiers déjà téléchargés."
)


class UnsafeRelease(Refused):
    """What was kept of a release does not prove its files safe: they may not leave, whoever asks."""


def prepare(period: Period, progress: Callable[[int, str], None]) -> tuple[Report, bytes]:
    """The report of a period, protected with the overlapping releases, and its files. Raises Unprotected."""
    report = protected_report(period, progress, earlier=released_before(period))
    return report, zip_of(files_of(report))


def released(period: Period) -> StatisticsExport | None:
    """The release of a period, as it was first made."""
    of_period = StatisticsExport.objects.of(period).filter(state=StatisticsExport.State.DONE)
    return of_period.filter(released_tables__isnull=False).order_by("finished_at").first()


def released_before(period: Period) -> Mapping[str, Sequence[Earlier]]:
    """What the releases that share a day with a period have shown, by tie."""
    found: dict[str, list[Earlier]] = {}
    for row in ReleasedTable.objects.overlapping(period):
        tie = _read(row)
        found.setdefault(row.tie, []).append(Earlier(tie.statement.leaves, tie.alone))
    return found


def enter(export: StatisticsExport, report: Report) -> None:
    """Note a release in the ledger, in the transaction that makes its files ready."""
    ReleasedTable.objects.bulk_create(
        ReleasedTable(
            export=export,
            tie=tie.statement.code,
            starts_on=export.starts_on,
            ends_on=export.ends_on,
            places=list(report.extent.codes),
            layout=layout_digest(tie.statement),
            pattern=sorted(tie.suppressed),
            certificate=tie.certificate,
            proof=kept(tie),
        )
        for tie in report.protection
    )


def released_ties(export: StatisticsExport) -> list[ProtectedTie]:
    """What the ledger holds of a period: once, whichever request its files were first made for."""
    rows = ReleasedTable.objects.filter(starts_on=export.starts_on, ends_on=export.ends_on)
    return [_read(row) for row in rows.order_by("pk")]


def verify(export: StatisticsExport) -> None:
    """Check the files of a release as somebody who trusts neither them nor the solver. Raises UnsafeRelease.

    Every pattern is safe by its witnesses; the files hide what the patterns hide and show the counts that were
    stated; no count of persons is in them without a proof.
    """
    with transaction.atomic():
        ties = released_ties(export)
    if not ties or not all(tie.is_safe() for tie in ties):
        raise UnsafeRelease(UNSAFE)
    judged: dict[Spot, int | None] = {}
    for tie in ties:
        judged |= dict.fromkeys(tie.statement.closed)
        for number, spot in tie.statement.spots.items():
            judged[spot] = None if number in tie.suppressed else _value(tie, number)
    measures = {spot.cell.measure for spot in judged}
    if not all(_is_proved(row, judged, measures) for row in _of_persons(rows_in(bytes(export.archive or b"")))):
        raise UnsafeRelease(UNSAFE)


def _read(row: ReleasedTable) -> ProtectedTie:
    try:
        tie = read_kept(bytes(row.proof), row.certificate)
    except ValueError as error:
        raise UnsafeRelease(UNSAFE) from error
    if sorted(tie.suppressed) != row.pattern or layout_digest(tie.statement) != row.layout:
        raise UnsafeRelease(UNSAFE)
    return tie


def _value(tie: ProtectedTie, number: int) -> int:
    instance = tie.statement.instance
    return instance.value(instance.figures[number].leaves)


def _of_persons(rows: Rows) -> Iterator[Row]:
    """The cells of the tables that have a threshold: those that count persons, or are derived from such counts."""
    protected = {row["table"] for row in rows.tables if row["threshold"]}
    return (cell for cell in rows.cells if cell["table"] in protected)


def _is_proved(cell: Row, judged: Mapping[Spot, int | None], measures: Collection[str]) -> bool:
    """A count is what was stated, or hidden; nobody stands where nothing was stated. A derived figure is there only
    with the counts that it comes from."""
    key = CellKey(cell["table"], cell["category"], cell["category_2"], cell["measure"])
    spot = Spot(key, cell["geography"])
    is_shown = cell["status"] == Status.PUBLISHED.value
    if cell["value"] not in ("", "0") and key.measure not in measures:
        there = [
            Spot(part._replace(measure=m), spot.place) for part in (key, key._replace(category=TOTAL)) for m in measures
        ]
        bases = [judged[base] for base in there if base in judged]
        return is_shown and bool(bases) and None not in bases
    return (int(cell["value"]) if is_shown else None) == judged.get(spot, 0)
