"""That a person has just looked for a child, as the form of a saisine carries it from one page to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.crypto import salted_hmac

from pre_cases.search.words import plain
from referents.models import User


def proof_of_search(person: User, typed: Mapping[str, Any]) -> str:
    """A code of these names and this birth date that only the server can make; it says nothing of them."""
    names = [plain(typed["first_name"]), plain(typed["family_name"]), str(typed.get("birth_date") or "")]
    value = "\n".join([str(person.pk), *names])
    return salted_hmac("pre_cases.search.proof", value, algorithm="sha256").hexdigest()
