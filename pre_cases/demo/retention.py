"""The past of the invented city is kept on purpose, with an author and an end; a few files have come to their term."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from audit.encryption.keys import load_keys
from audit.history import bulk_create_with_history
from pre_cases.demo.staff import Staff
from pre_cases.models import Child, HoldReason, RetentionHold, RetentionNotice
from pre_cases.retention import RetentionState, annotated
from referents.models import Membership, Role

REASON = "Bilan des premières années du programme, décidé avec la protection des données."
ROWS_PER_INSERT = 500
TOLD_DAYS_AGO = (45, 38, 12)  # of the files left to their term in the first team; the last one is not told yet


def keep_the_past(rng: Random, staff: Staff, today: date) -> int:
    """Put every file that has come to its term on hold, but a few of the first team; how many are held."""
    authors = {
        membership.team_id: membership.user
        for membership in Membership.objects.current(today).filter(role=Role.COORDINATOR).select_related("user")
    }
    due = list(Child.objects.at_retention(RetentionState.DUE, on=today).order_by("pk"))
    load_keys(child.data_key_id for child in due)
    shown = [child for child in due if child.last_team_id == staff.home.pk][: len(TOLD_DAYS_AGO) + 1]
    held = [
        RetentionHold(
            child=child,
            author=authors[child.last_team_id],
            motive=HoldReason.FIGURES,
            reason=REASON,
            starts_on=today,
            ends_on=today + timedelta(days=rng.randint(200, 360)),
            data_key_id=child.data_key_id,
        )
        for child in due
        if child not in shown
    ]
    bulk_create_with_history(held, RetentionHold, batch_size=ROWS_PER_INSERT)
    notices = [
        RetentionNotice(
            child=child,
            team=staff.home,
            announced_on=today - timedelta(days=days),
            last_contact_on=annotated(child, "last_contact_on"),
        )
        for child, days in zip(shown, TOLD_DAYS_AGO, strict=False)
    ]
    bulk_create_with_history(notices, RetentionNotice)
    return len(held)
