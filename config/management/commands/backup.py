"""Back up the data, or the keystore: never both in one place."""

import sqlite3
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from audit.history import acting_as, system_account
from audit.journal.models import Action
from audit.journal.record import record_event
from config.management.backups import DATA, KEYS, BackupRefused, back_up


class Command(BaseCommand):
    help = (
        "Sauvegarde les données (avec les documents), ou le coffre des clés, pendant que Marelle sert. Gardez-les à "
        "deux endroits différents, et la clé maîtresse à un troisième."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument("--data", metavar="DOSSIER", type=Path, help="où écrire la sauvegarde des données")
        group.add_argument("--keys", metavar="DOSSIER", type=Path, help="où écrire la sauvegarde du coffre")

    def handle(self, *args: Any, **options: Any) -> None:
        kind = DATA if options["data"] else KEYS
        folder: Path = options[kind]
        other = {DATA: KEYS, KEYS: DATA}[kind]
        name = f"marelle-{kind}-{timezone.localtime():%Y-%m-%dT%H%M%S}.tar"
        try:
            if any(folder.glob(f"marelle-{other}-*.tar")):
                raise BackupRefused(
                    f"{folder} contient déjà une sauvegarde {'du coffre' if kind == DATA else 'des données'} : "
                    "choisissez un autre endroit. Qui tient les deux n’a plus qu’une clé à trouver."
                )
            with acting_as(system_account()), transaction.atomic():
                record_event(Action.BACKUP, detail={"what": kind})
            manifest = back_up(kind, folder / name)
        except BackupRefused as refusal:
            raise CommandError(str(refusal)) from None
        except (OSError, sqlite3.Error) as error:
            raise CommandError(f"La sauvegarde s’est arrêtée : {error}.") from None
        size = (folder / name).stat().st_size
        self.stdout.write(f"{folder / name} : {len(manifest.digests)} pièces, {size:,} octets.".replace(",", " "))
