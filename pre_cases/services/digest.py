"""The letter of Monday: counts and links, for those who want it, once a week; the rights are read as it leaves."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Q
from django.utils import timezone

from audit.journal.record import record_change
from audit.services import service
from pre_cases.day import letter_of
from pre_cases.models import Digest
from referents.letters import send_letter
from referents.models import Membership, Role, User

ROLES = (Role.REFERENT, Role.COORDINATOR)


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def readers() -> list[int]:
    """The accounts to which the letter of this week may still be sent."""
    week = monday(timezone.localdate())
    held = Membership.objects.current().filter(role__in=ROLES, user__is_active=True)
    settled = Digest.objects.filter(Q(is_wanted=False) | Q(sent_for__gte=week))
    return sorted(set(held.exclude(user__in=settled.values("user")).values_list("user", flat=True)))


@service
def choose_digest(*, is_wanted: bool, by: User) -> Digest:
    """Receive the letter of Monday, or not."""
    digest, _ = Digest.objects.select_for_update().get_or_create(user=by)
    digest.is_wanted = is_wanted
    digest.save()
    record_change(digest, "change")
    return digest


@service
def send_digest(*, reader: User, by: User) -> bool:
    """Write to one person what waits this week; whether a letter left. A second call of the week sends nothing, nor one
    for who has no role, no charter, or nothing to do. Raises OSError, and may then be tried again.
    """
    week = monday(timezone.localdate())
    digest, _ = Digest.objects.select_for_update().get_or_create(user=reader)
    standing = reader.standing
    may_read = reader.is_active and any(standing.holds(role) for role in ROLES) and not standing.needs_charter
    if not may_read or not digest.is_wanted or (digest.sent_for is not None and digest.sent_for >= week):
        return False
    parts = letter_of(reader)
    digest.sent_for = week
    digest.save()
    if parts:
        send_letter("digest", reader.email, {"parts": parts})
    return bool(parts)
