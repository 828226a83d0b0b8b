"""Erasing a child: the key first, then the rows, so that older backups of the data are unreadable too.

Only the mechanism: who asks and who approves stand in ``erasure_request``, the steps in ``erasure_job``.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from audit.encryption.keyed import chunks
from audit.encryption.keys import destroy_data_keys
from audit.encryption.keystore.models import NAMED_BY_NO_COLUMN, Tombstone
from audit.encryption.register import noted_destructions
from audit.erasure import Plan, erase_rows, plan_for
from audit.history import acting_as
from audit.journal.models import Action
from audit.journal.record import record_event
from audit.services import Refused
from pre_cases.models import Adult, AgreementHolder, Child, Erasure, Family, Parcours, RetentionHold
from referents.days import long_day
from referents.models import User

logger = logging.getLogger(__name__)


class ErasureRefused(Refused):
    """This child's file cannot be erased now."""


@dataclass(frozen=True)
class Erased:
    """What left: rows and files, and whether the family's key left too, with the last of its children."""

    rows: int
    files: int
    with_family: bool


def plan_erasure(child: Child) -> Plan:
    """Everything that leaves with a child: the adults around no other child too, and the family with its last child.

    Nothing is changed.
    """
    others = Child.objects.filter(family=child.family_id).exclude(pk=child.pk)
    if not others.exists():
        return plan_for(child, *Family.objects.filter(pk=child.family_id))
    plan = plan_for(child)
    signed_for_others = AgreementHolder.objects.filter(agreement__child__in=others).values("adult")
    alone = Adult.objects.filter(child_links__child=child).exclude(child_links__child__in=others)
    for adult in alone.exclude(pk__in=signed_for_others).distinct():  # a father of this child only, for instance
        for model, ids in plan_for(adult).rows.items():
            plan.rows.setdefault(model, set()).update(ids)
    return plan


def erasure_obstacle(child: Child) -> str:
    """Why a child cannot be erased now, in French; "" when nothing forbids it."""
    if Parcours.objects.open().filter(child=child).exists():
        return "Un parcours est ouvert pour cet enfant : clôturez-le d’abord."
    hold = RetentionHold.objects.current().filter(child=child).order_by("-ends_on").first()
    if hold is not None:
        return f"Une conservation prolongée court jusqu’au {long_day(hold.last_day)}."
    return ""


def erase_child(*, child: Child, by: User) -> Erased:
    """Destroy the keys, then delete the rows, their history and their files; can be repeated after a kill.

    The family is locked meanwhile, so that no brother or sister joins it and no parcours opens. Raises ErasureRefused.
    Once the keys are destroyed nothing of the child can be read, wherever it stops; ``replay_tombstones`` then ends it.
    """
    with acting_as(by), transaction.atomic():
        Family.objects.select_for_update().get(pk=child.family_id)
        current = Child.objects.select_for_update().get(pk=child.pk)
        if obstacle := erasure_obstacle(current):
            raise ErasureRefused(obstacle)
        plan = plan_erasure(current)
        files = len(plan.files)
        _journal(current, plan)
        destroy_data_keys(plan.data_keys)
        rows = erase_rows(plan)
    return Erased(rows, files, any(model is Family for model in plan.rows))


def _journal(record: Child | Family, plan: Plan, purpose: str = "") -> None:
    """The keys are named too: a keystore restored from a backup is purged from these events."""
    record_event(Action.ERASE, kind=record._meta.label_lower, ids=[record.pk], subject_id=record.pk, purpose=purpose)
    record_event(Action.KEY_DESTROYED, ids=sorted(map(str, plan.data_keys)), subject_id=record.pk, purpose=purpose)


def replay_tombstones(*, by: User) -> int:
    """Erase again what the data still hold of destroyed keys, after a restoration or a kill; how many children.

    Brothers and sisters keep what is theirs: a family goes only when its own key was destroyed, and none of its
    children lives. A child whose erasure is under way is left to its job, which counts before it deletes.
    """
    forgotten = noted_destructions() - set(Tombstone.objects.values_list("key_id", flat=True))
    destroy_data_keys(forgotten)  # an older keystore was put back
    graves = set(Tombstone.objects.exclude(kind__in=NAMED_BY_NO_COLUMN).values_list("key_id", flat=True))
    with acting_as(by):
        children = _erase_again(Child, graves)
        _erase_again(Family, graves)
    return children


def plan_again(record: Child | Family) -> Plan:
    """What a restoration has brought back with a child: its adults too, the family while another child of it lives."""
    if isinstance(record, Child) and Child.objects.filter(family=record.family_id).exclude(pk=record.pk).exists():
        return plan_erasure(record)
    return plan_for(record)


def _erase_again(model: type[Child] | type[Family], graves: set[UUID]) -> int:
    erased = 0
    for keys in chunks(graves):
        for record in list(model.objects.filter(data_key_id__in=keys)):
            if Erasure.objects.freezing().filter(subject_id=record.pk).exists():
                continue
            if isinstance(record, Family) and record.children.exists():
                logger.error("Family %s: its key is destroyed and a child of it lives: left as it is.", record.pk)
                continue
            with transaction.atomic():
                plan = plan_again(record)
                _journal(record, plan, "tombstone")
                erase_rows(plan)
            erased += 1
    return erased
