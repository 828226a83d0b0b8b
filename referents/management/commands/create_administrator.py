"""Create the first technical administrator; it replaces ``createsuperuser``, which does not exist here."""

from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from audit.history import system_account
from audit.services import Refused
from referents.models import Role, User
from referents.services.accounts import create_account
from referents.services.memberships import grant_membership


class Command(BaseCommand):
    help = "Crée le compte d’une personne chargée de l’administration technique (comptes, équipes, réglages)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--first-name", required=True)
        parser.add_argument("--last-name", required=True)
        parser.add_argument("--password-stdin", action="store_true", help="lit le mot de passe sur l’entrée standard")

    def handle(self, *args: Any, **options: Any) -> None:
        person = {name: options[name] for name in ("email", "first_name", "last_name")}
        try:
            validate_email(person["email"])
            password = input() if options["password_stdin"] else getpass("Mot de passe : ")
            validate_password(password, User(**person))
            with transaction.atomic():
                user = create_account(**person, password=password, by=system_account())
                grant_membership(user=user, role=Role.ADMINISTRATOR, by=system_account())
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"Compte {user.pk} créé.")
