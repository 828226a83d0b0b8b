"""Free texts about brothers and sisters that name a child: an erasure leaves them, somebody has to read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models

from audit.encryption.fields import EncryptedTextField
from audit.encryption.keyed import encrypted_fields
from audit.encryption.scan import read_column
from audit.erasure import plan_for
from pre_cases.models import Child
from pre_cases.search.words import plain

NOT_TYPED_ABOUT_OTHERS = {"child.first_name", "child.family_name", "child.search_words", "document.digest"}


@dataclass(frozen=True)
class Mention:
    """How many texts of one kind, about one brother or sister, hold the first name of the child."""

    sibling: Child
    kind: str
    count: int


def mentions_of(child: Child) -> list[Mention]:
    """Where the texts about the siblings of a child name it; the child's key is loaded, theirs are not needed.

    A first name that is also a common word is found too often rather than not enough.
    """
    wanted = plain(child.first_name).split()
    found = []
    for sibling in Child.objects.filter(family=child.family_id).exclude(pk=child.pk).order_by("pk"):
        plan = plan_for(sibling)
        for model, ids in plan.rows.items():
            count = len(set(_naming(model, ids, wanted)))
            if count:
                found.append(Mention(sibling, str(model._meta.verbose_name_plural), count))
    return found


def _naming(model: type[models.Model], ids: Iterable[Any], wanted: list[str]) -> Iterator[bytes]:
    """The rows of a model whose free texts hold these words, in this order, side by side."""
    for field in encrypted_fields(model):
        if not isinstance(field, EncryptedTextField) or field.aad in NOT_TYPED_ABOUT_OTHERS:
            continue
        rows = model._base_manager.filter(pk__in=list(ids))
        for pk, text in read_column(rows, field, unreadable=[]):
            words = plain(text).split()
            if any(words[place : place + len(wanted)] == wanted for place in range(len(words))):
                yield pk
