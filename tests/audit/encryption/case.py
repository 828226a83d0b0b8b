"""A whole case, in which every encrypted field of the application holds something of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import models

from audit.encryption.fields import EncryptedTextField
from audit.encryption.keyed import encrypted_fields, is_historical, keyed_models
from audit.encryption.keys import load_keys_of
from audit.history import acting_as, system_account
from pre_cases.models import Child, Document, Parcours
from referents.models import Role, Team, User
from tests.cast import make_child, make_parcours, make_user
from tests.whole_file import make_whole_file

DATED = {"document.removal_reason"}  # only with a date, which is set apart


class Case:
    """A child followed by a référent, with all that may be written about it."""

    def __init__(self, team: Team, first_name: str) -> None:
        self.author: User = make_user("Benoît", Role.REFERENT, team)
        self.child: Child = make_child(first_name)
        self.parcours: Parcours = make_parcours(team, referent=self.author, child=self.child)
        make_whole_file(self.parcours, self.author)
        self.document: Document = self.parcours.documents.get()
        with acting_as(system_account()):
            for record in records_of(self.child.data_key_id, self.child.family.data_key_id):
                fill(record)


def records_of(*key_ids: UUID, history: bool = False) -> Iterator[Any]:
    """The records with encrypted fields under these keys, their keys loaded; or their historical rows."""
    for model in keyed_models():
        if encrypted_fields(model) and is_historical(model) == history:
            for record in model._base_manager.filter(data_key_id__in=key_ids).order_by("pk"):
                load_keys_of(record)
                yield record


def fill(record: models.Model) -> None:
    """Give a text of its own to each encrypted field left empty."""
    empty = [
        field
        for field in encrypted_fields(type(record))
        if getattr(record, field.attname) is None and field.aad not in DATED
    ]
    for field in empty:
        assert isinstance(field, EncryptedTextField), field
        setattr(record, field.attname, f"Texte de {field.aad}")
    if empty:
        record.save()


def clear_values(*key_ids: UUID, history: bool = False) -> dict[tuple[str, object, str], Any]:
    """Every value under these keys, read as a page would; raises UnreadableValue."""
    return {
        (record._meta.label, record.pk, field.attname): getattr(record, field.attname)
        for record in records_of(*key_ids, history=history)
        for field in encrypted_fields(type(record))
    }


def rows_under(*key_ids: UUID) -> dict[tuple[str, object], dict[str, Any]]:
    """Every row under these keys as it is stored, history included."""
    return {
        (model._meta.label, row[model._meta.pk.attname]): row
        for model in keyed_models()
        for row in model._base_manager.filter(data_key_id__in=key_ids).values()
    }
