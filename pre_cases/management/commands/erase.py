"""Erase one child, or finish the erasures that a restoration or a kill left behind."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.history import system_account
from pre_cases.models import Child
from pre_cases.services.erasure import ErasureRefused, erase_child, erasure_obstacle, plan_erasure, replay_tombstones


class Command(BaseCommand):
    help = (
        "Dit ce qui partirait avec un enfant ; avec --confirm, détruit sa clé puis ses données, sans retour, y compris "
        "dans les sauvegardes. La décision se prend à deux, hors de cette commande."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument("--child", type=UUID, metavar="ID", help="identifiant de l’enfant")
        group.add_argument("--replay", action="store_true", help="efface de nouveau ce dont la clé est détruite")
        parser.add_argument("--confirm", action="store_true", help="efface vraiment")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["replay"]:
            count = replay_tombstones(by=system_account())
            self.stdout.write(f"Enfants effacés de nouveau : {count}.")
            return
        child = Child.objects.filter(pk=options["child"]).first()
        if child is None:
            raise CommandError("Aucun enfant ne porte cet identifiant.")
        if not options["confirm"]:
            self.tell(child)
            return
        try:
            erased = erase_child(child=child, by=system_account())
        except ErasureRefused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"Effacé. Lignes : {erased.rows}, fichiers : {erased.files}.")

    def tell(self, child: Child) -> None:
        plan = plan_erasure(child)
        self.stdout.write(f"Partiraient, avec leur historique (clés détruites : {len(plan.data_keys)}) :")
        for name, count in plan.counts().items():
            self.stdout.write(f"  {count:>6} {name}")
        self.stdout.write(f"  {len(plan.files):>6} fichiers")
        obstacle = erasure_obstacle(child)
        self.stdout.write(f"Rien n’a été changé. {obstacle or 'Ajoutez --confirm pour effacer.'}")
