"""What stands beside the timeline of a parcours besides its objectives: what stops it, what it costs, brothers and
sisters."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone

from audit.encryption.keys import load_keys_of
from audit.journal.consult import consult_page
from audit.journal.models import Action
from pre_cases.models import (
    AgreementHolder,
    ConcernReported,
    Document,
    DocumentKind,
    ExceptionalAid,
    Need,
    Parcours,
    Suspension,
)
from referents.requests import SignedInRequest

MOST_SIBLINGS = 12


def beside(request: SignedInRequest, parcours: Parcours, *, inside: bool) -> dict[str, Any]:
    """For who follows or coordinates everything, in a constant number of queries; for a reader the suspension only."""
    shown: dict[str, Any] = {"suspension": suspension_of(parcours), "siblings": siblings_of(request, parcours)}
    if not inside:
        return shown
    aids = ExceptionalAid.objects.filter(parcours=parcours).select_related("receipt").order_by("-asked_on", "-id")
    concerns = ConcernReported.objects.visible_to(request.user).filter(parcours=parcours).select_related("author")
    objecting = list(
        AgreementHolder.objects.objecting().filter(agreement=parcours.agreement_id).select_related("adult")
    )
    scans = Document.objects.kept().filter(parcours=parcours, kind=DocumentKind.AGREEMENT)
    load_keys_of(*(holder.adult for holder in objecting))
    return shown | {
        "aids": list(aids),
        "concerns": list(concerns.order_by("-reported_on", "-id")),
        "objecting": objecting,
        "has_scan": scans.exists(),
        "needs": list(Need.objects.filter(parcours=parcours).select_related("domain", "priority").order_by("noted_on")),
    }


def suspension_of(parcours: Parcours) -> Suspension | None:
    """The one of today, or the next one that is already agreed; none on a closed parcours."""
    if parcours.is_closed:
        return None
    lasting = Q(ends_on__isnull=True) | Q(ends_on__gt=timezone.localdate())
    return Suspension.objects.filter(lasting, parcours=parcours).order_by("starts_on").first()


def siblings_of(request: SignedInRequest, parcours: Parcours) -> list[Parcours]:
    """The open parcours of brothers and sisters that the person may open, and no other: each has its own rights."""
    family = Parcours.objects.open().filter(child__family=parcours.child.family_id).exclude(child=parcours.child_id)
    reached = family.filter(pk__in=Parcours.objects.visible_to(request.user).values("pk"))
    if not reached.exists():
        return []
    page = consult_page(
        request, reached.with_card(), order=("opened_on", "id"), cursor="", size=MOST_SIBLINGS, action=Action.LIST
    )
    return page.records
