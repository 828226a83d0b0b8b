"""Seal again everything about one child, after a suspected leak of its key."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.encryption.errors import EncryptionError
from audit.encryption.reencryption import begin_reencryption, finish_reencryption, reseal
from audit.history import system_account
from pre_cases.models import Child


class Command(BaseCommand):
    help = (
        "Donne une nouvelle clé à un enfant et chiffre de nouveau ses données, leur historique et ses documents, "
        "sans arrêter Marelle. L’ancienne clé ne sert plus ensuite qu’à lire des sauvegardes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--child", required=True, type=UUID, metavar="ID", help="identifiant de l’enfant")
        parser.add_argument("--with-family", action="store_true", help="aussi la clé de sa fratrie (les adultes)")

    def handle(self, *args: Any, **options: Any) -> None:
        child = Child.objects.select_related("family").filter(pk=options["child"]).first()
        if child is None:
            raise CommandError("Aucun enfant ne porte cet identifiant.")
        keys = [child.data_key_id, *([child.family.data_key_id] if options["with_family"] else [])]
        for key_id in keys:
            self.renew(key_id)

    def renew(self, key_id: UUID) -> None:
        try:
            version = begin_reencryption(key_id, by=system_account())
            written, unreadable = reseal(key_id)
        except EncryptionError as error:
            raise CommandError(f"{error}. Voyez « check_keys ».") from None
        self.stdout.write(f"Clé {key_id} : version {version}, {written} lignes et fichiers chiffrés de nouveau.")
        if unreadable:
            raise CommandError(
                f"{unreadable} valeurs ne s’ouvrent pas : l’ancienne version reste. Le journal de l’application "
                "dit lesquelles."
            )
        if finish_reencryption(key_id, by=system_account()):
            self.stdout.write("L’ancienne version est hors service.")
        else:
            self.stdout.write("Le serveur de tâches mettra l’ancienne version hors service dans un quart d’heure.")
