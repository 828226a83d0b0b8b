"""The day's round of agreements: who must be asked again, and who is about to sign alone.

Each reminder is a task of the référent, made once: the round may run as often as one likes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.utils import timezone

from audit.encryption.keys import key_ring, load_keys
from audit.journal.record import record_change
from audit.services import service
from pre_cases.models import Parcours, ReminderKind, Task
from pre_cases.services.assignment import referent_id
from pre_cases.services.dates import refresh_dates
from pre_cases.services.preconditions import ErasureUnderWay, ParcoursIsClosed, locked
from referents.models import Role, Team, User

MAJORITY = 18
LABELS = {
    ReminderKind.AGREEMENT: "Faire reconduire l’accord de la famille",
    ReminderKind.MAJORITY: "Dix-huit ans : préparer l’accord du jeune, ou la fin du parcours",
}


def remind_team(*, team: Team, by: User) -> int:
    """Remind of the agreements and birthdays of the weeks that come; how many tasks were made.

    Each parcours in its own transaction, so that one closed meanwhile stops no other.
    """
    made = 0
    with key_ring():
        parcours_list = list(Parcours.objects.in_team(team.pk).open().select_related("agreement", "child"))
        load_keys(parcours.data_key_id for parcours in parcours_list)
        for parcours in parcours_list:
            for kind, due_on in due_reminders(parcours, timezone.localdate()):
                try:
                    made += remind(parcours=parcours, kind=kind, due_on=due_on, by=by)
                except (ParcoursIsClosed, ErasureUnderWay):
                    continue
    return made


def due_reminders(parcours: Parcours, today: date) -> Iterator[tuple[ReminderKind, date]]:
    """What a parcours, read with its agreement and its child, must be reminded of on a day."""
    until = today + timedelta(days=settings.AGREEMENT_REMINDER_DAYS)
    last_day = parcours.agreement.last_day
    if last_day is not None and today <= last_day <= until:
        yield ReminderKind.AGREEMENT, last_day
    born_on = parcours.child.birth_date
    if born_on is not None and today <= (grown_on := born_on + relativedelta(years=MAJORITY)) <= until:
        yield ReminderKind.MAJORITY, grown_on


@service
def remind(*, parcours: Parcours, kind: ReminderKind, due_on: date, by: User) -> bool:
    """Make the task of one reminder, once; False when it was made before, or when nobody is there to do it.

    A former reminder of the same kind for another day has no more object: it is done.
    """
    current = locked(parcours)
    if current.tasks.filter(reminder=kind, due_on=due_on).exists():
        return False
    assignee = referent_id(current) or _coordinator_id(current.team_id)
    if assignee is None:
        return False
    load_keys([current.data_key_id])
    for former in current.tasks.open().filter(reminder=kind):
        former.done_at, former.done_by = timezone.now(), by
        former.save()
        record_change(former, "change")
    task = Task.objects.create(
        parcours=current,
        assignee_id=assignee,
        label=LABELS[kind],
        due_on=due_on,
        reminder=kind,
        data_key_id=current.data_key_id,
    )
    record_change(task, "create")
    refresh_dates(current)
    return True


def _coordinator_id(team_id: int) -> int | None:
    found: int | None = User.objects.holding(Role.COORDINATOR, team_id).values_list("pk", flat=True).first()
    return found
