"""What is written day by day: exchanges, comments, tasks, drafts."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.utils import timezone

from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.models import Comment, Entry, EntryKind, EntryWith, Parcours, Saisine, SaisineStage, Task
from pre_cases.querysets.saisine import WAITING
from pre_cases.services.dates import refresh_dates
from pre_cases.services.draft import discard_draft
from pre_cases.services.preconditions import locked, not_in_future, require_not_frozen
from referents.models import User


class EntryRefused(Refused):
    """The exchange does not fit the file."""


class TaskRefused(Refused):
    """The task does not fit the file, or is done already."""


class SaisineIsOver(Refused):
    """A saisine that became a parcours, or ended, takes no more writing."""


def locked_saisine(saisine: Saisine) -> Saisine:
    """The saisine as it stands once nobody else can change it; refuses one that no longer waits."""
    current = Saisine.objects.select_for_update(of=("self",)).get(pk=saisine.pk)
    require_not_frozen(current.child_id)
    stage = Saisine.objects.with_stage().get(pk=current.pk).stage
    if stage is SaisineStage.OPENED:
        raise SaisineIsOver("Le parcours est ouvert : c’est là que l’on écrit désormais.")
    if stage not in (*WAITING, SaisineStage.AGREEMENT_REFUSED):
        raise SaisineIsOver("Cette saisine est terminée : elle ne se modifie plus.")
    return current


@service
def add_entry(
    *,
    kind: EntryKind,
    on: date,
    with_whom: EntryWith,
    by: User,
    text: str = "",
    parcours: Parcours | None = None,
    saisine: Saisine | None = None,
    group_id: UUID | None = None,
) -> Entry:
    """Note an exchange on a parcours, or on a saisine before the opening. Its draft is thrown away.

    ``group_id`` is common to the rows of one exchange about several children.
    """
    parent: Parcours | Saisine
    if parcours is not None:
        parent = current = locked(parcours)
        begins_on = received_on(current)
    else:
        assert saisine is not None  # noqa: S101 - a caller's mistake, not a person's
        parent = locked_saisine(saisine)
        begins_on = parent.received_on
    require_fitting(kind, on, text, begins_on=begins_on)
    entry = Entry.objects.create(
        parcours=parent if isinstance(parent, Parcours) else None,
        saisine=parent if isinstance(parent, Saisine) else None,
        author=by,
        kind=kind,
        on=on,
        with_whom=with_whom,
        text=text,
        group_id=group_id,
        data_key_id=parent.data_key_id,
    )
    record_change(entry, "create")
    if isinstance(parent, Parcours):
        discard_draft(parcours=parent, form="entry", by=by)
        refresh_dates(parent)
    return entry


def received_on(parcours: Parcours) -> date:
    """The day before which nothing can have been exchanged."""
    return Saisine.objects.values_list("received_on", flat=True).get(pk=parcours.saisine_id)


def require_fitting(kind: EntryKind | str, on: date, text: str, *, begins_on: date) -> None:
    """What every exchange obeys, written or corrected."""
    not_in_future(on, EntryRefused, field="on")
    if kind != EntryKind.ATTEMPT and not text.strip():
        raise EntryRefused("Dites en une phrase ce qui s’est échangé.", field="text")
    if on < begins_on:
        raise EntryRefused("Cette date précède la saisine.", field="on")


@service
def add_comment(*, parcours: Parcours, text: str, by: User) -> Comment:
    """Write a word to the others who follow the parcours."""
    current = locked(parcours)
    comment = Comment.objects.create(parcours=current, author=by, text=text, data_key_id=current.data_key_id)
    record_change(comment, "create")
    return comment


@service
def add_task(
    *,
    assignee: User,
    label: str,
    due_on: date,
    by: User,
    parcours: Parcours | None = None,
    saisine: Saisine | None = None,
) -> Task:
    """Ask something of a person before a day, on a parcours or on a saisine before the opening."""
    if due_on < timezone.localdate():
        raise TaskRefused("Cette date est passée.", field="due_on")
    parent: Parcours | Saisine
    if parcours is not None:
        parent = locked(parcours)
    else:
        assert saisine is not None  # noqa: S101 - a caller's mistake, not a person's
        parent = locked_saisine(saisine)
    task = Task.objects.create(
        parcours=parent if isinstance(parent, Parcours) else None,
        saisine=parent if isinstance(parent, Saisine) else None,
        assignee=assignee,
        label=label,
        due_on=due_on,
        data_key_id=parent.data_key_id,
    )
    record_change(task, "create")
    if isinstance(parent, Parcours):
        refresh_dates(parent)
    return task


@service
def complete_task(*, task: Task, by: User) -> Task:
    """Say that a task is done, now."""
    parcours = None if task.parcours is None else locked(task.parcours)
    current = Task.objects.select_for_update(of=("self",)).get(pk=task.pk)
    if current.done_at is not None:
        raise TaskRefused("Cette tâche est déjà faite.")
    current.done_at, current.done_by = timezone.now(), by
    current.save()
    record_change(current, "change")
    if parcours is not None:
        refresh_dates(parcours)
    return current
