"""Writing an event: the actor, the role of the moment, the ids; a value is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models

from audit.history import actor_or_none, current_actor
from audit.journal import trace
from audit.journal.models import Event

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

CODE = re.compile(r"[A-Za-z0-9_.:/*+-]{0,64}")  # no space, no accent: a name or a sentence does not pass


class NotACode(ValueError):
    """The journal holds ids, codes and counts; this text could be a value."""


def record_event(
    action: str,
    *,
    kind: str = "",
    ids: Iterable[object] = (),
    actor: AbstractBaseUser | None = None,
    acting_for: AbstractBaseUser | None = None,
    subject_id: UUID | None = None,
    subject_team_id: int | None = None,
    data_kind: str = "",
    purpose: str = "",
    detail: Mapping[str, Any] | None = None,
) -> Event:
    """Append one event in the transaction of the caller; the actor is that of ``acting_as()`` unless given.

    ``action``, ``data_kind``, ``purpose`` and the keys and values of ``detail`` are codes, ids or counts (NotACode
    otherwise); ``kind`` is a model's label, "pre_cases.parcours".
    """
    actor = actor or actor_or_none()
    role, team_id = capacity_of(actor)
    record_ids = [str(identifier) for identifier in ids]
    for code in (action, kind, data_kind, purpose, record_ids, dict(detail or {})):
        _require_codes(code)
    return Event.objects.create(
        action=action,
        actor_id=actor.pk if actor is not None else None,
        acting_for_id=acting_for.pk if acting_for is not None else trace.acting_for(),
        role=role,
        team_id=team_id,
        kind=kind,
        record_ids=record_ids,
        subject_id=subject_id,
        subject_team_id=subject_team_id,
        data_kind=data_kind,
        purpose=purpose,
        request_id=trace.request_id(),
        address=trace.address(),
        detail=dict(detail or {}),
    )


def record_change(
    record: models.Model, action: str, *, purpose: str = "", detail: Mapping[str, Any] | None = None
) -> Event:
    """The event of a change, written by the service that makes it; raises MissingActor outside ``acting_as()``."""
    return record_event(
        action,
        kind=record._meta.label_lower,
        ids=[record.pk],
        actor=current_actor(),
        subject_id=subject_of(record),
        subject_team_id=team_of(record),
        purpose=purpose,
        detail=detail,
    )


def capacity_of(actor: AbstractBaseUser | None) -> tuple[str, int | None]:
    """Role and team under which a person acts now, as ``actor.journal_capacity`` says; nothing for nobody."""
    capacity: tuple[str, int | None] = getattr(actor, "journal_capacity", ("", None))
    return capacity


def replaced_by(actor: AbstractBaseUser | None, record: models.Model) -> int | None:
    """The account that the person replaces in this reading, as ``actor.replaced_on(record)`` says; None mostly."""
    find = getattr(actor, "replaced_on", None)
    return find(record) if find is not None else None


def subject_of(record: models.Model) -> UUID | None:
    """Id of the file that a record belongs to: the first set column among those its model names in
    ``journal_subject`` (``("parcours_id", "saisine_id")``), its own id otherwise; None for reference data.
    """
    columns: Iterable[str] = getattr(type(record), "journal_subject", ())
    found = (getattr(record, column) for column in columns)
    subject = next((identifier for identifier in found if identifier is not None), record.pk)
    return subject if isinstance(subject, UUID) else None


def team_of(record: models.Model) -> int | None:
    """The team responsible for a record, when it carries one itself."""
    team_id = getattr(record, "team_id", None)
    return team_id if isinstance(team_id, int) else None


def _require_codes(value: object) -> None:
    if isinstance(value, str):
        if not CODE.fullmatch(value):
            raise NotACode("The journal takes codes, ids and counts only.")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _require_codes(key)
            _require_codes(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _require_codes(item)
    elif not isinstance(value, (int, float, type(None))):  # bool is an int
        raise NotACode(f"The journal does not take a {type(value).__name__}.")
