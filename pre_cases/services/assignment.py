"""Who follows a parcours: one principal référent at a time, chosen by the coordination or by a hand-over."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.models import Assignment, HandOver, HandOverOutcome, Parcours
from pre_cases.services.dates import refresh_dates
from pre_cases.services.preconditions import locked, not_in_future
from referents.models import Membership, Role, User


class AssignmentRefused(Refused):
    """This person cannot be the référent of this parcours from that day."""


@service
def assign_referent(
    *, parcours: Parcours, referent: User, by: User, on: date | None = None, seen: int | None = None
) -> Assignment:
    """Make a person the principal référent from a day on (today by default); the former one is released that day.

    ``seen`` is the account that the page showed as référent, 0 for nobody: when somebody else has just chosen
    another one, the second choice is refused rather than silently put in its place.
    """
    current = locked(parcours)
    if seen is not None and seen != referent_id(current):
        raise AssignmentRefused("Un autre référent vient d’être choisi pour ce parcours : regardez lequel.")
    assignment = assign(current, referent, on or timezone.localdate())
    refresh_dates(current)
    return assignment


def referent_id(parcours: Parcours) -> int:
    """The account of the current principal référent, 0 for nobody."""
    found = parcours.assignments.filter(ends_on__isnull=True).values_list("referent", flat=True).first()
    return found or 0


def assign(parcours: Parcours, referent: User, on: date) -> Assignment:
    """What every change of référent does, inside the transaction of its service; ``parcours`` is locked and open.

    What the former référent still had to do passes on with the parcours, and a hand-over that waited is over.
    """
    _require_assignable(parcours, referent, on)
    latest = parcours.assignments.order_by("-starts_on", "-id").first()
    if latest is not None and latest.ends_on is None and latest.referent_id == referent.pk:
        raise AssignmentRefused("Cette personne est déjà référente de ce parcours.", field="referent")
    if latest is not None and on < (latest.ends_on or latest.starts_on):
        raise AssignmentRefused("Un autre référent suivait encore le parcours ce jour-là.", field="on")
    if latest is not None and latest.ends_on is None:
        end_assignment(latest, on)
        _pass_on(parcours, latest.referent, referent)
    cancel_hand_overs(parcours)
    assignment = Assignment.objects.create(parcours=parcours, referent=referent, starts_on=on)
    record_change(assignment, "create")
    return assignment


def _require_assignable(parcours: Parcours, referent: User, on: date) -> None:
    not_in_future(on, AssignmentRefused, field="on")
    if on < parcours.opened_on:
        raise AssignmentRefused("Le parcours n’était pas ouvert ce jour-là.", field="on")
    memberships = Membership.objects.current().filter(user=referent, team=parcours.team_id, role=Role.REFERENT)
    if not referent.is_active or not memberships.exists():
        raise AssignmentRefused("Cette personne n’est pas référente dans l’équipe du parcours.", field="referent")


def end_assignment(assignment: Assignment, on: date) -> None:
    assignment.ends_on = on
    assignment.save()
    record_change(assignment, "change")


def _pass_on(parcours: Parcours, former: User, referent: User) -> None:
    """Tasks and meetings go to the new référent; what the former one was typing is thrown away, since nobody could
    read it.
    """
    for task in parcours.tasks.open().filter(assignee=former):
        task.assignee = referent
        task.save()
        record_change(task, "change")
    for appointment in parcours.appointments.planned().filter(user=former):
        appointment.user = referent
        appointment.save()
        record_change(appointment, "change")
    for draft in parcours.drafts.of(former):
        draft.delete()


def cancel_hand_overs(parcours: Parcours) -> None:
    """A hand-over that waited for its answer has no more object."""
    for waiting in HandOver.objects.pending().filter(parcours=parcours):
        waiting.outcome, waiting.answered_at = HandOverOutcome.CANCELLED, timezone.now()
        waiting.save()
        record_change(waiting, "cancel")
