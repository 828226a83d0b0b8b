"""Change the key-encryption key while people work."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.encryption.errors import EncryptionError
from audit.encryption.keystore.tasks import resume_rotation
from audit.encryption.rotation import is_rotating, pending, retire_old_versions, rewrap_all, start_rotation
from audit.history import system_account
from audit.services import Refused


class Command(BaseCommand):
    help = (
        "Ajoute une version de la clé maîtresse et enveloppe de nouveau chaque clé de données, sans arrêter Marelle ; "
        "interrompue, la rotation reprend où elle en était. Ensuite --retire détruit les anciennes versions."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        group = parser.add_mutually_exclusive_group()
        group.add_argument("--background", action="store_true", help="laisse le serveur de tâches envelopper les clés")
        group.add_argument("--status", action="store_true", help="dit où en est la rotation, sans rien changer")
        group.add_argument(
            "--retire",
            action="store_true",
            help="détruit les anciennes versions ; les sauvegardes du coffre faites avant ne s’ouvriront plus",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["status"]:
                self.status()
            elif options["retire"]:
                self.retire()
            else:
                self.rotate(options["background"])
        except (Refused, EncryptionError) as refusal:
            raise CommandError(str(refusal)) from None

    def rotate(self, in_background: bool) -> None:
        master = start_rotation(by=system_account())
        self.stdout.write(f"Version {master.version} en service : {pending()} clés à envelopper.")
        if in_background:
            resume_rotation.delay()
            self.stdout.write("Le serveur de tâches s’en charge ; « rotate_keys --status » dit où il en est.")
            return
        unreadable = rewrap_all(by=system_account(), say=self.progress)
        if unreadable:
            raise CommandError(f"{unreadable} clés ne s’ouvrent pas : voyez « check_keys ». Rien n’est perdu.")
        self.stdout.write("Toutes les clés sont enveloppées. Sauvegardez le coffre, puis « rotate_keys --retire ».")

    def progress(self, left: int) -> None:
        if left % 1_000 < 200:
            self.stdout.write(f"  encore {left}")
            self.stdout.flush()

    def status(self) -> None:
        if is_rotating():
            self.stdout.write(f"Rotation en cours : {pending()} clés à envelopper.")
        else:
            self.stdout.write("Aucune rotation en cours.")

    def retire(self) -> None:
        retired = retire_old_versions(by=system_account())
        names = ", ".join(map(str, retired))
        self.stdout.write(f"Détruites : {names}." if retired else "Aucune ancienne version à détruire.")
