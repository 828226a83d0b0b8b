"""The blind index: which children may be the same as the one somebody is about to record, wherever they are followed.

A tag is the first 12 bits of an HMAC-SHA-256 of the sounds of the names, with the birth date when it is known, under a
key of the keystore that changes every year. About one child in 4,096 shares it: it singles nobody out, and tells
nothing to who holds the data without the key. The candidates it gives are decrypted and compared (``is_same``).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from rapidfuzz.distance import OSA

from audit.encryption.keys import create_data_key, secret_of
from audit.encryption.keystore.models import DataKey, KeyKind
from pre_cases.search.words import plain, sound

TAG_BITS = 12
NAMES, NAMES_AND_BIRTH = b"names", b"names and birth"


@dataclass(frozen=True)
class Identity:
    """What is compared of a child: the names in one word each, and the birth date when it is known."""

    first_name: str
    family_name: str
    birth_date: date | None

    @property
    def compact(self) -> list[str]:
        return [plain(name).replace(" ", "") for name in (self.first_name, self.family_name)]


@dataclass(frozen=True)
class Tags:
    names: int
    full: int | None


def tags_of(identity: Identity, secret: bytes, sound: Callable[[str], str] = sound) -> Tags:
    """The tags of a child under the secret of one year; first name and family name may be exchanged."""
    names = [code.encode() for code in sorted(sound(name) for name in identity.compact)]
    if identity.birth_date is None:
        return Tags(_tag(secret, NAMES, *names), None)
    born = identity.birth_date.isoformat().encode()
    return Tags(_tag(secret, NAMES, *names), _tag(secret, NAMES_AND_BIRTH, *names, born))


def _tag(secret: bytes, *parts: bytes) -> int:
    message = b"".join(len(part).to_bytes(4) + part for part in parts)
    return int.from_bytes(hmac.digest(secret, message, hashlib.sha256)[:2]) >> (16 - TAG_BITS)


def is_same(one: Identity, other: Identity) -> bool:
    """Whether these may be one child: names that sound or are written alike, and no contradiction of birth dates."""
    if one.birth_date and other.birth_date and one.birth_date != other.birth_date:
        return False
    return any(
        all(_alike(mine, theirs) for mine, theirs in zip(one.compact, names, strict=True))
        for names in (other.compact, other.compact[::-1])
    )


def _alike(one: str, other: str) -> bool:
    return sound(one) == sound(other) or OSA.distance(one, other, score_cutoff=1) <= 1


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
    return {key_id: secret_of(key_id) for key_id in index_keys()}
