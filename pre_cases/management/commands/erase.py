"""What one child's erasure would take; the approved erasures carried out now; certificates verified."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.history import system_account
from audit.signing import SigningError
from pre_cases.models import Child, Erasure
from pre_cases.services.erasure import erasure_obstacle, plan_erasure, replay_tombstones
from pre_cases.services.erasure_certificate import NotACertificate, verify_certificate
from pre_cases.services.erasure_job import OBSTACLES, run_erasure


class Command(BaseCommand):
    help = (
        "Dit ce qui partirait avec un enfant ; reprend les effacements approuvés sans attendre l’arrière-plan ; "
        "vérifie un certificat. Aucun effacement ne commence ici : il se demande et s’approuve à deux, dans les pages."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument("--child", type=UUID, metavar="ID", help="identifiant de l’enfant : ne change rien")
        group.add_argument("--resume", action="store_true", help="mène à leur terme les effacements approuvés")
        group.add_argument("--replay", action="store_true", help="efface de nouveau ce dont la clé est détruite")
        group.add_argument("--verify", type=Path, metavar="FICHIER", help="certificat JSON à vérifier")
        parser.add_argument("--pdf", type=Path, metavar="FICHIER", help="avec --verify : le PDF remis avec lui")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["replay"]:
            count = replay_tombstones(by=system_account())
            self.stdout.write(f"Enfants effacés de nouveau : {count}.")
        elif options["resume"]:
            self.resume()
        elif options["verify"]:
            self.verify(options["verify"], options["pdf"])
        else:
            self.tell(options["child"])

    def tell(self, child_id: UUID) -> None:
        child = Child.objects.filter(pk=child_id).first()
        if child is None:
            raise CommandError("Aucun enfant ne porte cet identifiant.")
        plan = plan_erasure(child)
        self.stdout.write(f"Partiraient, avec leur historique (clés détruites : {len(plan.data_keys)}) :")
        for name, count in plan.counts().items():
            self.stdout.write(f"  {count:>6} {name}")
        self.stdout.write(f"  {len(plan.files):>6} fichiers")
        self.stdout.write(f"Rien n’a été changé. {erasure_obstacle(child)}".rstrip())

    def resume(self) -> None:
        approved = list(Erasure.objects.freezing().order_by("requested_at").values_list("pk", flat=True))
        for erasure_id in approved:
            run_erasure(erasure_id=erasure_id)
        left = Erasure.objects.filter(pk__in=approved).exclude(state=Erasure.State.DONE)
        self.stdout.write(f"Effacements menés à leur terme : {len(approved) - len(left)}.")
        for erasure in left:
            self.stdout.write(f"  {erasure.pk} : {erasure.get_state_display()}. {OBSTACLES.get(erasure.obstacle, '')}")
        if left:
            raise CommandError("Des effacements attendent.")

    def verify(self, path: Path, pdf: Path | None) -> None:
        try:
            certificate = verify_certificate(path.read_text(encoding="utf-8"), pdf.read_bytes() if pdf else None)
        except (OSError, UnicodeDecodeError):
            raise CommandError("Ce fichier ne se lit pas.") from None
        except NotACertificate:
            raise CommandError("Ce n’est pas un certificat d’effacement, ou il a été modifié.") from None
        except SigningError:
            raise CommandError("La clé qui a signé n’est pas connue de cette installation.") from None
        self.stdout.write(
            f"Certificat authentique{' avec son PDF' if pdf else ''} : enfant {certificate['subject']} effacé le "
            f"{certificate['erased_on']}, complet le {certificate['complete_on']}."
        )
