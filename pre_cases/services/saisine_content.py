"""What a saisine says, while it waits: going on with a draft, transmitting it, completing what the team asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from audit.encryption.keys import load_keys
from audit.journal.record import record_change
from audit.services import service
from partners.models import Term
from pre_cases.models import Saisine, SaisineSign
from pre_cases.services.preconditions import not_in_future
from pre_cases.services.saisine import SaisineRefused
from pre_cases.services.timeline import locked_saisine
from referents.models import User

TEXTS = ("situation", "child_words", "parents_words", "strengths", "already_done")


@dataclass(frozen=True)
class SaisineContent:
    """Everything that may be typed again: who asks, since when, the signs, and the words of each."""

    received_on: date
    source: Term
    signs: list[Term]
    main_sign: Term | None = None
    is_urgent: bool = False
    situation: str = ""
    child_words: str = ""
    parents_words: str = ""
    strengths: str = ""
    already_done: str = ""


@service
def change_saisine(*, saisine: Saisine, content: SaisineContent, by: User, submit: bool = False) -> Saisine:
    """Write what a saisine says again; ``submit`` transmits a draft, or says that what was asked for is there."""
    current = locked_saisine(saisine)
    load_keys([current.data_key_id])
    _require_possible(current, content)
    current.received_on, current.source, current.is_urgent = content.received_on, content.source, content.is_urgent
    for name in TEXTS:
        setattr(current, name, getattr(content, name))
    if submit and current.is_draft:
        current.submitted_on = timezone.localdate()
    elif submit and current.lacks_something:
        current.completed_on = timezone.localdate()
    current.save()
    _write_signs(current, content)
    record_change(current, "change")
    return current


def _require_possible(saisine: Saisine, content: SaisineContent) -> None:
    not_in_future(content.received_on, SaisineRefused, field="received_on")
    if content.main_sign is not None and content.main_sign not in content.signs:
        raise SaisineRefused("Le signe principal doit être parmi les signes cochés.", field="main_sign")
    born_on = saisine.child.birth_date
    if born_on is not None and content.received_on < born_on:
        raise SaisineRefused("L’enfant n’était pas né ce jour-là.", field="received_on")
    presented = saisine.agreements.order_by("presented_on").values_list("presented_on", flat=True).first()
    noted = saisine.entries.order_by("on").values_list("on", flat=True).first()
    first = min((day for day in (presented, noted) if day is not None), default=None)
    if first is not None and content.received_on > first:
        raise SaisineRefused("Un échange ou un accord noté ici précède cette date.", field="received_on")


def _write_signs(saisine: Saisine, content: SaisineContent) -> None:
    """The signs that are no longer ticked leave first, so that a single one is ever the main one."""
    main = content.main_sign.pk if content.main_sign else None
    ticked = {sign.pk for sign in content.signs}
    for row in saisine.signs.all():
        if row.sign_id not in ticked:
            row.delete()
        elif row.is_main and row.sign_id != main:
            row.is_main = False
            row.save()
    known = {row.sign_id: row for row in saisine.signs.all()}
    for sign in content.signs:
        row = known.get(sign.pk) or SaisineSign(saisine=saisine, sign=sign)
        if sign.pk not in known or (sign.pk == main and not row.is_main):
            row.is_main = sign.pk == main
            row.save()


@service
def ask_completion(*, saisine: Saisine, needed: str, by: User) -> Saisine:
    """Ask whoever recorded the saisine for what it does not say; nothing else waits for the answer."""
    current = locked_saisine(saisine)
    if current.is_draft:
        raise SaisineRefused("Ce brouillon n’est pas encore transmis : complétez-le directement.")
    if not needed.strip():
        raise SaisineRefused("Dites ce qui manque.", field="needed")
    load_keys([current.data_key_id])
    current.completion_asked_on, current.completed_on = timezone.localdate(), None
    current.completion_needed = needed
    current.save()
    record_change(current, "change")
    return current
