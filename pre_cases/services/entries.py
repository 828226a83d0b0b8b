"""One exchange about several children, and an exchange corrected: each row stays alone under its own child's key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from uuid_utils.compat import uuid7

from audit.encryption.keys import load_keys
from audit.journal.record import record_change
from audit.services import service
from pre_cases.models import Entry, EntryKind, EntryWith, Parcours
from pre_cases.search.words import plain
from pre_cases.services.dates import refresh_dates
from pre_cases.services.draft import discard_draft
from pre_cases.services.preconditions import locked
from pre_cases.services.timeline import EntryRefused, add_entry, received_on, require_fitting
from referents.models import User

SEVERAL = "several"  # the draft of the quick entry about several children


@service
def add_entries(
    *,
    parcours_list: Sequence[Parcours],
    kind: EntryKind | str,
    on: date,
    with_whom: EntryWith | str,
    by: User,
    text: str = "",
) -> list[Entry]:
    """The same exchange in each of these parcours: all of them, or none; the children are read with the parcours.

    It names none of the children: what one file holds must say nothing of another. The person's draft is thrown away.
    """
    if not parcours_list:
        raise EntryRefused("Choisissez au moins un enfant.", field="parcours_list")
    load_keys(parcours.data_key_id for parcours in parcours_list)
    if len(parcours_list) > 1:
        _require_nobody_named(parcours_list, text)
    if Parcours.objects.editable_by(by).filter(pk__in=[p.pk for p in parcours_list]).count() != len(parcours_list):
        raise EntryRefused("Un de ces parcours vient de changer de mains : relisez la liste.", field="parcours_list")
    group_id = uuid7() if len(parcours_list) > 1 else None
    exchange: dict[str, Any] = {"kind": kind, "on": on, "with_whom": with_whom, "text": text, "group_id": group_id}
    entries = [
        add_entry(parcours=parcours, by=by, **exchange)
        for parcours in sorted(parcours_list, key=lambda parcours: parcours.pk)  # everybody locks in the same order
    ]
    discard_draft(parcours=None, form=SEVERAL, by=by)
    return entries


@service
def correct_entry(
    *,
    entry: Entry,
    kind: EntryKind | str,
    on: date,
    with_whom: EntryWith | str,
    by: User,
    text: str = "",
    others: Sequence[Entry] = (),
) -> list[Entry]:
    """Write an exchange again, and the same in those of its group that are ticked; the history keeps what it said."""
    corrected = sorted([entry, *others], key=lambda each: str(each.parcours_id))
    if any(each.group_id is None or each.group_id != entry.group_id for each in others):
        raise EntryRefused("Cet échange n’a pas été noté avec les autres.", field="others")
    load_keys(each.data_key_id for each in corrected)
    if others:
        _require_nobody_named([each.parcours for each in corrected if each.parcours is not None], text)
    return [_write_again(each, EntryKind(kind), on, EntryWith(with_whom), text) for each in corrected]


def _write_again(entry: Entry, kind: EntryKind, on: date, with_whom: EntryWith, text: str) -> Entry:
    assert entry.parcours is not None  # noqa: S101 - a caller's mistake, not a person's
    parcours = locked(entry.parcours)
    require_fitting(kind, on, text, begins_on=received_on(parcours))
    current = Entry.objects.select_for_update(of=("self",)).get(pk=entry.pk)
    current.kind, current.on, current.with_whom, current.text = kind, on, with_whom, text
    current.save()
    record_change(current, "change")
    refresh_dates(parcours)
    return current


def _require_nobody_named(parcours_list: Sequence[Parcours], text: str) -> None:
    if names_one_of(text, [parcours.child.first_name for parcours in parcours_list]):
        raise EntryRefused(
            "Ce texte ira dans plusieurs parcours : n’y écrivez le prénom d’aucun de ces enfants.", field="text"
        )


def names_one_of(text: str, first_names: Sequence[str]) -> bool:
    """Whether one of these first names stands in a text, whatever the accents and the case."""
    words = plain(text).split()
    for first_name in first_names:
        wanted = plain(first_name).split()
        if wanted and any(words[place : place + len(wanted)] == wanted for place in range(len(words))):
            return True
    return False
