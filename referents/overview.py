"""What the technical administration looks at first: counts and states of the installation, no case."""

from dataclasses import dataclass
from datetime import timedelta
from platform import python_version

import django
from axes.models import AccessAttempt
from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from audit.encryption.errors import KeyProviderUnavailable
from audit.encryption.providers import provider
from audit.journal.models import Action, Event
from audit.journal.page import capped_counts
from referents.models import Invitation, Membership, User
from referents.states import AccountState, in_state

SOON = 30  # days
LATE_MAIL = timedelta(minutes=15)  # a worker that works sends a letter in a few seconds


REFUSED_SIGN_INS = (Action.SIGN_IN_FAILED, Action.SECOND_FACTOR_FAILED)


@dataclass(frozen=True)
class Failures:
    """What does not go as it should; counts only, the addresses typed are not known."""

    locked: int
    refused_sign_ins: int
    late_mails: int
    keys_away: bool


def failures() -> Failures:
    now = timezone.now()
    since = now - timedelta(hours=settings.AXES_COOLOFF_TIME)
    attempts = AccessAttempt.objects.filter(attempt_time__gte=since).order_by().values("username", "ip_address")
    locked = attempts.annotate(failed=Sum("failures_since_start")).filter(failed__gte=settings.AXES_FAILURE_LIMIT)
    refused = Event.objects.filter(action__in=REFUSED_SIGN_INS, at__gte=now - timedelta(days=1))
    late = Invitation.objects.pending().filter(mailed_at__isnull=True, sent_at__lt=now - LATE_MAIL)
    return Failures(locked.count(), refused.count(), late.count(), keys_are_away())


def keys_are_away() -> bool:
    try:
        provider().health()
    except KeyProviderUnavailable:
        return True
    return False


def accounts_by_state() -> dict[AccountState, int]:
    conditions = {state.name: in_state(state, Membership.objects.all()) for state in AccountState}
    counts = capped_counts(User.objects.people(), conditions)
    return {state: counts[state.name] for state in AccountState}


def roles_ending_soon() -> list[Membership]:
    """The roles that close within thirty days, the nearest first."""
    today = timezone.localdate()
    ending = Membership.objects.current(today).filter(ends_on__lte=today + timedelta(days=SOON), user__is_active=True)
    return list(ending.select_related("user", "team").order_by("ends_on", "pk")[:SOON])


def versions() -> list[tuple[str, str]]:
    number = ".".join(str(part) for part in connection.get_database_version())
    return [
        ("Marelle", settings.VERSION),
        ("Django", django.get_version()),
        ("Python", python_version()),
        ("Base de données", f"{connection.display_name} {number}"),
    ]
