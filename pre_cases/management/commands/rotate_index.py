"""Write the index of duplicates again, under a new yearly key."""

from typing import Any

from django.core.management.base import BaseCommand

from audit.history import system_account
from pre_cases.services.search_index import rotate_index


class Command(BaseCommand):
    help = (
        "Change la clé de la recherche de doublons et réécrit ce que comparent les recherches ; se reprend après une "
        "interruption. Le serveur de tâches le fait chaque année au 1er août."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        count = rotate_index(by=system_account(), say=self.progress)
        self.stdout.write(f"{count} enfants dans la recherche de doublons, sous une nouvelle clé.")

    def progress(self, done: int) -> None:
        if done % 1_000 == 0:
            self.stdout.write(f"  {done}")
            self.stdout.flush()
