"""Put a backup back, without bringing back what was erased since."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connections, transaction

from audit.encryption.inspection import inspect_keys
from audit.encryption.keys import destroy_data_keys
from audit.encryption.keystore.models import Tombstone
from audit.history import acting_as, system_account
from audit.journal.models import Action, Event
from audit.journal.record import record_event
from audit.journal.triggers import install_triggers
from config.management.backups import DATA, KEYS, BackupRefused, read_manifest, restore
from pre_cases.services.erasure import replay_tombstones


class Command(BaseCommand):
    help = (
        "Remplace les données, ou le coffre des clés, par une sauvegarde. Arrêtez d’abord Marelle. Ce qui a été effacé "
        "depuis la sauvegarde l’est de nouveau."
    )
    requires_system_checks: list[str] = []  # what is to be replaced may be broken

    def add_arguments(self, parser: CommandParser) -> None:
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument("--data", metavar="ARCHIVE", type=Path, help="une sauvegarde des données")
        group.add_argument("--keys", metavar="ARCHIVE", type=Path, help="une sauvegarde du coffre")
        parser.add_argument("--confirm", action="store_true", help="remplace vraiment ce qui est là")

    def handle(self, *args: Any, **options: Any) -> None:
        kind = DATA if options["data"] else KEYS
        archive: Path = options[kind]
        try:
            manifest = read_manifest(archive)
            self.stdout.write(
                f"{archive.name} : {'données' if manifest.kind == DATA else 'coffre'} du {manifest.made_at}, "
                f"{manifest.engine}, {len(manifest.digests)} pièces."
            )
            if not options["confirm"]:
                self.stdout.write("Rien n’a été changé : ajoutez --confirm pour remplacer ce qui est là.")
                return
            if kind == DATA:
                restore(DATA, archive)
            else:
                self.restore_keys(archive)
        except BackupRefused as refusal:
            raise CommandError(str(refusal)) from None
        self.put_in_order(kind)

    def restore_keys(self, archive: Path) -> None:
        """The keys destroyed since the backup are known from the present keystore, and from the journal."""
        graves = tombstones()
        destroyed = {*(grave.key_id for grave in graves), *destroyed_in_journal()}
        restore(KEYS, archive)
        call_command("migrate", database="keys", interactive=False, verbosity=0, skip_checks=True)
        Tombstone.objects.bulk_create(graves, ignore_conflicts=True)
        count = destroy_data_keys(destroyed)
        if count:
            self.stdout.write(f"Clés détruites depuis la sauvegarde, et de nouveau : {count}.")

    def put_in_order(self, kind: str) -> None:
        """Migrations, triggers, erasures, then a look at every key."""
        call_command("migrate", database="default", interactive=False, verbosity=0, skip_checks=True)
        install_triggers(connections["default"])
        with acting_as(system_account()), transaction.atomic():
            record_event(Action.RESTORE, detail={"what": kind})
        erased = replay_tombstones(by=system_account())
        if erased:
            self.stdout.write(f"Enfants effacés depuis la sauvegarde, et de nouveau : {erased}.")
        found = inspect_keys()
        self.stdout.write(f"{found.opened} clés sur {found.keys} s’ouvrent.")
        if found.faults:
            raise CommandError("Restauré, mais : " + " ".join(found.faults))
        self.stdout.write("Restauré : tout s’ouvre.")


def tombstones() -> list[Tombstone]:
    try:
        return list(Tombstone.objects.all())
    except DatabaseError:
        return []  # the keystore is lost: the journal remains


def destroyed_in_journal() -> list[UUID]:
    try:
        events = Event.objects.filter(action=Action.KEY_DESTROYED).values_list("record_ids", flat=True)
        return [UUID(key_id) for ids in events for key_id in ids]
    except DatabaseError:
        return []
