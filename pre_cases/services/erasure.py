"""Erasing a child: the key first, then the rows, so that older backups of the data are unreadable too.

Only the mechanism. Who asks, who approves, holds, the yearly facts and the certificate come with the retention rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from audit.encryption.keys import destroy_data_keys
from audit.encryption.keystore.models import Tombstone
from audit.erasure import Plan, erase_rows, plan_for
from audit.history import acting_as
from audit.journal.models import Action
from audit.journal.record import record_event
from audit.services import Refused
from pre_cases.models import Child, Family, Parcours
from referents.models import User


class ErasureRefused(Refused):
    """This child's file cannot be erased now."""


@dataclass(frozen=True)
class Erased:
    """What left: rows and files, and whether the family's key left too, with the last of its children."""

    rows: int
    files: int
    with_family: bool


def plan_erasure(child: Child) -> Plan:
    """Everything that leaves with a child, its family included when no other child is in it. Nothing is changed."""
    is_last = not Child.objects.filter(family=child.family_id).exclude(pk=child.pk).exists()
    return plan_for(child, *(Family.objects.filter(pk=child.family_id) if is_last else ()))


def erase_child(*, child: Child, by: User) -> Erased:
    """Destroy the keys, commit, then delete the rows, their history and their files; can be repeated after a kill.

    Raises ErasureRefused while a parcours is open. From the first step on, nothing of the child can be read.
    """
    if Parcours.objects.open().filter(child=child).exists():
        raise ErasureRefused("Un parcours est ouvert pour cet enfant : clôturez-le d’abord.")
    plan = plan_erasure(child)
    files = len(plan.files)
    with acting_as(by):
        with transaction.atomic():  # before the keys: a keystore restored from a backup is purged from these events
            record_event(Action.ERASE, kind=Child._meta.label_lower, ids=[child.pk], subject_id=child.pk)
            record_event(Action.KEY_DESTROYED, ids=sorted(map(str, plan.data_keys)), subject_id=child.pk)
        destroy_data_keys(plan.data_keys)
        rows = erase_rows(plan)
    return Erased(rows, files, any(model is Family for model in plan.rows))


def replay_tombstones(*, by: User) -> int:
    """Erase again what the data still hold of destroyed keys, after a restoration or a kill; how many children.

    Brothers and sisters keep what is theirs: a family goes only when its own key was destroyed.
    """
    graves = set(Tombstone.objects.values_list("key_id", flat=True))
    erased = 0
    for model in (Child, Family):
        for record in model.objects.filter(data_key_id__in=graves).iterator():
            with acting_as(by), transaction.atomic():
                record_event(Action.ERASE, kind=model._meta.label_lower, ids=[record.pk], purpose="tombstone")
                erase_rows(plan_for(record))
            erased += model is Child
    return erased
