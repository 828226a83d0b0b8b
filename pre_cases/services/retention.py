"""The end of a file before anything is erased: keeping it longer, and telling the team that its term has come."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.models import Child, Erasure, HoldReason, RetentionHold, RetentionNotice
from pre_cases.models.retention import a_year_after
from pre_cases.retention import RetentionState, annotated
from pre_cases.services.preconditions import ErasureUnderWay, lock_child
from referents.models import Team, User


class HoldRefused(Refused):
    """The file cannot be kept longer like this."""


@service
def place_hold(*, child: Child, motive: HoldReason | str, reason: str, until: date, by: User) -> RetentionHold:
    """Keep a child's file up to a day, included: a year at most. The child's key is loaded."""
    Child.objects.select_for_update(of=("self",)).only("pk").get(pk=child.pk)
    if Erasure.objects.freezing().filter(subject_id=child.pk).exists():
        raise HoldRefused("L’effacement est approuvé et va se faire : il est trop tard pour le retenir.")
    today = timezone.localdate()
    if not reason.strip():
        raise HoldRefused("Dites pourquoi ce parcours doit être conservé.", field="reason")
    if until <= today:
        raise HoldRefused("Choisissez un jour à venir.", field="until")
    if until >= a_year_after(today):
        raise HoldRefused("Une prolongation dure un an au plus ; elle se renouvelle.", field="until")
    hold = RetentionHold.objects.create(
        child=child,
        author=by,
        motive=motive,
        reason=reason.strip(),
        starts_on=today,
        ends_on=until + timedelta(days=1),
        data_key_id=child.data_key_id,
    )
    record_change(hold, "hold")
    return hold


@service
def end_hold(*, hold: RetentionHold, by: User) -> RetentionHold:
    """The reason to keep the file has gone; a hold placed today lasts until tonight."""
    current = RetentionHold.objects.select_for_update(of=("self",)).get(pk=hold.pk)
    today = timezone.localdate()
    if current.ends_on <= today:
        raise HoldRefused("Cette prolongation est déjà finie.")
    current.ends_on = max(today, current.starts_on + timedelta(days=1))
    current.save()
    record_change(current, "hold_ended")
    return current


@service
def announce_team(*, team: Team, by: User) -> int:
    """Note that a team is told of the files that have come to their term, and tell it by e-mail; how many are new.

    Called again, it announces only what is not announced yet. A file whose erasure is approved is left to it.
    """
    due = Child.objects.at_retention(RetentionState.DUE).of_last_team(team.pk)
    announced = 0
    for child in due.order_by("pk"):
        try:
            lock_child(child.pk)
        except ErasureUnderWay:
            continue
        notice = RetentionNotice.objects.filter(child=child).first() or RetentionNotice(child=child)
        notice.team, notice.announced_on, notice.last_contact_on = (
            team,
            timezone.localdate(),
            annotated(child, "last_contact_on"),
        )
        notice.save()
        record_change(notice, "announce")
        announced += 1
    if announced:
        from pre_cases.tasks import tell_retention  # which imports the services

        transaction.on_commit(lambda: tell_retention.delay(team.pk))
    return announced
