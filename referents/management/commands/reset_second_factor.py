"""Reset somebody's second factor from the server: for the last administrator, whom nobody else can help."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.history import system_account
from referents.models import User
from referents.services.second_factor import reset_second_factor


class Command(BaseCommand):
    help = "Retire les seconds facteurs d’un compte et ferme ses sessions ; la prochaine connexion en choisit un autre."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].strip().lower()).first()
        if user is None:
            raise CommandError("Aucun compte n’est ouvert à cette adresse.")
        reset_second_factor(user=user, by=system_account())
        self.stdout.write(f"Compte {user.pk} : second facteur réinitialisé, sessions fermées.")
