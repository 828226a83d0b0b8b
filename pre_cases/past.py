"""What became of a file: who changed what, when, as a difference that one can read.

Whoever follows or coordinates the parcours may read each of its records, and so what each of them was.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import QuerySet
from django.utils import timezone

from audit.encryption.fields import EncryptedTextField
from pre_cases.models import (
    AccessRequest,
    Action,
    Adult,
    Agreement,
    AgreementHolder,
    Appointment,
    Assignment,
    Bilan,
    Child,
    ChildAdult,
    Comment,
    Document,
    Enrolment,
    Entry,
    EpreItem,
    ExceptionalAccess,
    ExceptionalAid,
    FamilyRequest,
    FollowUp,
    HandOver,
    Need,
    Objective,
    Parcours,
    ParcoursShare,
    Residence,
    RetentionHold,
    RetentionNotice,
    Review,
    Saisine,
    SaisineSign,
    Schooling,
    Suspension,
    Task,
)
from pre_cases.models.record import CaseRecord
from referents.days import day, instant

SHOWN = 50
OF_THE_PARCOURS: tuple[Any, ...] = (
    Assignment, Need, Objective, Entry, Comment, Task, Appointment, Document, Review, Bilan, Enrolment, HandOver,
    AccessRequest, EpreItem, Suspension, ExceptionalAid,
)  # fmt: skip
OF_THE_CHILD: tuple[Any, ...] = (ChildAdult, FamilyRequest, Residence, RetentionHold, RetentionNotice, Schooling)
GRANTS: tuple[Any, ...] = (ParcoursShare, ExceptionalAccess)
NOTHING = "—"
CONFIDENTIAL = "adresse confidentielle"
WORDS = re.compile(r"\s+|[^\s]+")
SIGNS = {"+": "ajout", "~": "modification", "-": "retrait"}


@dataclass(frozen=True)
class Piece:
    """A run of words of a text: ``mark`` is "" when it stayed, "del" or "ins" otherwise."""

    text: str
    mark: str = ""


@dataclass(frozen=True)
class Difference:
    """One column: its label, and its words before and after, run by run."""

    label: str
    pieces: list[Piece]


@dataclass(frozen=True)
class Change:
    """One saved version of one record, and what it changed of the former one."""

    at: datetime
    record: str  # « échange », « objectif »
    sign: str
    author: str
    differences: list[Difference]

    @property
    def is_first(self) -> bool:
        """The record was made then: nothing was before."""
        return self.sign == SIGNS["+"]


@dataclass(frozen=True)
class Past:
    changes: list[Change]
    hidden: int  # older ones, not shown


def past_of(parcours: Parcours, *, everything: bool = False) -> Past:
    """Every change of a file, the latest first; a constant number of queries, each by the ids of its records.

    The keys of the child and of the family are in the ring.
    """
    pairs = [pair for records in records_of(parcours) for pair in _versions(records, parcours)]
    pairs.sort(key=lambda pair: (pair[1].history_date, pair[1].history_id), reverse=True)
    shown = pairs if everything else pairs[:SHOWN]
    names = _Names(shown)
    changes = [_change(former, version, names) for former, version in shown]
    return Past(
        [change for change in changes if change.differences or change.sign != SIGNS["~"]], len(pairs) - len(shown)
    )


def records_of(parcours: Parcours) -> Iterator[QuerySet[Any]]:
    """The tracked records of a file: the parcours, what hangs on it, the saisine and agreement, the child."""
    yield Parcours.objects.filter(pk=parcours.pk)
    for model in OF_THE_PARCOURS:
        yield model._default_manager.filter(parcours=parcours.pk)
    yield Action.objects.filter(objective__parcours=parcours.pk)
    yield FollowUp.objects.filter(entry__parcours=parcours.pk)
    for model in GRANTS:
        yield model._default_manager.filter(content_object=parcours.pk)
    yield Saisine.objects.filter(pk=parcours.saisine_id)
    yield SaisineSign.objects.filter(saisine=parcours.saisine_id)
    yield Agreement.objects.filter(saisine=parcours.saisine_id)
    yield AgreementHolder.objects.filter(agreement__saisine=parcours.saisine_id)
    yield Child.objects.filter(pk=parcours.child_id)
    for model in OF_THE_CHILD:
        yield model._default_manager.filter(child=parcours.child_id)
    yield Adult.objects.filter(child_links__child=parcours.child_id)


def _versions(records: QuerySet[Any], parcours: Parcours) -> Iterator[tuple[Any, Any]]:
    """Each version with the one before it (None for the first). Of a closed parcours, the child's stop at its closing:
    what came afterwards belongs to whoever follows the child now.
    """
    history: Any = records.model
    rows = history.history.filter(id__in=records.order_by().values("pk")).order_by("id", "history_date", "history_id")
    former: Any = None
    for version in rows:
        if former is not None and former.id != version.id:
            former = None
        if not _is_later(version, parcours):
            yield former, version
        former = version


def _is_later(version: Any, parcours: Parcours) -> bool:
    of_the_child = version.instance_type in (Child, Adult, *OF_THE_CHILD)
    closed_on = parcours.closed_on
    return of_the_child and closed_on is not None and timezone.localdate(version.history_date) > closed_on


def _change(former: Any, version: Any, names: _Names) -> Change:
    differences = [
        Difference(str(field.verbose_name), pieces)
        for field in _told(version.instance_type)
        if (pieces := _difference(field, former, version, names))
    ]
    return Change(
        at=version.history_date,
        record=str(version.instance_type._meta.verbose_name),
        sign=SIGNS[version.history_type],
        author=names.author(version),
        differences=differences,
    )


def _told(model: type[models.Model]) -> Iterator[models.Field[Any, Any]]:
    """The columns that somebody chose or typed; the file itself, its keys and its clocks are none of them."""
    excluded = set(model.history.model._history_excluded_fields)  # type: ignore[attr-defined]
    for field in model._meta.concrete_fields:
        to_the_file = field.is_relation and issubclass(field.related_model, CaseRecord)  # type: ignore[arg-type]
        if field.editable and not to_the_file and field.name not in excluded:
            yield field


def _difference(field: models.Field[Any, Any], former: Any, version: Any, names: _Names) -> list[Piece]:
    after = names.words(field, version) if version.history_type != "-" else ""
    before = names.words(field, former) if former is not None else ""
    if former is None and getattr(version, field.attname) is False:
        return []  # a box that nobody ticked
    if before == after:
        return []
    if isinstance(field, EncryptedTextField) and before and after:
        return _word_by_word(before, after)
    return [Piece(text, mark) for text, mark in ((before, "del"), (after, "ins" if before else "")) if text]


def _word_by_word(before: str, after: str) -> list[Piece]:
    old, new = WORDS.findall(before), WORDS.findall(after)
    pieces = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(Piece("".join(new[j1:j2])))
            continue
        pieces += [
            Piece(text, mark) for text, mark in (("".join(old[i1:i2]), "del"), ("".join(new[j1:j2]), "ins")) if text
        ]
    return pieces


class _Names:
    """The words of values: the names of professionals and the labels of lists are read once for all the versions."""

    def __init__(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        wanted: dict[type[models.Model], set[Any]] = defaultdict(set)
        people = get_user_model()
        for former, version in pairs:
            wanted[people].add(version.history_user_id)
            for field in _told(version.instance_type):
                if field.is_relation and field.related_model is not None:
                    for row in (former, version):
                        wanted[field.related_model].add(getattr(row, field.attname, None))
        self.found = {model: model._default_manager.in_bulk(sorted(ids - {None})) for model, ids in wanted.items()}

    def author(self, version: Any) -> str:
        person: Any = self.found[get_user_model()].get(version.history_user_id)
        return person.get_full_name() if person else ""

    def words(self, field: models.Field[Any, Any], row: Any) -> str:
        """One value as a screen writes it; "" when nothing was said."""
        if field.name == "address" and getattr(row, "address_is_confidential", False):
            return CONFIDENTIAL
        value = getattr(row, field.attname)
        if value is None or value == "":
            return ""
        if field.is_relation:
            model: Any = field.related_model
            return _title(self.found[model].get(value))
        if field.choices:
            return str(dict(field.flatchoices).get(value, value))
        return _written(value)


def _title(record: models.Model | None) -> str:
    """What a professional, a word of a list, a school, a team or a project is called."""
    for name in ("get_full_name", "label", "title", "name"):
        found = getattr(record, name, None)
        if found is not None:
            return str(found() if callable(found) else found)
    return NOTHING


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return day(value)
    return str(value)
