"""Where an account stands today: the filters of the list and their counts read the same conditions."""

from datetime import date, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from referents.models import CharterSignature, Invitation
from referents.models.user import NOMINATIVE_ROLES, MembershipQuerySet


class AccountState(models.TextChoices):
    """Filters of a list of accounts; one account may answer several."""

    CURRENT = "en-fonction", "en fonction"
    NOT_ENTERED = "jamais-entres", "jamais entrés"
    INVITED = "invites", "invitation en attente"
    CHARTER = "charte", "charte à renouveler sous 30 jours"
    SUSPENDED = "suspendus", "suspendus"
    ENDED = "termines", "mission terminée"


def in_state(state: AccountState, memberships: MembershipQuerySet, on: date | None = None) -> Q:
    """The condition of a filter; ``memberships`` are those that the reader sees, the others count for nothing."""
    day = on or timezone.localdate()
    theirs = memberships.filter(user=OuterRef("pk"))
    lasting = Exists(theirs.lasting(day))
    match state:
        case AccountState.CURRENT:
            return Q(Exists(theirs.current(day)), is_active=True)
        case AccountState.NOT_ENTERED:
            return Q(lasting, is_active=True, last_login__isnull=True)
        case AccountState.INVITED:
            return Q(Exists(Invitation.objects.pending().filter(user=OuterRef("pk"))))
        case AccountState.CHARTER:
            nominative = theirs.current(day).filter(role__in=NOMINATIVE_ROLES)
            return Q(Exists(nominative), is_active=True) & charter_ends_soon(day)
        case AccountState.SUSPENDED:
            return Q(lasting, is_active=False)
        case AccountState.ENDED:
            return ~Q(lasting)


def charter_ends_soon(day: date) -> Q:
    """Valid on the day, and for thirty days at most."""
    charters = CharterSignature.objects.of_version_in_force().filter(user=OuterRef("pk"))
    limit = day + timedelta(days=settings.CHARTER_REMINDER_DAYS)
    return Q(Exists(charters.filter(expires_on__gt=day))) & ~Q(Exists(charters.filter(expires_on__gt=limit)))
