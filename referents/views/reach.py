"""Pages that stand for no single record: out of right, they answer like what does not exist."""

from django.db import transaction
from django.http import Http404

from audit.journal.models import Action
from audit.journal.record import record_event
from referents.requests import SignedInRequest


def require(request: SignedInRequest, allowed: bool, *, kind: str, asked: str = Action.LIST) -> None:
    """Http404 unless allowed; the refusal is then in the journal, as ``consult()`` does for one record."""
    if not allowed:
        with transaction.atomic(durable=True):
            record_event(Action.REFUSAL, kind=kind, actor=request.user, detail={"asked": asked})
        raise Http404
