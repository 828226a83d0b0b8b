"""The secret address of a person's calendar: made, made again, revoked. It is shown once and stored nowhere."""

from __future__ import annotations

import secrets
from hashlib import sha256

from django.utils import timezone

from audit.journal.models import Action
from audit.journal.record import record_change
from audit.services import service
from pre_cases.models import CalendarFeed
from referents.models import User


def digest_of(token: str) -> str:
    """What is stored of a token: 256 random bits need neither salt nor slowness."""
    return sha256(token.encode()).hexdigest()


@service
def make_feed(*, by: User) -> str:
    """A new address for one's own calendar, the former one opening nothing from now on; gives the token."""
    token = secrets.token_urlsafe(32)
    feed, _ = CalendarFeed.objects.update_or_create(
        user=by, defaults={"digest": digest_of(token), "made_at": timezone.now()}
    )
    record_change(feed, Action.GRANT)
    return token


@service
def revoke_feed(*, by: User) -> bool:
    """Close one's calendar; whether there was one."""
    feed = CalendarFeed.objects.select_for_update().filter(user=by).first()
    if feed is None:
        return False
    record_change(feed, Action.REVOKE)
    feed.delete()
    return True
