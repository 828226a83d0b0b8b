"""``manage.py annual_statistics``: the programme's protected figures on any interval, as files in a folder."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Action
from audit.journal.record import record_event
from audit.services import Refused
from pre_cases.services.release import FAILURES, release_year
from pre_cases.statistics.catalogue import NOT_FOR_PUBLICATION, publication
from pre_cases.statistics.identity import PURPOSE
from pre_cases.statistics.period import Period
from pre_cases.statistics.protection import Unprotected
from pre_cases.statistics.report import protected_report
from pre_cases.statistics.writing.archive import CERTIFICATE, files_of, members_of
from pre_cases.statistics.writing.folder import FolderRefused, check_folder, write_folder


class Command(BaseCommand):
    help = "Écrit les chiffres protégés du programme pour une période, bornes comprises."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="first", required=True, metavar="AAAA-MM-JJ", help="premier jour")
        parser.add_argument("--to", dest="last", required=True, metavar="AAAA-MM-JJ", help="dernier jour, compris")
        parser.add_argument("--out", dest="out", required=True, metavar="DOSSIER", type=Path, help="dossier à écrire")

    def handle(self, *, first: str, last: str, out: Path, **options: Any) -> None:
        period = self.read_period(first, last)
        try:
            check_folder(out)
            with acting_as(system_account()):
                files = self.files(period)
                self.tell(97, "Écriture des fichiers")
                record_event(
                    Action.EXPORT,
                    kind="pre_cases.statisticsexport",
                    purpose=PURPOSE,
                    detail={"starts_on": str(period.starts_on), "ends_on": str(period.ends_on)},
                )
                write_folder(out, files)
        except (FolderRefused, Refused) as refusal:
            self.refuse(str(refusal))
        except Unprotected as refusal:
            self.refuse(FAILURES[refusal.code])
        self.tell(100, "Terminé")
        proved = json.loads(files[CERTIFICATE])
        self.stdout.write(f"{out} : {proved['cells']} cases, dont {proved['cells_hidden']} masquées.")
        if publication(period) == NOT_FOR_PUBLICATION:
            self.stdout.write("Ne pas publier : la période n’est ni une année civile ni une année scolaire entière.")

    def files(self, period: Period) -> dict[str, bytes]:
        """A year that is over is released, once for all; any other interval is protected alone, for nobody outside."""
        if period.is_whole_year and period.ends_on < timezone.localdate():
            export = release_year(period=period, by=system_account(), progress=self.tell)
            return members_of(bytes(export.archive or b""))
        return files_of(protected_report(period, self.tell))

    def read_period(self, first: str, last: str) -> Period:
        starts_on, ends_on = self.read_day("--from", first), self.read_day("--to", last)
        if ends_on < starts_on:
            self.refuse("La période se termine avant de commencer : --from doit précéder --to.")
        return Period(starts_on, ends_on)

    def read_day(self, option: str, text: str) -> date:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = date.min
        if not 1990 <= day.year <= 2200:
            self.refuse(f"{option} attend une date de la forme AAAA-MM-JJ, par exemple 2014-12-31.")
        return day

    def refuse(self, sentence: str) -> None:
        self.stderr.write(sentence)
        raise SystemExit(1)

    def tell(self, percent: int, step: str) -> None:
        self.stdout.write(f"{percent:>3} % {step}")
