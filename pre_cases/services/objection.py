"""One of several holders of authority objects, or takes its signature back: what is new stops until it is settled."""

from __future__ import annotations

from datetime import date

from audit.encryption.keys import load_keys
from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.models import Adult, Agreement, AgreementHolder, ChildAdult, Parcours
from pre_cases.services.dates import refresh_dates
from pre_cases.services.preconditions import locked, not_in_future
from referents.days import long_day
from referents.models import User


class ObjectionRefused(Refused):
    """This adult cannot object like this, or nothing is left to settle."""


@service
def record_objection(*, parcours: Parcours, adult: Adult, on: date, by: User) -> Parcours:
    """A holder objects in writing while the parcours runs: no share, EPRE, enrolment or action from now on.

    The only one who signed does not object but withdraws the agreement, which ends the parcours.
    """
    current = locked(parcours)
    load_keys([current.data_key_id])
    agreement = Agreement.objects.select_for_update(of=("self",)).get(pk=current.agreement_id)
    holders = {holder.adult_id: holder for holder in agreement.holders.all()}
    holder = holders.get(adult.pk)
    _require_holder(current, adult)
    not_in_future(on, ObjectionRefused, field="on")
    since = (holder.signed_on if holder else None) or agreement.presented_on
    if on < since:
        raise ObjectionRefused(f"L’accord date du {long_day(since)} : vérifiez le jour.", field="on")
    if holder is not None and holder.is_objecting:
        raise ObjectionRefused("Cette opposition est déjà enregistrée.", field="adult")
    others = [row for row in holders.values() if row.signed_on and not row.is_objecting and row.adult_id != adult.pk]
    if holder is not None and holder.signed_on and not others:
        raise ObjectionRefused(
            "Ce titulaire est le seul à avoir signé : enregistrez le retrait de l’accord, qui clôt le parcours.",
            field="adult",
        )
    if holder is None:
        holder = AgreementHolder(agreement=agreement, adult=adult, data_key_id=agreement.data_key_id)
    holder.objected_on, holder.settled_on, holder.settled_by, holder.settlement = on, None, None, None
    holder.save()
    record_change(holder, "object")
    refresh_dates(current)
    return current


def _require_holder(parcours: Parcours, adult: Adult) -> None:
    links = ChildAdult.objects.current().filter(child=parcours.child_id, adult=adult, holds_authority=True)
    if not links.exists():
        raise ObjectionRefused("Seul un titulaire de l’autorité parentale peut s’opposer.", field="adult")


@service
def settle_objection(*, parcours: Parcours, on: date, how: str, by: User) -> Parcours:
    """The coordination has found an agreement between the holders: what had stopped may go on."""
    current = locked(parcours)
    load_keys([current.data_key_id])
    not_in_future(on, ObjectionRefused, field="on")
    if not how.strip():
        raise ObjectionRefused("Dites en une phrase comment l’opposition est tranchée.", field="how")
    objecting = list(AgreementHolder.objects.objecting().filter(agreement=current.agreement_id).select_for_update())
    if not objecting:
        raise ObjectionRefused("Aucune opposition n’est à trancher.")
    for holder in objecting:
        if holder.objected_on is not None and on < holder.objected_on:
            raise ObjectionRefused(f"L’opposition date du {long_day(holder.objected_on)}.", field="on")
        holder.settled_on, holder.settled_by, holder.settlement = on, by, how
        holder.save()
        record_change(holder, "settle")
    refresh_dates(current)
    return current
