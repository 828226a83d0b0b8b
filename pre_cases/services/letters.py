"""What is told by e-mail about access to parcours: never a name, never a reason; there is something to see."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from audit.history import acting_as, system_account
from pre_cases.models import AccessRequest, ExceptionalAccess, HandOver, HandOverOutcome, Parcours, ParcoursShare
from referents.letters import write_to
from referents.models import Membership, Role, StandIn, User

logger = logging.getLogger(__name__)

ALERT_LATE = timedelta(minutes=5)


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
    """Tell at once who follows the parcours, the coordination of its team and the data protection officer; once."""
    access = ExceptionalAccess.objects.select_related("content_object").filter(pk=access_id).first()
    if access is None or access.alerted_at is not None:
        return 0
    parcours = access.content_object
    people = [*coordination(parcours.team_id), *followers(parcours), *protection_officers()]
    left = write_to(people, "exceptional_access", access=access)
    access.alerted_at = timezone.now()
    with acting_as(system_account()):
        access.save(update_fields=["alerted_at"])
    return left


def alert_again() -> int:
    """The alerts that a broker or a mail server has lost: none remains unsent; how many left now."""
    lost = ExceptionalAccess.objects.filter(alerted_at__isnull=True, granted_at__lt=timezone.now() - ALERT_LATE)
    sent = 0
    for access_id in lost.order_by("granted_at").values_list("pk", flat=True):
        try:
            sent += bool(send_exceptional_alert(access_id=access_id))
        except OSError:
            logger.error("The alert of the exceptional access %s has not left yet.", access_id)
    return sent


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
    over: Iterator[QuerySet[Any]] = (
        model.objects.over().filter(end_told_at__isnull=True) for model in (ParcoursShare, StandIn, ExceptionalAccess)
    )
    for grant in list(chain.from_iterable(rows.select_related("user", "granted_by").order_by("pk") for rows in over)):
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


def send_retention_announced(*, team_id: int) -> int:
    """Tell a coordination that files of its team have come to their term; the page says which."""
    return write_to(coordination(team_id), "retention_announced", days=settings.ERASURE_NOTICE_DAYS)
