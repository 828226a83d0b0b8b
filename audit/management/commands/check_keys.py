"""Prove that every data key opens with the key-encryption key at hand, and that it is the right one."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from audit.encryption.inspection import inspect_keys


class Command(BaseCommand):
    help = "Ouvre chaque clé de données et déchiffre son témoin ; sort en erreur dès qu’une clé manque ou ne va pas."
    requires_system_checks: list[str] = []  # it says itself, and better, what the checks would refuse

    def handle(self, *args: Any, **options: Any) -> None:
        found = inspect_keys()
        versions = ", ".join(map(str, found.versions)) or "aucune"
        self.stdout.write(f"Versions de la clé maîtresse : {versions}.")
        self.stdout.write(f"{found.opened} clés sur {found.keys} s’ouvrent, {found.with_canary} témoins déchiffrés.")
        if found.pending:
            self.stdout.write(
                f"{found.pending} clés sont encore enveloppées par une ancienne version : la rotation est en cours."
            )
        for fault in found.faults:
            self.stderr.write(fault)
        if found.faults:
            sys.exit(1)
        self.stdout.write("Tout s’ouvre.")
