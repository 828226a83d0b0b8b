"""The file as the family receives it: what was gathered, after the decisions of the coordination, as JSON and PDF."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from audit.journal.purge import retention_months
from audit.pdf import Block, bullets, heading, pairs, paragraph, table, write_pdf
from pre_cases.models import FamilyRequest, FileDecision
from pre_cases.retention import rules
from pre_cases.subject_access.masking import MASKED, without
from referents.days import long_day
from referents.models import User

NAME = "donnees-de-l-enfant"
TITLE = "Ce que Marelle garde au sujet de votre enfant"
TITLE_YOUNG = "Ce que Marelle garde à votre sujet"
PURPOSE = (
    "Ces données servent à l’accompagnement de l’enfant par le programme de réussite éducative, avec l’accord de la "
    "famille. Personne ne décide par un calcul : aucune décision n’est automatique, et rien ne sort de l’Union "
    "européenne. Les noms d’autres personnes sont masqués ; les professionnels sont désignés par leur fonction."
)
DOCUMENTS = "Les documents cités (accord, bulletin, courrier) se demandent en copie à la coordination de l’équipe."
RIGHTS = [
    "demander de corriger ce qui est inexact, ou de joindre votre version des faits ;",
    "vous opposer à un usage, ou retirer votre accord, à tout moment ;",
    "demander l’effacement, dans les limites de la loi ;",
    "demander que rien ne soit changé ni effacé pendant qu’une contestation est examinée ;",
    "écrire au délégué à la protection des données de la collectivité, ou saisir la CNIL (cnil.fr).",
]


def archive_of(content: dict[str, Any], decisions: Iterable[FileDecision], request: FamilyRequest) -> bytes:
    """The zip that holds both forms of the file; raises PdfFailed."""
    data = decided(content, decisions) | {
        "title": TITLE if request.adult_id else TITLE_YOUNG,
        "request": request.reference,
        "made_on": timezone.localdate().isoformat(),
        "purpose": f"{PURPOSE} {DOCUMENTS}",
        "kept": keeping(),
        "rights": RIGHTS,
    }
    pdf = write_pdf(title=data["title"], blocks=blocks_of(data), footer=f"Demande {request.reference}")
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{NAME}.pdf", pdf)
        archive.writestr(f"{NAME}.json", json.dumps(data, ensure_ascii=False, indent=1))
    return held.getvalue()


def decided(content: dict[str, Any], decisions: Iterable[FileDecision]) -> dict[str, Any]:
    """The content after the decisions: passages masked, professionals named only where it was decided."""
    by_passage = {decision.passage: decision for decision in decisions if decision.passage is not None}
    named = {decision.professional_id for decision in decisions if decision.kind == FileDecision.Kind.NAME}
    names = {pk: person.get_full_name() for pk, person in User.objects.in_bulk(named).items()}
    sections = [
        section
        | {
            "items": [
                {
                    "title": item["title"],
                    "facts": [[label, told(value, names)] for label, value in item["facts"]],
                    "texts": [[text["label"], _passage(text, by_passage)] for text in item["texts"]],
                }
                for item in section["items"]
            ]
        }
        for section in content["sections"]
    ]
    return {"child": content["child"], "sections": sections, "readers": content["readers"]}


def _passage(text: dict[str, Any], decisions: dict[int, FileDecision]) -> str:
    decision = decisions.get(text["number"])
    if decision is None or decision.kind != FileDecision.Kind.MASK:
        return str(text["text"])
    words = words_of(decision)
    return without(text["text"], words) if words else MASKED


def words_of(decision: FileDecision) -> list[str]:
    return [word.strip() for word in (decision.words or "").split(",") if word.strip()]


def told(value: Any, names: dict[int, str]) -> str:
    """A fact in words; a professional by function and organisation, and by name when it was decided."""
    if not isinstance(value, dict):
        return str(value)
    function = f"{value['function']} ({value['organisation']})" if value["organisation"] else value["function"]
    name = names.get(value["professional"])
    return f"{name}, {function}" if name else function


def counts_of(content: dict[str, Any], decisions: Iterable[FileDecision]) -> list[list[Any]]:
    """For each section its title, rows, passages and masked passages: what the second person sees of the file."""
    masked = {decision.passage for decision in decisions if decision.kind == FileDecision.Kind.MASK}
    return [
        [
            section["title"],
            len(section["items"]),
            sum(len(item["texts"]) for item in section["items"]),
            sum(text["number"] in masked for item in section["items"] for text in item["texts"]),
        ]
        for section in content["sections"]
    ]


def keeping() -> list[str]:
    """How long it is kept, by the rules of the installation."""
    return [f"{rule.about} : {rule.length}." for rule in rules()[:2]] + [
        f"Journal des lectures : {retention_months()} mois."
    ]


def blocks_of(data: dict[str, Any]) -> list[Block]:
    """The printed form, in the order one reads."""
    made: list[Block] = [
        pairs([("Enfant", data["child"]), ("Établi le", long_day(timezone.localdate()))]),
        paragraph(data["purpose"]),
    ]
    for section in data["sections"]:
        made += [heading(section["title"]), paragraph(f"D’où viennent ces données : {section['source']}.")]
        for item in section["items"]:
            made.append(heading(item["title"], level=2))
            rows = [(label, value) for label, value in [*item["facts"], *item["texts"]]]
            made.append(pairs(rows) if rows else paragraph("Rien d’autre n’est noté."))
    made += [heading("Qui a lu ces données"), *_readers(data["readers"])]
    made += [heading("Combien de temps elles sont gardées"), bullets(data["kept"])]
    return [*made, heading("Vos droits"), paragraph("Vous pouvez :"), bullets(data["rights"])]


def _readers(readers: list[dict[str, Any]]) -> list[Block]:
    if not readers:
        return [paragraph("Le journal ne garde aucune lecture.")]
    rows = [
        [line["on"], line["function"], line["organisation"] or "—", line["purpose"], str(line["times"])]
        for line in readers
    ]
    header = ["Jour", "Fonction", "Organisation", "Pourquoi", "Fois"]
    return [table("Lectures, de la plus récente à la plus ancienne", header=header, rows=rows)]
