"""Reading one encrypted column of many rows, as a search does: no record is made, nothing is kept."""

from __future__ import annotations

from typing import Any

from django.db import models

from audit.encryption.base import EncryptedField
from audit.encryption.keys import load_keys


def read_column(rows: models.QuerySet[Any], field: EncryptedField, path: str = "") -> list[tuple[Any, Any]]:
    """Each row's primary key and the clear value of a field, NULLs left out; two queries, whatever the number.

    ``path`` leads to the record that holds the field (``"child__"``). Raises UnreadableValue.
    """
    names = ("pk", f"{path}id", f"{path}data_key_id", f"{path}{field.attname}")
    found = [row for row in rows.values_list(*names) if row[3] is not None]
    load_keys(row[2] for row in found)
    return [
        (pk, field.value_of(field.unseal(envelope, record_id, key_id), record_id))
        for pk, record_id, key_id, envelope in found
    ]
