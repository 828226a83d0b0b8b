"""Let the months whose retention is over leave the journal."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.history import system_account
from audit.journal.integrity import verify_and_keep
from audit.journal.purge import due_months, purge_month
from audit.services import Refused
from audit.signing import SigningKeyUnavailable


class Command(BaseCommand):
    help = (
        "Dit quels mois du journal ont fini leur conservation ; --confirm les supprime, racines gardées. "
        "Sur PostgreSQL, sous le compte propriétaire des tables."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--confirm", action="store_true", help="supprime vraiment")

    def handle(self, *args: Any, **options: Any) -> None:
        months = due_months()
        if not months:
            self.stdout.write("Aucun mois n’a fini sa conservation.")
            return
        if not options["confirm"]:
            names = ", ".join(f"{month:%m/%Y}" for month in months)
            self.stdout.write(f"À supprimer : {names}. Rien n’a été changé : ajoutez --confirm.")
            return
        report = verify_and_keep()  # what has left can no longer be verified
        if not report.is_sound:
            raise CommandError(f"{report.sentence} Rien ne part d’un journal qui n’est pas intact.")
        for month in months:
            try:
                count = purge_month(year=month.year, month=month.month, by=system_account())
            except (Refused, SigningKeyUnavailable) as error:
                raise CommandError(str(error)) from None
            self.stdout.write(
                f"{month:%m/%Y} : {count} événement{'s' if count > 1 else ''} supprimé{'s' if count > 1 else ''}."
            )
