"""That a person has just looked for a child, as the form of a saisine carries it from one page to the next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.signing import BadSignature, TimestampSigner
from django.utils.crypto import constant_time_compare, salted_hmac

from pre_cases.search.words import plain
from referents.models import User

SALT = "pre_cases.search.proof"
LASTS = timedelta(hours=12)  # a session


def proof_of_search(person: User, typed: Mapping[str, Any]) -> str:
    """A dated code of these names and this birth date that only the server can make; it says nothing of them."""
    return TimestampSigner(salt=SALT).sign(_digest(person, typed))


def proves_search(proof: str, person: User, typed: Mapping[str, Any]) -> bool:
    """Whether this person has looked for this very child less than twelve hours ago."""
    try:
        digest = TimestampSigner(salt=SALT).unsign(proof, max_age=LASTS)
    except BadSignature:
        return False
    return constant_time_compare(digest, _digest(person, typed))


def _digest(person: User, typed: Mapping[str, Any]) -> str:
    names = [plain(typed["first_name"]), plain(typed["family_name"]), str(typed.get("birth_date") or "")]
    return salted_hmac(SALT, "\n".join([str(person.pk), *names]), algorithm="sha256").hexdigest()
