"""A value that stands nowhere else in each encrypted field, and a scan that finds it in raw bytes, however written."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import UUID

from django.apps import apps
from django.utils import timezone

from audit.encryption.base import EncryptedField
from audit.encryption.fields import EncryptedBytesField, EncryptedDateField, EncryptedJSONField
from audit.encryption.keyed import encrypted_fields, is_historical, keyed_models
from audit.history import acting_as, system_account
from pre_cases.models import Child, ChildTag, Parcours
from pre_cases.search.index import current_index_key, secrets_of_index
from pre_cases.services.entry_template import add_template
from pre_cases.services.search_index import row_of
from tests.cast import Cast, make_child, make_parcours
from tests.whole_file import make_whole_file

DOCUMENT = b"%PDF-1.7\n" + b"canari-du-document " * 8_000 + b"\n%%EOF\n"  # three chunks
DOCUMENT_CANARY = "canari-du-document canari-du-document"


def planted(cast: Cast) -> tuple[Parcours, dict[str, str]]:
    """A parcours of Benoît with a row in every model that has encrypted fields, and the canary of each field."""
    parcours = make_parcours(cast.team_a, referent=cast.benoit, child=make_child("Zoé"))
    make_whole_file(parcours, cast.benoit, content=DOCUMENT)
    template = add_template(label="x", kind="phone", with_whom="family", text="x", by=cast.benoit)
    canaries = dict(_fill(parcours, template.data_key_id))
    child = Child.objects.get(pk=parcours.child_id)
    key_id = current_index_key()
    ChildTag.objects.filter(child=child).delete()
    row_of(child, key_id, secrets_of_index()[key_id]).save()
    return Parcours.objects.get(pk=parcours.pk), canaries


def _fill(parcours: Parcours, *also: UUID) -> Iterator[tuple[str, str]]:
    """Write a canary in each encrypted field of one row of each model of this family, or under these keys; its aad and
    the canary.
    """
    keys = {parcours.data_key_id, parcours.child.family.data_key_id, *also}
    for model in keyed_models():
        fields = encrypted_fields(model)
        if is_historical(model) or not fields:
            continue
        record = model.objects.filter(data_key_id__in=keys).first()
        assert record is not None, f"no row of {model._meta.label} was planted"
        for field in fields:
            value, canary = canary_of(field)
            setattr(record, field.attname, value)
            yield field.aad, canary
        if model._meta.label == "pre_cases.Document":  # a removal says its reason, and its day
            record.removed_at = timezone.now()
        with acting_as(system_account()):
            record.save()
            if model._meta.label == "pre_cases.Document":
                record.removed_at, record.removal_reason = None, None
                record.save()


def canary_of(field: EncryptedField) -> tuple[Any, str]:
    """A value for a field, unlike any other, and how it would read in clear."""
    number = sum(field.aad.encode()) + len(field.aad)
    if isinstance(field, EncryptedDateField):
        born = date(2016, 3, 1) + timedelta(number % 365)
        return born, born.isoformat()
    canary = f"canari-é-{number}-{field.aad[:20]}"
    if field.aad == "adult.phone":
        canary = "0687654321"
    if field.aad == "child.search_words":
        canary = f"canarie{number}:KANARI"
    if isinstance(field, EncryptedBytesField):
        return canary.encode(), canary
    return ({"text": canary}, canary) if isinstance(field, EncryptedJSONField) else (canary, canary)


def every_encrypted_field() -> set[str]:
    return {
        field.aad
        for model in apps.get_models()
        if not is_historical(model)
        for field in model._meta.concrete_fields
        if isinstance(field, EncryptedField)
    }


# -- looking for them ---------------------------------------------------------------------------------------------


def written_forms(text: str) -> dict[str, list[bytes]]:
    """The bytes of a text in the encodings under which it could lie, by the name of the encoding."""
    raw = text.encode()
    return {
        "utf-8": [raw],
        "latin-1": [text.encode("latin-1")],
        "utf-16": [text.encode("utf-16-le"), text.encode("utf-16-be")],
        "json": [ascii(text)[1:-1].encode().replace(b"\\xe9", b"\\u00e9")],
        "base64": [_base64_inside(raw, shift) for shift in range(3)],
        "url": [quote(text).encode(), quote_plus(text).encode()],
        "hex": [raw.hex().encode(), raw.hex().upper().encode()],
    }


def _base64_inside(raw: bytes, shift: int) -> bytes:
    """What is certain in the base64 of any text that holds these bytes ``shift`` bytes after a group of three."""
    encoded = base64.b64encode(b"\0" * shift + raw + b"\0" * ((-shift - len(raw)) % 3))
    lost_before = 0 if not shift else 4
    lost_after = 4 if (shift + len(raw)) % 3 else 0
    return encoded[lost_before : len(encoded) - lost_after]


def found_in(data: bytes, canaries: Iterable[str]) -> set[str]:
    """The canaries that lie in these bytes, under any encoding, compressed or not."""
    layers = [data, *_decompressed(data)]
    return {
        canary
        for canary in canaries
        if any(form in layer for forms in written_forms(canary).values() for form in forms for layer in layers)
    }


def _decompressed(data: bytes) -> Iterator[bytes]:
    """What every gzip stream inside these bytes holds, as far as it can be read."""
    at = data.find(b"\x1f\x8b\x08")
    while at >= 0:
        with suppress(zlib.error):
            yield zlib.decompressobj(wbits=31).decompress(data[at:])
        at = data.find(b"\x1f\x8b\x08", at + 1)


def compressed(text: str) -> bytes:
    return gzip.compress(b"before " + text.encode() + b" after")
