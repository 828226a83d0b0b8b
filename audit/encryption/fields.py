"""Model fields whose column holds an envelope and whose attribute reads in clear, once the data key is loaded.

    first_name = EncryptedTextField("prénom", aad="child.first_name", max_length=80)

The model has ``id`` (UUID primary key) and ``data_key_id`` (UUID). The attribute decrypts when it is first read;
``values_list`` gives the opaque Envelope, which ``decrypt`` opens. Nothing typed is NULL. Only ``isnull`` can be asked
in a query. ``update()``, ``bulk_update()``, ``Value()`` and ``loaddata`` cannot write: save the record, or use
``bulk_create``. With ``only()``, ask for ``data_key_id`` too, or each value costs a query.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.core.validators import MaxLengthValidator
from django.db import models

from audit.encryption.base import EncryptedField
from audit.encryption.envelope import Envelope

__all__ = [
    "EncryptedBytesField",
    "EncryptedDateField",
    "EncryptedField",
    "EncryptedJSONField",
    "EncryptedTextField",
    "decrypt",
]

ONE_LINE = 200  # characters: above, the form shows a text area


class EncryptedTextField(EncryptedField):
    """A text; ``max_length`` in characters, checked by ``clean()`` and by the form."""

    description = "Encrypted text"
    if TYPE_CHECKING:
        _pyi_private_set_type: str
        _pyi_private_get_type: str

    def __init__(self, verbose_name: Any = None, name: str | None = None, *, aad: str, **kwargs: Any) -> None:
        super().__init__(verbose_name, name, aad=aad, **kwargs)
        if self.max_length is not None:
            self.validators.append(MaxLengthValidator(self.max_length))

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, str):
            raise TypeError(f"{self.aad} takes a text, not {type(value).__name__}.")
        return value.encode()

    def decode(self, content: bytes) -> str:
        return content.decode()

    def to_python(self, value: Any) -> str | None:
        return None if value is None or value == "" else str(value)

    def formfield(self, **kwargs: Any) -> Any:
        options: dict[str, Any] = {"form_class": forms.CharField, "max_length": self.max_length}
        if self.max_length is None or self.max_length > ONE_LINE:
            options["widget"] = forms.Textarea
        if self.null:
            options["empty_value"] = None
        return super().formfield(**{**options, **kwargs})


class EncryptedDateField(EncryptedField):
    """A day."""

    description = "Encrypted date"
    if TYPE_CHECKING:
        _pyi_private_set_type: date
        _pyi_private_get_type: date

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, date) or isinstance(value, datetime):
            raise TypeError(f"{self.aad} takes a date, not {type(value).__name__}.")
        return value.isoformat().encode()

    def decode(self, content: bytes) -> date:
        return date.fromisoformat(content.decode())

    def to_python(self, value: Any) -> date | None:
        return None if value == "" else models.DateField().to_python(value)

    def formfield(self, **kwargs: Any) -> Any:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        return super().formfield(**{"form_class": forms.DateField, "widget": widget, **kwargs})


class EncryptedJSONField(EncryptedField):
    """What JSON can hold. A dictionary or list changed in place is seen when the record is saved."""

    description = "Encrypted JSON"
    if TYPE_CHECKING:
        _pyi_private_set_type: Any
        _pyi_private_get_type: Any

    def encode(self, value: Any) -> bytes:
        try:
            return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        except ValueError:
            raise TypeError(f"{self.aad} takes what JSON can hold.") from None

    def decode(self, content: bytes) -> Any:
        return json.loads(content)

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": forms.JSONField, **kwargs})


class EncryptedBytesField(EncryptedField):
    """Bytes made here, a document to be taken away; whole in memory, so some megabytes at most."""

    description = "Encrypted bytes"
    if TYPE_CHECKING:
        _pyi_private_set_type: bytes
        _pyi_private_get_type: bytes

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, bytes):
            raise TypeError(f"{self.aad} takes bytes, not {type(value).__name__}.")
        return value

    def decode(self, content: bytes) -> bytes:
        return content


def decrypt(envelope: Envelope | None, *, field: EncryptedField, record_id: UUID, data_key_id: UUID) -> Any:
    """The value of one envelope read by ``values_list``; its key must be loaded. None stays None.

    ``field`` is the model's (``Child._meta.get_field("birth_date")``). Raises UnreadableValue or KeyNotLoaded.
    """
    if envelope is None:
        return None
    return field.value_of(field.unseal(envelope, record_id, data_key_id), record_id)
