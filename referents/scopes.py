"""Who may read the journal: rules on records that know no role themselves."""

from django.db.models import QuerySet

from audit.journal.models import Action, Event
from referents.models import Role, User

SIGN_INS = (
    Action.SIGN_IN,
    Action.SIGN_IN_FAILED,
    Action.SIGN_OUT,
    Action.SECOND_FACTOR_FAILED,
    Action.SECOND_FACTOR_RESET,
)


def may_read_journal(user: User) -> bool:
    return user.standing.holds(Role.DPO)


def readable_events(user: User) -> QuerySet[Event]:
    """The whole journal for the data protection officer: ids, never contents."""
    return Event.objects.all() if may_read_journal(user) else Event.objects.none()


def may_administer(user: User) -> bool:
    """The home of the technical administration: counts and states, no case."""
    return user.standing.holds(Role.ADMINISTRATOR)


def readable_sign_ins(user: User) -> QuerySet[Event]:
    """Of the journal, the technical administration reads who signed in and out, and nothing else."""
    return Event.objects.filter(action__in=SIGN_INS) if may_administer(user) else Event.objects.none()
