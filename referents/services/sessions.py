"""Ending the sessions of an account, wherever they are open."""

from django.db.models import F

from audit.journal.models import Action
from audit.journal.record import record_change
from audit.services import service
from referents.models import User


@service
def sign_out_everywhere(*, user: User, by: User) -> None:
    """Every session of the account ends at its next request; the view may renew the one it answers."""
    user.session_round = F("session_round") + 1
    user.save(update_fields=["session_round"])
    user.refresh_from_db(fields=["session_round"])
    record_change(user, Action.SIGN_OUT, detail={"end": "everywhere"})
