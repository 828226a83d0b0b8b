"""What searches compare, written whenever a child's names change, and written again under a new key every year."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from uuid import UUID

from django.db import transaction

from audit.encryption.errors import UnreadableValue
from audit.encryption.keys import create_data_key, destroy_data_keys, key_ring, load_keys_of, own_key_ring
from audit.encryption.keystore.models import KeyKind
from audit.history import acting_as
from audit.journal.models import Action
from audit.journal.record import record_event
from pre_cases.models import Child, ChildTag
from pre_cases.search.index import Identity, current_index_key, index_keys, secrets_of_index, tag_of
from pre_cases.search.words import search_words, sound
from referents.models import User

logger = logging.getLogger(__name__)

BATCH = 200  # children written in one transaction


def identity_of(child: Child) -> Identity:
    """The names and the birth date of a child whose key is loaded."""
    return Identity(child.first_name, child.family_name, child.birth_date)


def index_child(child: Child) -> None:
    """Write what searches compare, inside the transaction of a service; the child's key is loaded."""
    key_id = current_index_key()
    ChildTag.objects.filter(child=child).delete()  # it may speak of former names
    _write([child], key_id, secrets_of_index()[key_id])


def complete_index(*, key_id: UUID | None = None, say: Callable[[int], object] = lambda done: None) -> int:
    """Write what is missing under a key, the one in use by default, in small transactions; how many children.

    Children recorded before there was an index, or while it was being rotated. Can be killed and repeated.
    """
    with key_ring():
        key_id = key_id or current_index_key()
    done, unreadable = 0, set[UUID]()
    while ids := _not_under(key_id, unreadable):
        with own_key_ring(), transaction.atomic():
            children = list(Child.objects.select_for_update().filter(pk__in=ids))
            load_keys_of(*children)
            readable = [child for child in children if _opens(child)]
            _write(readable, key_id, secrets_of_index()[key_id])
        unreadable |= set(ids) - {child.pk for child in readable}
        done += len(readable)
        say(done)
    return done


def _not_under(key_id: UUID, unreadable: set[UUID]) -> list[UUID]:
    missing = Child.objects.exclude(tags__index_key_id=key_id).exclude(pk__in=unreadable)
    return list(missing.order_by("pk").values_list("pk", flat=True)[:BATCH])


def _opens(child: Child) -> bool:
    """One that does not is logged and left out: it stops no other."""
    try:
        identity_of(child)
    except UnreadableValue as error:
        logger.error("UnreadableValue: %s", error)
        return False
    return True


def rotate_index(*, by: User, say: Callable[[int], object] = lambda done: None) -> int:
    """Write the index again under a new key and destroy the former one; how many children it holds.

    Killed half-way, the next call goes on; both keys answer meanwhile. The words of search are written again too.
    """
    with key_ring():
        keys = index_keys()
        newest = keys[0] if len(keys) > 1 else create_data_key(KeyKind.INDEX)
    complete_index(key_id=newest, say=say)
    keys = index_keys()
    older = keys[keys.index(newest) + 1 :] if newest in keys else []  # another run may have made a newer one
    destroy_data_keys(older)
    ChildTag.objects.exclude(index_key_id__in=index_keys()).delete()
    count = ChildTag.objects.filter(index_key_id=newest).count()
    with acting_as(by), transaction.atomic():
        record_event(
            Action.KEY_USE, kind=ChildTag._meta.label_lower, detail={"what": "index_rotated", "children": count}
        )
    return count


def _write(children: Iterable[Child], key_id: UUID, secret: bytes) -> None:
    rows = []
    for child in children:
        child.search_words = search_words(child.first_name, child.family_name)
        child.save(update_fields=["search_words"])
        rows.append(row_of(child, key_id, secret))
    ChildTag.objects.bulk_create(rows, ignore_conflicts=True)


def row_of(child: Child, key_id: UUID, secret: bytes, sound: Callable[[str], str] = sound) -> ChildTag:
    """The row of the index of one child, not saved."""
    return ChildTag(child=child, index_key_id=key_id, tag=tag_of(identity_of(child), secret, sound))
