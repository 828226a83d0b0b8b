"""Put a backup back, without bringing back what was erased since."""

import sqlite3
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from audit.encryption.errors import UnreadableKey
from audit.encryption.inspection import inspect_keys
from audit.encryption.keys import destroy_data_keys
from audit.encryption.keystore.models import DataKey, Tombstone
from audit.encryption.keystore.router import DATABASE, KEYSTORE
from audit.encryption.providers import Wrapped, provider
from audit.encryption.reencryption import reseal_restored_data
from audit.encryption.register import note_destruction, noted_destructions
from audit.history import acting_as, system_account
from audit.journal.log import continue_numbers
from audit.journal.models import Action, Event
from audit.journal.record import record_event
from audit.journal.triggers import install_triggers
from config.management.backups import DATA, KEYS, BackupRefused, back_up, keys_in_archive, read_manifest, restore
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
                self.restore_data(archive)
            else:
                self.restore_keys(archive)
        except BackupRefused as refusal:
            raise CommandError(str(refusal)) from None
        except (OSError, sqlite3.Error) as error:
            raise CommandError(f"La restauration s’est arrêtée ({error}) : ce qui était là y est toujours.") from None
        self.put_in_order(kind)

    def restore_data(self, archive: Path) -> None:
        """What the present journal knows to be destroyed is first written in the keystore, which stays."""
        destroy_data_keys(destroyed_in_journal())
        restore(DATA, archive)

    def restore_keys(self, archive: Path) -> None:
        """No key is lost, none comes back: those of the archive are joined to the present ones that open.

        Refused unless every key of the archive opens with the key-encryption key at hand.
        """
        closed = [
            str(key_id) for key_id, version, wrapped in keys_in_archive(archive) if not opens(key_id, version, wrapped)
        ]
        if closed:
            raise BackupRefused(
                f"{len(closed)} clés de cette archive ne s’ouvrent pas avec la clé maîtresse présente : "
                "rien n’a été changé. Est-ce la bonne clé, et une sauvegarde de cette installation ?"
            )
        destroyed = {*destroyed_in_keystore(), *destroyed_in_journal(), *noted_destructions()}
        note_destruction(destroyed - noted_destructions())
        present = keys_that_open()
        aside = Path(settings.VAR_DIR) / f"keystore-before-{timezone.localtime():%Y-%m-%dT%H%M%S}.tar"
        if present:
            back_up(KEYS, aside)
        restore(KEYS, archive)
        call_command("migrate", KEYSTORE, database=DATABASE, interactive=False, verbosity=0, skip_checks=True)
        count = destroy_data_keys(destroyed)
        archived = set(DataKey.objects.values_list("key_id", "version"))
        missing = [row for row in present if (row.key_id, row.version) not in archived and row.key_id not in destroyed]
        for row in missing:
            row.pk = None
        DataKey.objects.bulk_create(missing)
        aside.unlink(missing_ok=True)
        if missing:
            self.stdout.write(f"Clés du coffre présent, gardées : {len(missing)}.")
        if count:
            self.stdout.write(f"Clés détruites depuis la sauvegarde, et de nouveau : {count}.")

    def put_in_order(self, kind: str) -> None:
        """Migrations, triggers, erasures, then a look at every key."""
        call_command("migrate", database="default", interactive=False, verbosity=0, skip_checks=True)
        install_triggers(connections["default"])
        continue_numbers()
        with acting_as(system_account()), transaction.atomic():
            record_event(Action.RESTORE, detail={"what": kind})
        Session.objects.all().delete()  # of people whose rights may have changed since
        erased = replay_tombstones(by=system_account())
        resealed = reseal_restored_data(by=system_account())
        if resealed:
            self.stdout.write(f"Clés renouvelées depuis la sauvegarde, données chiffrées de nouveau : {resealed}.")
        if erased:
            self.stdout.write(f"Enfants effacés depuis la sauvegarde, et de nouveau : {erased}.")
        found = inspect_keys()
        self.stdout.write(f"{found.opened} clés sur {found.keys} s’ouvrent.")
        if found.faults:
            raise CommandError("Restauré, mais : " + " ".join(found.faults))
        self.stdout.write("Restauré : tout s’ouvre.")


def opens(key_id: UUID, version: int, wrapped: Wrapped) -> bool:
    try:
        provider().unwrap(key_id, version, wrapped)
    except UnreadableKey:
        return False
    return True


def keys_that_open() -> list[DataKey]:
    try:
        rows = list(DataKey.objects.order_by("pk"))
    except DatabaseError:
        return []  # the keystore is lost
    return [row for row in rows if opens(row.key_id, row.version, Wrapped(row.kek_version, bytes(row.wrapped)))]


def destroyed_in_keystore() -> list[UUID]:
    try:
        return list(Tombstone.objects.values_list("key_id", flat=True))
    except DatabaseError:
        return []  # the keystore is lost: the journal and the register remain


def destroyed_in_journal() -> list[UUID]:
    try:
        events = Event.objects.filter(action=Action.KEY_DESTROYED).values_list("record_ids", flat=True)
        return [UUID(key_id) for ids in events for key_id in ids]
    except DatabaseError:
        return []
