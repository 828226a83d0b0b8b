"""Bring the schools up to what an edition of the national directory says.

The file is applied by chunks, each in its own short transaction, so that nobody waits behind an import on SQLite. An
interrupted import is finished by running it again: a line already applied is found unchanged. A line that cannot be
read or saved is refused with its reason and stops nothing. A school absent from the file is left as it is, because
an extract is often partial: only a line that says « fermé » closes a school.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import DataError, IntegrityError
from django.db.models import Q
from django.utils import timezone

from audit.journal.record import record_event
from audit.services import service
from partners.directory.file import DirectoryFile, NotADirectory
from partners.directory.lines import DirectoryLine, departement_said, read_line
from partners.directory.values import UnreadableValue, spelled_uai
from partners.models.school import School, SchoolNature, SchoolPriorityStatus, search_name_of
from referents.models import Arrondissement, User

LINES_OF_A_CHUNK = 500


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    CLOSED = "closed"
    UNCHANGED = "unchanged"
    OUTDATED = "outdated"  # older than what is already known of the school
    REPEATED = "repeated"  # the file holds a better line for the same UAI
    FILTERED = "filtered"  # another département than the one asked for
    REFUSED = "refused"


@dataclass(slots=True)
class Refusal:
    """A line left aside: where it begins in the file, the UAI as typed, and why, in French."""

    line: int
    uai: str
    reason: str


@dataclass(slots=True)
class ImportReport:
    """What became of every line: ``lines`` is the sum of the outcomes."""

    lines: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, number: int, uai: str, reason: str) -> None:
        self.outcomes[Outcome.REFUSED] += 1
        self.refusals.append(Refusal(number, uai.strip()[:20], reason))

    def counts(self) -> dict[str, int]:
        return {"lines": self.lines} | {outcome.value: self.outcomes[outcome] for outcome in Outcome}


def import_directory(*, path: Path, by: User, departement: str = "", known_on: date | None = None) -> ImportReport:
    """Create, update and close the schools that a directory file names; ``NotADirectory`` if it is none.

    ``departement`` (three characters, « 075 ») sets the others aside. ``known_on`` is the day of the edition, for
    lines that do not say it; without either, changes are dated today.
    """
    directory = DirectoryFile(path)
    best = best_of_repeated(directory)
    report = ImportReport()
    lines = readable_lines(directory, departement=departement, best=best, report=report)
    try:
        while chunk := list(islice(lines, LINES_OF_A_CHUNK)):
            apply_or_refuse(chunk, known_on=known_on, by=by, report=report)
    finally:  # an interrupted import has changed schools too
        record_event("import", kind="partners.school", actor=by, detail=report.counts())
    return report


def best_of_repeated(directory: DirectoryFile) -> dict[str, int]:
    """For each UAI that the file repeats, the line to keep: an open school first, then the latest, then the last."""
    seen: set[str] = set()
    again: set[str] = set()
    lines = 0
    position = directory.columns["uai"]
    for record in directory.records():
        lines += 1
        if not record.problem:
            uai = spelled_uai(record.cells[position])
            (again if uai in seen else seen).add(uai)
    if not lines:
        raise NotADirectory(f"Le fichier {directory.path.name} ne contient aucun établissement.")
    best: dict[str, tuple[bool, date, int]] = {}
    for record in directory.records() if again else ():
        if record.problem or spelled_uai(record.cells[position]) not in again:
            continue
        try:
            line = read_line(record.number, record.cells, directory.columns)
        except UnreadableValue:
            continue
        rank = (not line.is_closed, line.updated_on or date.min, line.number)
        best[line.uai] = max(rank, best.get(line.uai, rank))
    return {uai: number for uai, (_, _, number) in best.items()}


def readable_lines(
    directory: DirectoryFile, *, departement: str, best: dict[str, int], report: ImportReport
) -> Iterator[DirectoryLine]:
    """The lines to apply, one for each UAI; the report is told of every other one."""
    for record in directory.records():
        report.lines += 1
        try:
            if record.problem:
                raise UnreadableValue(record.problem)
            if departement and departement_said(record.cells, directory.columns) != departement:
                report.outcomes[Outcome.FILTERED] += 1
                continue
            line = read_line(record.number, record.cells, directory.columns)
        except UnreadableValue as error:
            report.refuse(record.number, directory.cell(record, "uai"), str(error))
            continue
        if best.get(line.uai, line.number) != line.number:
            report.outcomes[Outcome.REPEATED] += 1
            continue
        yield line


def apply_or_refuse(lines: list[DirectoryLine], *, known_on: date | None, by: User, report: ImportReport) -> None:
    """Apply a chunk; if the database refuses it, apply its lines one by one and refuse only the faulty ones."""
    try:
        report.outcomes.update(apply_lines(lines=lines, known_on=known_on, by=by))
    except (IntegrityError, DataError):
        if len(lines) == 1:
            report.refuse(lines[0].number, lines[0].uai, "valeurs refusées par la base de données")
            return
        for line in lines:
            apply_or_refuse([line], known_on=known_on, by=by, report=report)


@service
def apply_lines(*, lines: list[DirectoryLine], known_on: date | None, by: User) -> Counter[Outcome]:
    """Apply lines about different schools, all or none, in about ten queries however many they are."""
    chunk = _Chunk(lines, known_on)
    outcomes = Counter(chunk.take(line) for line in lines)
    chunk.save()
    return outcomes


def school_year_start(day: date) -> date:
    return date(day.year if day.month >= 9 else day.year - 1, 9, 1)


class _Chunk:
    """The schools that some lines are about, what is known of them, and the changes to write.

    The directory dates nothing but the line. A nature first seen is taken as that of the school since it opened; a
    label of éducation prioritaire first seen, as given for the school year of the line (labels are given by school
    year). Later changes begin on the day of the line, where the former fact ends.
    """

    def __init__(self, lines: list[DirectoryLine], known_on: date | None) -> None:
        self.known_on = known_on
        self.today = timezone.localdate()
        uais = [line.uai for line in lines]
        self.schools = {school.uai: school for school in School.objects.select_for_update().filter(uai__in=uais)}
        ids = [school.pk for school in self.schools.values()]
        oldest = min(self.day_of(line) for line in lines)
        lasting = Q(school__in=ids) & (Q(ends_on__isnull=True) | Q(ends_on__gt=oldest))
        self.natures = {fact.school_id: fact for fact in SchoolNature.objects.filter(lasting)}
        self.statuses = {fact.school_id: fact for fact in SchoolPriorityStatus.objects.filter(lasting)}
        self.arrondissements = {None, *Arrondissement.objects.values_list("pk", flat=True)}
        self.new: list[School] = []
        self.changed: list[School] = []
        self.changed_fields: set[str] = set()
        self.confirmed: defaultdict[date, list[int]] = defaultdict(list)
        self.new_facts: list[SchoolNature | SchoolPriorityStatus] = []
        self.ended_facts: list[SchoolNature | SchoolPriorityStatus] = []

    def day_of(self, line: DirectoryLine) -> date:
        return line.updated_on or self.known_on or self.today

    def take(self, line: DirectoryLine) -> Outcome:
        said_on = line.updated_on or self.known_on
        school = self.schools.get(line.uai)
        if school is None:
            school = School(uai=line.uai, updated_on=said_on)
            self.write(school, line)
            self.new.append(school)
            self.write_facts(school, line)
            return Outcome.CREATED
        if said_on and school.updated_on and said_on < school.updated_on:
            return Outcome.OUTDATED
        was_closed = school.closed_on is not None
        changes = self.write(school, line)
        facts_changed = self.write_facts(school, line)
        if said_on != school.updated_on and said_on:
            school.updated_on = said_on
            self.confirmed[said_on].append(school.pk)
        if changes:
            self.changed.append(school)
            self.changed_fields |= changes
        if "closed_on" in changes and school.closed_on and not was_closed:
            return Outcome.CLOSED
        return Outcome.UPDATED if changes or facts_changed else Outcome.UNCHANGED

    def write(self, school: School, line: DirectoryLine) -> set[str]:
        """Give the school what the line says; the names of the fields that changed."""
        said: dict[str, Any] = {**line.attributes, "closed_on": self.closing_day(school, line)}
        if said.get("arrondissement_id") not in self.arrondissements:
            del said["arrondissement_id"]  # not loaded as reference data
        changes = {name for name, value in said.items() if getattr(school, name) != value}
        for name in changes:
            setattr(school, name, said[name])
        return changes

    def closing_day(self, school: School, line: DirectoryLine) -> date | None:
        if line.is_closed is False:
            return None
        closed_on = school.closed_on
        if line.is_closed:
            closed_on = line.closed_on or closed_on or self.day_of(line)
        opened_on = line.attributes.get("opened_on", school.opened_on)
        return max(closed_on, opened_on) if closed_on and opened_on else closed_on

    def write_facts(self, school: School, line: DirectoryLine) -> bool:
        day = self.day_of(line)
        year_start = school_year_start(day)
        opened_on = school.opened_on or year_start
        changed = False
        if line.nature:
            nature = self.natures.get(school.pk)
            if nature is None or nature.nature != line.nature:
                starts_on = self.end(nature, day) or opened_on
                self.new_facts.append(SchoolNature(school=school, nature=line.nature, starts_on=starts_on))
                changed = True
        if line.says_priority:
            status = self.statuses.get(school.pk)
            if (status.status if status else None) != line.priority:
                first = day if school.pk else max(year_start, opened_on)
                starts_on = self.end(status, day) or first
                if line.priority:
                    fact = SchoolPriorityStatus(school=school, status=line.priority, starts_on=starts_on)
                    self.new_facts.append(fact)
                changed = True
        return changed

    def end(self, fact: SchoolNature | SchoolPriorityStatus | None, day: date) -> date | None:
        """End a fact on a day, or on its first one if it began later; the day on which the next one begins."""
        if fact is None:
            return None
        fact.ends_on = max(day, fact.starts_on)
        self.ended_facts.append(fact)
        return fact.ends_on

    def save(self) -> None:
        School.objects.bulk_create(self.new)
        if self.changed:
            for school in self.changed:
                school.search_name = search_name_of(school)
            School.objects.bulk_update(self.changed, sorted(self.changed_fields | {"search_name"}), batch_size=100)
        for said_on, ids in self.confirmed.items():
            School.objects.filter(pk__in=ids).update(updated_on=said_on)
        for model in (SchoolNature, SchoolPriorityStatus):
            ended: list[Any] = [fact for fact in self.ended_facts if isinstance(fact, model)]
            new: list[Any] = [fact for fact in self.new_facts if isinstance(fact, model)]
            model.objects.bulk_update(ended, ["ends_on"])
            model.objects.bulk_create(new)
