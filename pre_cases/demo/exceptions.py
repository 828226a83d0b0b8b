"""What the visitor finds in « Accès et relais »: told through the services once the volume is there."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from pre_cases.demo import accounts
from pre_cases.demo.staff import Staff
from pre_cases.models import ExceptionalReason, Parcours
from pre_cases.services.access_request import ask_access
from pre_cases.services.exceptional import open_exceptional_access
from pre_cases.services.hand_over import ask_hand_over
from referents.models import StandInReason
from referents.services.stand_in import start_stand_in

RELAYS = 2  # parcours proposed to the demonstration's référent


def tell_exceptions(staff: Staff, ines: Parcours) -> None:
    """A week of replacement, a relay that waits, a request for access, an exceptional access to review."""
    benoit, today = staff.of(accounts.BENOIT), timezone.localdate()
    colleague = staff.referents[staff.home.pk][-1]
    start_stand_in(
        membership=staff.memberships[colleague.email, staff.home.pk],
        user=benoit,
        reason=StandInReason.LEAVE,
        starts_on=today,
        ends_on=today + timedelta(days=8),
        by=colleague,
    )
    caseload = Parcours.objects.in_team(staff.home.pk).open().assigned_to(colleague.pk).order_by("pk")[:RELAYS]
    if caseload:
        ask_hand_over(
            parcours_list=list(caseload),
            from_referent=colleague,
            to_referent=benoit,
            message="Les deux enfants sont dans le collège que tu connais.",
            by=colleague,
        )
    reason = "Je reçois leur mère pour le petit frère, et ne veux pas tout lui redemander."
    ask_access(parcours=ines, reason=reason, by=colleague)
    elsewhere = next(user for user in staff.coordinators.values() if user != staff.of(accounts.AMINA))
    reason = "La mère s’est présentée à notre permanence avec l’enfant."
    open_exceptional_access(number=ines.number, motive=ExceptionalReason.ARRIVAL, reason=reason, by=elsewhere)
