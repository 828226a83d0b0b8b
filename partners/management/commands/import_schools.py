"""``manage.py import_schools FILE``: the schools, from an edition of the national directory."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from audit.history import system_account
from partners.directory.file import NotADirectory
from partners.directory.values import UnreadableValue, read_date, read_departement
from partners.services.schools import ImportReport, Outcome, import_directory

HEADINGS = {
    Outcome.CREATED: "créés",
    Outcome.UPDATED: "mis à jour",
    Outcome.CLOSED: "fermés",
    Outcome.UNCHANGED: "inchangés",
    Outcome.OUTDATED: "plus anciens que ce qui est connu, laissés de côté",
    Outcome.REPEATED: "répétés dans le fichier, laissés de côté",
    Outcome.FILTERED: "d’un autre département, laissés de côté",
    Outcome.REFUSED: "refusés",
}


class Command(BaseCommand):
    help = "Importe les établissements scolaires depuis un fichier CSV de l’annuaire de l’éducation."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FICHIER", type=Path)
        parser.add_argument("--departement", default="", metavar="075", help="ne garder que ce département")
        parser.add_argument(
            "--date", default="", metavar="AAAA-MM-JJ", help="jour de l’édition, si ses lignes ne le disent pas"
        )

    def handle(self, *, file: Path, departement: str, date: str, **options: Any) -> None:
        try:
            report = import_directory(
                path=file,
                departement=read_departement(departement),
                known_on=read_date(date),
                by=system_account(),
            )
        except UnreadableValue as error:
            self.refuse(f"Option refusée, {error}.")
        except NotADirectory as error:
            self.refuse(str(error))
        else:
            self.tell(report)

    def refuse(self, sentence: str) -> None:
        self.stderr.write(sentence)
        raise SystemExit(1)

    def tell(self, report: ImportReport) -> None:
        for refusal in report.refusals:
            self.stdout.write(f"Ligne {refusal.line} ({refusal.uai or 'sans UAI'}) refusée\u00a0: {refusal.reason}.")
        self.stdout.write(f"{report.lines} lignes lues, dont\u00a0:")
        for outcome, heading in HEADINGS.items():
            self.stdout.write(f"{report.outcomes[outcome]:>8} {heading}")
        if report.lines == report.outcomes[Outcome.FILTERED]:
            self.stdout.write("Aucun établissement de ce département dans le fichier.")
