"""The blind index: which children may be the same as the one somebody is about to record, wherever they are followed.

A tag is the first 12 bits of an HMAC-SHA-256 of both names, as they are heard, under a key of the keystore that changes
every year. In a programme of five thousand children most share theirs with another: it singles nobody out, and tells
nothing to who holds the data without the key. The candidates it gives are decrypted and compared (``is_same``), birth
dates included.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from rapidfuzz.distance import OSA

from audit.encryption.errors import UnreadableKey
from audit.encryption.keys import create_data_key, secret_of
from audit.encryption.keystore.models import DataKey, KeyKind
from pre_cases.search.words import LONG_ENOUGH, plain, sound

TAG_BITS = 12


@dataclass(frozen=True)
class Identity:
    """What is compared of a child: the names in one word each, and the birth date when it is known."""

    first_name: str
    family_name: str
    birth_date: date | None

    @property
    def compact(self) -> list[str]:
        return [plain(name).replace(" ", "") for name in (self.first_name, self.family_name)]


def tag_of(identity: Identity, secret: bytes, sound: Callable[[str], str] = sound) -> int:
    """The tag of a child under the secret of one year; first name and family name may be exchanged."""
    names = [skeleton(name, sound).encode() for name in identity.compact]
    message = b"".join(len(part).to_bytes(4) + part for part in sorted(names))
    return int.from_bytes(hmac.digest(secret, message, hashlib.sha256)[:2]) >> (16 - TAG_BITS)


def skeleton(name: str, sound: Callable[[str], str] = sound) -> str:
    """The consonants that are heard: the same for Lefèvre and Lefebvre, for Mohamed and Muhammad."""
    return re.sub("[AEIOUY]", "", sound(name).replace("BV", "V")) or sound(name)


def is_same(one: Identity, other: Identity) -> bool:
    """Whether these may be one child: names heard or written alike, exchanged or not, and no contradiction of dates."""
    both_dated = one.birth_date is not None and other.birth_date is not None
    if both_dated and one.birth_date != other.birth_date:
        return False
    return any(
        all(_alike(mine, theirs, loosely=both_dated) for mine, theirs in zip(one.compact, names, strict=True))
        for names in (other.compact, other.compact[::-1])
    )


def _alike(one: str, other: str, *, loosely: bool) -> bool:
    """By sound, by a letter in a name long enough; when the birth dates agree, by two consonants heard or more."""
    if sound(one) == sound(other):
        return True
    if min(len(one), len(other)) >= LONG_ENOUGH and OSA.distance(one, other, score_cutoff=1) <= 1:
        return True
    return loosely and len(skeleton(one)) > 1 and skeleton(one) == skeleton(other)


# -- the key of the year ------------------------------------------------------------------------------------------


def index_keys() -> list[UUID]:
    """The keys of the index, the one in use first; a second one lives only while the index is written again."""
    kept = DataKey.objects.filter(kind=KeyKind.INDEX).order_by("-created_at", "-pk")
    return list(kept.values_list("key_id", flat=True))


def current_index_key() -> UUID:
    """The key under which tags are written, made when there is none yet."""
    keys = index_keys()
    return keys[0] if keys else create_data_key(KeyKind.INDEX)


def secrets_of_index() -> dict[UUID, bytes]:
    """The secrets under which a child may be found."""
    secrets = {}
    for key_id in index_keys():
        try:
            secrets[key_id] = secret_of(key_id)
        except UnreadableKey:
            if DataKey.objects.filter(key_id=key_id).exists():
                raise  # otherwise destroyed just now, by the end of a rotation
    return secrets
