"""Sign with another key from now on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.history import system_account
from audit.journal.models import Action
from audit.journal.record import record_event
from audit.signing import SigningKeyUnavailable, rotate_signing_key

WHAT = {"what": "signing_key_changed"}


class Command(BaseCommand):
    help = "Signe désormais avec une nouvelle clé, tirée au hasard ; ce que les anciennes ont signé reste vérifié."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            identifier = rotate_signing_key()
            record_event(Action.KEY_USE, kind="audit.seal", ids=[identifier], actor=system_account(), detail=WHAT)
        except SigningKeyUnavailable as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Nouvelle clé de signature : {identifier}.")
