"""Short secrets of the accounts (the seed of an application of codes), sealed under one key of the installation.

A sealed text is ``key id:base64 of an envelope``. It is bound to its owner: moved to another account, it does not open.
The key is made at its first use; more than one may exist, since each text names its own.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from uuid import NAMESPACE_OID, UUID, uuid5

from audit.encryption.envelope import BadEnvelope, Envelope, field_label, unseal
from audit.encryption.errors import UnreadableValue
from audit.encryption.keys import ciphers_of, create_data_key, load_keys, seal_with
from audit.encryption.keystore.models import DataKey, KeyKind

NAME = "sign_in.secret"
LABEL = field_label(NAME)


def seal_secret(text: str, *, owner: int) -> str:
    """The sealed form of a secret of this account."""
    key_id = current_key()
    load_keys([key_id])
    envelope = seal_with(key_id, text.encode(), name=NAME, label=LABEL, record_id=identity_of(owner))
    return f"{key_id.hex}:{b64encode(bytes(envelope)).decode()}"


def open_secret(sealed: str, *, owner: int) -> str:
    """The secret inside; raises UnreadableValue if it was altered, belongs to another account, or lost its key."""
    identity = identity_of(owner)
    try:
        key_id = key_of(sealed)
        envelope = Envelope(b64decode(sealed.partition(":")[2], validate=True))
        load_keys([key_id])
        return unseal(envelope, ciphers_of(key_id), key_id=key_id, label=LABEL, record_id=identity).decode()
    except (ValueError, binascii.Error) as error:  # BadEnvelope is a ValueError
        reason = str(error) if isinstance(error, BadEnvelope) else "not a sealed secret"
        raise UnreadableValue(NAME, identity, reason) from None


def key_of(sealed: str) -> UUID:
    """The key that a sealed text names; raises ValueError for what is not one."""
    return UUID(hex=sealed.partition(":")[0])


def current_key() -> UUID:
    """The key that new secrets are sealed with, made when there is none yet."""
    newest = DataKey.objects.filter(kind=KeyKind.SIGN_IN, retired_at__isnull=True).order_by("-created_at", "-pk")
    found = newest.values_list("key_id", flat=True).first()
    return found or create_data_key(KeyKind.SIGN_IN)


def identity_of(owner: int) -> UUID:
    """What stands for an account in the seal, where everything has a UUID."""
    return uuid5(NAMESPACE_OID, f"marelle.account.{owner}")
