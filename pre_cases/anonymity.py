"""What must not stand in a text for people who may not know who the child is: names around it, a birth date."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db.models import Q

from audit.encryption.keys import load_keys
from audit.services import Refused
from pre_cases.models import Adult, Child
from pre_cases.subject_access.masking import found_in
from referents.days import NO_BREAK, day, long_day


class NotAnonymous(Refused):
    """A text of the sheet names somebody; the sentence says who, to the person who has just typed it."""


def names_around(child: Child) -> list[str]:
    """First names and surnames of the child, of its siblings and of the adults around it, and how its birth is written.

    Two queries, and their keys.
    """
    siblings = list(Child.objects.filter(family=child.family_id).select_related("family"))
    load_keys([child.data_key_id, *(key for sibling in siblings for key in _keys_of(sibling))])
    around = Q(family=child.family_id) | Q(child_links__child=child)
    adults = list(Adult.objects.filter(around).distinct())
    load_keys(adult.data_key_id for adult in adults)
    people: list[Child | Adult] = [*siblings, *adults]
    names = [name for person in people for name in (person.first_name, person.family_name)]
    return [*dict.fromkeys(name for name in names if name), *_births(siblings, child)]


def _keys_of(sibling: Child) -> tuple[UUID, UUID]:
    return sibling.data_key_id, sibling.family.data_key_id


def _births(siblings: list[Child], child: Child) -> list[str]:
    born = next((sibling.birth_date for sibling in siblings if sibling.pk == child.pk), None)
    if born is None:
        return []
    numbers = f"{born:%d/%m/%Y}", f"{born.day}/{born.month}/{born.year}", f"{born:%d/%m/%y}", born.isoformat()
    words = (written(born).replace(NO_BREAK, " ") for written in (day, long_day))
    return [*dict.fromkeys((*numbers, *words))]


def require_anonymous(child: Child, texts: Mapping[str, str]) -> None:
    """Refuse the first text that names somebody; ``texts`` are by form field."""
    if not any(texts.values()):
        return
    watched = names_around(child)
    for field, text in texts.items():
        if found := found_in(text, watched):
            told = ", ".join(f"« {name} »" for name in found)
            raise NotAnonymous(
                f"La fiche reste anonyme : enlevez {told}. Écrivez « l’enfant », « la mère », « le frère aîné ».",
                field=field,
            )
