"""Noting that an information préoccupante was sent: the fact only. What it says never enters here."""

from __future__ import annotations

from datetime import date

from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.models import ConcernAddressee, ConcernReported, Parcours, Saisine
from pre_cases.services.preconditions import locked, not_in_future
from referents.models import User


class ConcernRefused(Refused):
    """The day does not fit, or the fact is noted already."""


@service
def report_concern(*, parcours: Parcours, reported_on: date, addressee: ConcernAddressee, by: User) -> ConcernReported:
    """Note the day and the addressee of an information préoccupante that the person has sent."""
    current = locked(parcours)
    not_in_future(reported_on, ConcernRefused, field="reported_on")
    if reported_on < Saisine.objects.values_list("received_on", flat=True).get(pk=current.saisine_id):
        raise ConcernRefused("Cette date précède la saisine.", field="reported_on")
    fact = {"parcours": current, "author": by, "reported_on": reported_on, "addressee": addressee}
    if ConcernReported.objects.filter(**fact).exists():
        raise ConcernRefused("Cette transmission est déjà notée.")
    concern = ConcernReported.objects.create(**fact)
    record_change(concern, "create")
    return concern
