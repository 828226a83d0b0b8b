"""The évaluation de la situation: noting what the child and the family need."""

from __future__ import annotations

from datetime import date

from audit.encryption.keys import load_keys
from audit.journal.record import record_change
from audit.services import Refused, service
from partners.models import Term
from pre_cases.models import Need, Parcours
from pre_cases.services.preconditions import locked, not_in_future
from referents.models import User


class NeedRefused(Refused):
    """The need does not fit the parcours."""


@service
def note_need(*, parcours: Parcours, text: str, domain: Term, priority: Term, noted_on: date, by: User) -> Need:
    """Note a need heard in an interview, within the programme's domains and priorities."""
    current = locked(parcours)
    _require_day(current, noted_on)
    need = Need.objects.create(
        parcours=current,
        author=by,
        text=text,
        domain=domain,
        priority=priority,
        noted_on=noted_on,
        data_key_id=current.data_key_id,
    )
    record_change(need, "create")
    return need


@service
def change_need(*, need: Need, text: str, domain: Term, priority: Term, noted_on: date, by: User) -> Need:
    """Say a need better; the history keeps what it was."""
    parcours = locked(need.parcours)
    _require_day(parcours, noted_on)
    load_keys([parcours.data_key_id])
    current = Need.objects.select_for_update(of=("self",)).get(pk=need.pk)
    current.text, current.domain, current.priority, current.noted_on = text, domain, priority, noted_on
    current.save()
    record_change(current, "change")
    return current


def _require_day(parcours: Parcours, day: date) -> None:
    not_in_future(day, NeedRefused, field="noted_on")
    if day < parcours.opened_on:
        raise NeedRefused("Le parcours n’était pas ouvert ce jour-là.", field="noted_on")
