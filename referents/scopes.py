"""Who may read the journal and the list of accounts: rules on records that know no role themselves."""

from django.db.models import QuerySet

from audit.history import SYSTEM_EMAIL
from audit.journal.models import Event
from referents.models import Role, User


def may_read_journal(user: User) -> bool:
    return user.standing.holds(Role.DPO)


def readable_events(user: User) -> QuerySet[Event]:
    """The whole journal for the data protection officer: ids, never contents."""
    return Event.objects.all() if may_read_journal(user) else Event.objects.none()


def may_read_accounts(user: User) -> bool:
    return user.standing.holds(Role.ADMINISTRATOR)


def readable_accounts(user: User) -> QuerySet[User]:
    """Every account of a person, for the technical administration."""
    return User.objects.exclude(email=SYSTEM_EMAIL) if may_read_accounts(user) else User.objects.none()
