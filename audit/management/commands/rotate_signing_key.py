"""Sign with another key from now on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.signing import SigningKeyUnavailable, rotate_signing_key


class Command(BaseCommand):
    help = "Signe désormais avec une nouvelle clé, tirée au hasard ; ce que les anciennes ont signé reste vérifié."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            identifier = rotate_signing_key()
        except SigningKeyUnavailable as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Nouvelle clé de signature : {identifier}.")
