"""Django's command of this name would make an account above the rights: it is refused."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Refusée : aucun compte ne peut contourner les droits. Voir create_administrator."

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError("Aucun compte ne peut contourner les droits : utilisez create_administrator.")
