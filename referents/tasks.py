"""Letters to professionals, written in the background. A task receives an id; its timetable is in config/celery.py."""

import logging
from typing import Any

from celery import shared_task

from audit.history import system_account
from audit.journal import trace
from referents.letters import send_letter
from referents.models import User
from referents.services import invitations, stand_in
from referents.services.charters import charters_to_recall, recall_charter

logger = logging.getLogger(__name__)

TRY_AGAIN: dict[str, Any] = {"autoretry_for": (OSError,), "retry_backoff": 60, "max_retries": 5}


@shared_task(name="referents.mail_invitation", **TRY_AGAIN)
def mail_invitation(invitation_id: int) -> None:
    with trace.tracing():
        invitations.mail_invitation(invitation_id=invitation_id)


@shared_task(name="referents.tell_role_given", **TRY_AGAIN)
def tell_role_given(membership_id: int) -> None:
    invitations.mail_role_given(membership_id=membership_id)


@shared_task(name="referents.tell_role_refused", **TRY_AGAIN)
def tell_role_refused(user_id: int) -> None:
    """The administration technique was offered a nominative role by a coordination that does not see the account."""
    send_letter("role_refused", User.objects.get(pk=user_id).email)


@shared_task(name="referents.tell_second_factor_reset", **TRY_AGAIN)
def tell_second_factor_reset(user_id: int) -> None:
    """To the person: somebody of the administration has reset the second factor."""
    send_letter("second_factor_reset", User.objects.get(pk=user_id).email)


@shared_task(name="referents.tell_former_address", **TRY_AGAIN)
def tell_former_address(version_id: int) -> None:
    """To the address that an account had in a version of its history: it opens nothing any more."""
    send_letter("address_changed", User.history.get(pk=version_id).email)


@shared_task(name="referents.recall_charters")
def recall_charters() -> None:
    """One letter for each charter that ends within thirty days; a letter refused is tried again the next day."""
    with trace.tracing():
        for signature_id in charters_to_recall():
            try:
                recall_charter(signature_id=signature_id, by=system_account())
            except OSError as error:
                logger.error("The reminder of charter %d waits: %s", signature_id, type(error).__name__)


@shared_task(name="referents.tell_stand_in", **TRY_AGAIN)
def tell_stand_in(stand_in_id: int) -> None:
    with trace.tracing():
        stand_in.send_stand_in(stand_in_id=stand_in_id)
