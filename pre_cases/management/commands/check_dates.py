"""Recompute the two stored dates of every parcours, and say which ones are wrong."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit.history import system_account
from pre_cases.models import Parcours
from pre_cases.services.dates import correct_dates, wrong_dates


class Command(BaseCommand):
    help = "Recalcule l’échéance et le dernier contact de chaque parcours ; --fix les corrige."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fix", action="store_true", help="corrige ce qui est faux")

    def handle(self, *args: Any, **options: Any) -> None:
        everything = Parcours.objects.select_related("agreement").order_by("pk").iterator(chunk_size=500)
        wrong = list(wrong_dates(everything))
        for parcours in wrong:
            self.stdout.write(f"{parcours.pk}")
        if options["fix"]:
            for parcours in wrong:
                correct_dates(parcours=parcours, by=system_account())
        verb = "corrigé(s)" if options["fix"] else "faux"
        self.stdout.write(f"{len(wrong)} parcours {verb}.")
        if wrong and not options["fix"]:
            raise SystemExit(1)
