"""What the encrypted fields share: the attribute that reads in clear, and the column that takes envelopes only."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core import checks
from django.core.exceptions import FieldError, ValidationError
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from audit.encryption.envelope import BadEnvelope, Envelope, field_label, unseal
from audit.encryption.errors import KeyNotLoaded, PlainTextRefused, UnreadableValue
from audit.encryption.keys import ciphers_of, seal_with

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

AAD_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


class _Clear:
    """A value in clear on a record, and the envelope known to be stored for it; never changed once made.

    Pickled, it becomes the envelope again, so that no cache and no queue receives the value.
    """

    __slots__ = ("content", "envelope", "field", "owner", "value")

    def __init__(
        self,
        field: EncryptedField,
        value: Any,
        envelope: Envelope | None = None,
        content: bytes | None = None,
        owner: tuple[UUID, UUID] | None = None,
    ) -> None:
        self.field = field
        self.value = value
        self.envelope = envelope  # what the row holds, as far as this record knows
        self.content = content  # the bytes inside that envelope, when it has been opened
        self.owner = owner  # the record id and key id it was opened or sealed for

    def __deepcopy__(self, memo: dict[int, Any]) -> _Clear:
        return _Clear(self.field, deepcopy(self.value, memo), self.envelope, self.content, self.owner)

    def __reduce__(self) -> tuple[type[Envelope], tuple[bytes]]:
        if self.envelope is None or self.content != self.field.encode(self.value):
            raise PlainTextRefused(f"{self.field.aad} holds a value not yet saved: it cannot be pickled.")
        return Envelope, (self.envelope.data,)


class EncryptedAttribute(DeferredAttribute):
    """Reads in clear, decrypting once; a deferred value is fetched as its envelope, by one query."""

    field: EncryptedField

    def __init__(self, field: EncryptedField) -> None:
        super().__init__(field)
        self.attname = field.attname

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        if instance is None:
            return self
        data = instance.__dict__
        held = data[self.attname] if self.attname in data else self._fetch(instance)
        if held is None:
            return None
        if type(held) is not _Clear:
            held = data[self.attname] = self.field.open_on(instance, held)
        return held.value

    def __set__(self, instance: models.Model, value: Any) -> None:
        data = instance.__dict__
        if value is None or type(value) is Envelope:
            data[self.attname] = value
        elif isinstance(value, str) and not value:
            data[self.attname] = None
        else:
            former = data.get(self.attname)
            if type(former) is _Clear:
                data[self.attname] = _Clear(self.field, value, former.envelope, former.content, former.owner)
            else:
                data[self.attname] = _Clear(self.field, value, former)

    def _fetch(self, instance: models.Model) -> Envelope | None:
        rows = type(instance)._base_manager.db_manager(instance._state.db, hints={"instance": instance})
        held: Envelope | None = rows.filter(pk=instance.pk).values_list(self.attname, flat=True).get()
        instance.__dict__[self.attname] = held
        return held


class EncryptedField(models.Field):
    """Base of the encrypted fields; ``aad`` is the stable name of the field inside its envelopes.

    The name is « model.field » in its first form, and outlives any renaming: with another, nothing stored would open.
    """

    descriptor_class = EncryptedAttribute
    empty_strings_allowed = False

    def __init__(self, verbose_name: Any = None, name: str | None = None, *, aad: str, **kwargs: Any) -> None:
        if not AAD_NAME.fullmatch(aad):
            raise ValueError('aad is a stable name such as "child.family_name".')
        self.aad = aad
        self.label = field_label(aad)
        super().__init__(verbose_name, name, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "aad": self.aad}

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        options = ("primary_key", "unique", "choices", "db_index")
        refused = [option for option in options if getattr(self, option)]
        return [
            *super().check(**kwargs),
            *[
                checks.Error(f"An encrypted field cannot have {option}.", obj=self, id="encryption.E001")
                for option in refused
            ],
        ]

    # -- clear values -------------------------------------------------------------------------------------------------

    def encode(self, value: Any) -> bytes:
        """The bytes of a value of the attribute's type; TypeError for any other type, without the value."""
        raise NotImplementedError

    def decode(self, content: bytes) -> Any:
        """The value whose bytes these are."""
        raise NotImplementedError

    def unseal(self, envelope: Envelope, record_id: UUID, data_key_id: UUID) -> bytes:
        """The bytes of a stored value; raises UnreadableValue or KeyNotLoaded."""
        ciphers = ciphers_of(data_key_id)
        try:
            return unseal(envelope, ciphers, key_id=data_key_id, label=self.label, record_id=record_id)
        except BadEnvelope as error:
            reason = str(error) if ciphers else f"its data key {data_key_id} is not in the keystore, or does not open"
            raise UnreadableValue(self.aad, record_id, reason) from error

    def seal(self, content: bytes, record_id: UUID, data_key_id: UUID) -> Envelope:
        """A new envelope of these bytes, under the newest version of the key; raises KeyNotLoaded."""
        return seal_with(data_key_id, content, name=self.aad, label=self.label, record_id=record_id)

    def value_of(self, content: bytes, record_id: UUID) -> Any:
        """``decode``, for bytes that come from the database."""
        try:
            return self.decode(content)
        except ValueError:
            raise UnreadableValue(self.aad, record_id) from None

    def open_on(self, instance: models.Model, envelope: Envelope) -> _Clear:
        """The clear value of an envelope held by a record."""
        owner = self._owner(instance)
        content = self.unseal(envelope, *owner)
        try:
            return _Clear(self, self.decode(content), envelope, content, owner)
        except ValueError:
            raise UnreadableValue(self.aad, owner[0]) from None

    def _owner(self, instance: Any) -> tuple[UUID, UUID]:
        """The id of the tracked record (on a historical row too, whose own key is ``history_id``) and its key's."""
        data = instance.__dict__
        record_id = data.get("id") or instance.id
        data_key_id = data.get("data_key_id") or instance.data_key_id
        if type(record_id) is UUID and type(data_key_id) is UUID:
            return record_id, data_key_id
        if record_id is None or data_key_id is None:
            raise KeyNotLoaded(f"{self.aad}: the record needs its id and its data_key_id first.")
        return UUID(str(record_id)), UUID(str(data_key_id))

    # -- the database -------------------------------------------------------------------------------------------------

    def get_internal_type(self) -> str:
        return "BinaryField"

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Envelope | None:
        return None if value is None else Envelope(bytes(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Envelope | None:
        """The envelope to write: the stored one when the value is the same, a new one otherwise.

        An envelope set from elsewhere is opened first: what could not be read is not written.
        """
        data = model_instance.__dict__
        if getattr(model_instance, self.attname) is None:
            return None
        held: _Clear = data[self.attname]
        owner = self._owner(model_instance)
        content = self.encode(held.value)
        envelope = held.envelope
        if envelope is None or content != self._stored_content(held, owner):
            envelope = self.seal(content, *owner)
        data[self.attname] = _Clear(self, held.value, envelope, content, owner)
        return envelope

    def _stored_content(self, held: _Clear, owner: tuple[UUID, UUID]) -> bytes | None:
        """What the stored envelope holds; None when there is none, or when it is another record's or unreadable."""
        if held.envelope is None:
            return None
        if held.content is not None:
            return held.content if held.owner == owner else None
        try:
            return self.unseal(held.envelope, *owner)
        except UnreadableValue:
            return None

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if value is None:
            return None
        if type(value) is not Envelope:
            raise PlainTextRefused(f"{self.aad} is encrypted: only saving the record or bulk_create() can write it.")
        try:
            value.key_version()
        except BadEnvelope:
            raise PlainTextRefused(f"{self.aad} is encrypted: these bytes are not an envelope.") from None
        return value.data

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        return self.get_db_prep_value(value, connection)

    def get_placeholder(self, value: Any, compiler: Any, connection: BaseDatabaseWrapper) -> str:
        """Where an expression would be written: ``update(name=Value("…"))`` knows nothing of this field."""
        if hasattr(value, "as_sql"):
            raise PlainTextRefused(f"{self.aad} is encrypted: no expression can write it.")
        return "%s"

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise FieldError(f"{self.aad} is encrypted: only isnull can be asked of it, not {lookup_name}.")

    def get_transform(self, lookup_name: str) -> Any:
        raise FieldError(f"{self.aad} is encrypted: only isnull can be asked of it, not {lookup_name}.")

    # -- validation ---------------------------------------------------------------------------------------------------

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        if value is None and not self.blank and self.editable:
            raise ValidationError(self.error_messages["blank"], code="blank")
        super().validate(value, model_instance)
