"""Prove that the journal is as it was sealed, or say what was done to it."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.journal.checkpoint import Checkpoint, read_checkpoints
from audit.journal.integrity import verify_and_keep
from audit.signing import BadSignature, SigningKeyUnavailable, UnknownKey


class Command(BaseCommand):
    help = (
        "Relit tout le journal, ses sceaux et ses points de contrôle. Sort en erreur (1) en nommant la première "
        "anomalie : modifié, supprimé, ajouté, déplacé, coupé, sceau falsifié, chaîne rompue, clé inconnue, réécrit."
    )
    requires_system_checks: list[str] = []  # a journal whose triggers were removed is the first to verify

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since",
            metavar="FICHIER",
            type=Path,
            help="point de contrôle gardé ailleurs, que le journal doit continuer ; « - » le lit à l’entrée",
        )
        parser.add_argument("--json", action="store_true", help="donne le résultat en JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        report = verify_and_keep(kept_elsewhere(options["since"]))
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), default=str, ensure_ascii=False, indent=2))
        else:
            self.stdout.write(report.sentence)
            if report.months:
                months = ", ".join(f"{month:%m/%Y}" for month in report.months)
                self.stdout.write(f"Mois partis après leur conservation, racines gardées : {months}.")
            if report.is_sound and report.checkpoint is None:
                self.stdout.write("Aucun point de contrôle n’a pu être comparé : gardez-en un ailleurs.")
        if not report.is_sound:
            sys.exit(1)


def kept_elsewhere(path: Path | None) -> list[Checkpoint]:
    """The checkpoints of a file; raises CommandError unless it holds one, signed by a key that we know."""
    if path is None:
        return []
    try:
        content = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        checkpoints = read_checkpoints(content)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} ne se lit pas : {error}") from None
    except BadSignature:
        raise CommandError(f"{path} : la signature d’un point de contrôle est fausse.") from None
    except SigningKeyUnavailable as error:
        raise CommandError(f"{path} ne peut pas être vérifié : {error}") from None
    except UnknownKey:
        raise CommandError(f"{path} : un point de contrôle est signé par une clé inconnue ici.") from None
    if not checkpoints:
        raise CommandError(f"{path} ne contient aucun point de contrôle.")
    return checkpoints
