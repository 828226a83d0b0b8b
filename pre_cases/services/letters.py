"""What is told by e-mail about access to parcours: never a name, never a reason; there is something to see."""

from __future__ import annotations

import logging
from itertools import chain
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from audit.history import acting_as, system_account
from pre_cases.models import AccessRequest, ExceptionalAccess, HandOver, HandOverOutcome, Parcours, ParcoursShare
from referents.intervals import in_force
from referents.letters import write_to
from referents.models import Membership, Role, StandIn, User

logger = logging.getLogger(__name__)


def coordination(team_id: int) -> list[User]:
    return list(User.objects.holding(Role.COORDINATOR, team_id))


def protection_officers() -> list[User]:
    held = Membership.objects.current().filter(role=Role.DPO)
    return list(User.objects.filter(memberships__in=held, is_active=True).distinct())


def followers(parcours: Parcours) -> list[User]:
    """The référent of today, and who replaces that person in the team."""
    assigned = [found.referent for found in parcours.assignments.current().select_related("referent")]
    replacing = StandIn.objects.in_force().filter(content_object__user__in=assigned, content_object__team=parcours.team)
    return assigned + [stand_in.user for stand_in in replacing.select_related("user")]


def send_exceptional_alert(*, access_id: UUID) -> int:
    """Tell at once who follows the parcours, the coordination of its team and the data protection officer."""
    access = ExceptionalAccess.objects.select_related("content_object").filter(pk=access_id).first()
    if access is None:
        return 0
    parcours = access.content_object
    people = [*coordination(parcours.team_id), *followers(parcours), *protection_officers()]
    return write_to(people, "exceptional_access", access=access)


def send_access_request(*, request_id: UUID, answered: bool) -> int:
    """Asked: who follows the parcours, and the coordination, while it waits. Answered: the person who asked."""
    request = AccessRequest.objects.select_related("parcours", "asked_by").filter(pk=request_id).first()
    if request is None or answered != (request.answered_at is not None):
        return 0
    if answered:
        return write_to([request.asked_by], "access_answered")
    return write_to([*followers(request.parcours), *coordination(request.parcours.team_id)], "access_asked")


def send_hand_over(*, hand_over_id: UUID, answered: bool) -> int:
    """Asked: the référent who is to answer, while it waits. Answered: who asked and the référent who leaves."""
    people = HandOver.objects.select_related("to_referent", "from_referent", "asked_by")
    hand_over = people.filter(pk=hand_over_id).first()
    if hand_over is None or answered != (hand_over.outcome in (HandOverOutcome.ACCEPTED, HandOverOutcome.REFUSED)):
        return 0
    if answered:
        return write_to([hand_over.asked_by, hand_over.from_referent], "hand_over_answered")
    return write_to([hand_over.to_referent], "hand_over_asked") if not hand_over.outcome else 0


def tell_ended_grants() -> int:
    """Tell each person once that an access has ended, and who gave it; how many grants were told.

    The access itself ended by its date, at the next request: this job only tells people. A letter that does not leave
    stops no other one, and is tried again the next day.
    """
    told = 0
    for grant in list(chain(_ended(ParcoursShare), _ended(StandIn), _ended(ExceptionalAccess))):
        try:
            write_to([grant.user, grant.granted_by], "access_ended", kind=grant._meta.verbose_name)
        except OSError:
            logger.warning("The end of %s is not told: the letter did not leave.", grant)
            continue
        grant.end_told_at = timezone.now()
        with acting_as(system_account()):
            grant.save(update_fields=["end_told_at"])
        told += 1
    return told


def _ended(model: Any) -> Any:
    """Grants that are over, by their dates, by a withdrawal or with their membership, and not told yet."""
    running = model.objects.unrevoked().filter(model.objects.all().running(), in_force(None, "membership__"))
    begun = Q(granted_at__lte=timezone.now())
    if model is not ExceptionalAccess:
        begun = Q(starts_on__lte=timezone.localdate()) | Q(revoked_at__isnull=False)
    over = model.objects.filter(begun, end_told_at__isnull=True).exclude(pk__in=running.values("pk"))
    return over.select_related("user", "granted_by").order_by("pk")
