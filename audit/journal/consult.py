"""Reading a record or a page of records: look-up, scope and trace in one call, or nothing is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models, transaction
from django.http import Http404, HttpRequest

from audit.encryption.base import EncryptedField
from audit.encryption.keys import load_keys_of
from audit.encryption.scan import read_column
from audit.journal import trace
from audit.journal.models import Action
from audit.journal.page import Page, capped_counts, read_page
from audit.journal.record import capacity_of, record_event, replaced_by, subject_of, team_of

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

__all__ = ["Found", "Page", "capped_counts", "consult", "consult_lists", "consult_page", "consult_search"]

M = TypeVar("M", bound=models.Model)

CURSOR_PARAMETER = "suite"
LARGEST_SCOPE = 10_000  # records that one search reads
LIKE_AN_ID = re.compile(r"[0-9A-Fa-f-]{1,36}")


class _OutOfReach(Exception):
    """The scope does not hold this id."""


def consult(
    request: HttpRequest,
    queryset: models.QuerySet[M],
    *,
    pk: object,
    purpose: str = "",
    action: str = Action.READ,
    data_kind: str = "",
) -> M:
    """The record of this id within the scope that the queryset is, its keys loaded and its event committed.

    Raises Http404 when the scope does not hold it, whether or not it exists; the refusal is then in the journal. If
    the event cannot be written its error comes through and nothing is shown. Never called inside a transaction.
    """
    actor = _actor_of(request)
    kind = queryset.model._meta.label_lower
    try:
        with transaction.atomic(durable=True):
            record = _look_up(queryset, pk)
            trace.act_for(replaced_by(actor, record))
            record_event(
                action,
                kind=kind,
                ids=[record.pk],
                actor=actor,
                subject_id=subject_of(record),
                subject_team_id=team_of(record),
                data_kind=data_kind,
                purpose=purpose,
            )
    except _OutOfReach:
        _record_refusal(actor, kind, pk, action)
        raise Http404 from None
    load_keys_of(record)
    return record


def consult_page(
    request: HttpRequest,
    queryset: models.QuerySet[M],
    *,
    order: Sequence[str] = ("due_on", "id"),
    cursor: str | None = None,
    size: int = 25,
    action: str = Action.LIST,
    purpose: str = "",
    data_kind: str = "",
) -> Page[M]:
    """One page of the scope that the queryset is, its keys loaded, and one event with the ids it shows.

    The place is ``?suite=`` unless ``cursor`` is given; see ``read_page`` for ``order``. Three queries: the page, the
    event, the keys. Never called inside a transaction.
    """
    actor = _actor_of(request)
    place = request.GET.get(CURSOR_PARAMETER, "") if cursor is None else cursor
    with transaction.atomic(durable=True):
        page = read_page(queryset, order=order, cursor=place, size=size)
        record_event(
            action,
            kind=queryset.model._meta.label_lower,
            ids=[record.pk for record in page],
            actor=actor,
            subject_team_id=_common_team(page),
            data_kind=data_kind,
            purpose=purpose,
        )
    load_keys_of(*page)
    return page


def consult_lists(
    request: HttpRequest,
    *querysets: models.QuerySet[Any],
    about: Callable[[Any], Iterable[UUID | None]],
    model: type[models.Model],
    also: Sequence[models.Model] = (),
) -> list[list[Any]]:
    """The short lists of one page, each ordered and cut by its caller, with one event for all of them and one look-up
    of keys, those of the records of ``also`` too.

    The event says which files of ``model`` the page shows: ``about`` gives those of a record. Never called inside a
    transaction.
    """
    actor = _actor_of(request)
    with transaction.atomic(durable=True):
        lists = [list(queryset) for queryset in querysets]
        shown = dict.fromkeys(file_id for records in lists for record in records for file_id in about(record))
        record_event(Action.LIST, kind=model._meta.label_lower, ids=[pk for pk in shown if pk is not None], actor=actor)
    load_keys_of(*(record for records in lists for record in records), *also)
    return lists


@dataclass(frozen=True)
class Found(Generic[M]):
    """What a search gives: the best answers first, how many there are in all, and whether the scope was too large."""

    records: list[M]
    total: int
    is_cut: bool = False
    unreadable: int = 0  # records whose value does not open: they could not answer


def consult_search(
    request: HttpRequest,
    scope: models.QuerySet[M],
    *,
    field: EncryptedField,
    path: str,
    answers: Callable[[Sequence[str]], dict[int, int]],
    shown: models.QuerySet[M],
    size: int = 25,
) -> Found[M]:
    """The records of a scope whose encrypted field answers, their keys loaded, and one event with the ids shown.

    ``answers`` takes the clear values and gives the places of those that answer, each with its rank, the lowest best;
    ``path`` leads to the field as in ``read_column``; ``shown`` is the scope as a page shows it. What was looked for
    is nowhere in the event: only how many records answered. Never called inside a transaction.
    """
    actor = _actor_of(request)
    unreadable: list[UUID] = []
    values = read_column(scope, field, path, at_most=LARGEST_SCOPE + 1, unreadable=unreadable)
    ranks = answers([text for _, text in values])
    best = sorted(ranks, key=lambda place: (ranks[place], values[place][1]))[:size]
    order = {UUID(bytes=values[place][0]): number for number, place in enumerate(best)}
    with transaction.atomic(durable=True):
        records = sorted(shown.filter(pk__in=order), key=lambda record: order[record.pk])
        record_event(
            Action.SEARCH,
            kind=scope.model._meta.label_lower,
            ids=[record.pk for record in records],
            actor=actor,
            subject_team_id=_common_team(records),
            detail={"found": len(ranks), "unreadable": len(unreadable)},
        )
    load_keys_of(*records)
    return Found(records, len(ranks), len(values) > LARGEST_SCOPE, len(unreadable))


def _actor_of(request: HttpRequest) -> AbstractBaseUser | None:
    """The signed-in person, whose role is read before the transaction and not inside."""
    if not request.user.is_authenticated:
        return None
    capacity_of(request.user)
    return request.user


def _look_up(queryset: models.QuerySet[M], pk: object) -> M:
    try:
        return queryset.get(pk=pk)
    except (ObjectDoesNotExist, ValueError, TypeError, OverflowError, ValidationError):
        raise _OutOfReach from None  # what cannot be an id is answered like what does not exist


def _record_refusal(actor: AbstractBaseUser | None, kind: str, pk: object, action: str) -> None:
    """The id asked for, and no second query to see whether it exists; what is not an id is not kept."""
    asked = str(pk) if LIKE_AN_ID.fullmatch(str(pk)) else ""
    with transaction.atomic(durable=True):
        record_event(
            Action.REFUSAL,
            kind=kind,
            ids=[asked] if asked else [],
            actor=actor,
            subject_id=pk if isinstance(pk, UUID) else None,
            detail={"asked": action},
        )


def _common_team(records: Iterable[models.Model]) -> int | None:
    """The team responsible for every record of a page; None when they have several, or none."""
    teams = {team_of(record) for record in records}
    return teams.pop() if len(teams) == 1 else None
