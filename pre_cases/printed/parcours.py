"""A parcours for the family, in plain words, and the bilan that ends it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from audit.pdf import Block, bullets, heading, pairs, paragraph, table, write_pdf
from pre_cases.models import NOTHING_DUE, Action, Objective, Parcours
from referents.days import long_day

RIGHTS = [
    "lire tout ce qui est écrit sur votre enfant, et demander qui l’a lu ;",
    "faire corriger ce qui est inexact ;",
    "retirer votre accord : le parcours s’arrête alors le jour même.",
]
PLAIN_RESULTS = {
    "reached": "C’est réussi.",
    "partly": "C’est en partie réussi.",
    "not_reached": "Ce n’est pas encore réussi.",
    "not_applicable": "Ce n’est plus utile.",
}


def family_sheet(parcours: Parcours) -> bytes:
    """What was agreed and what is done, for a parcours read with ``with_page()``; no comment, no name of a colleague
    but that of the référent. Raises PdfFailed.
    """
    made: list[Block] = [pairs(_who(parcours))]
    made.append(heading("Ce que nous avons décidé ensemble"))
    for objective in parcours.objectives.all():
        made += _objective(objective)
    if not parcours.objectives.all():
        made.append(paragraph("Nous déciderons ensemble des objectifs."))
    enrolments: Any = parcours.current_enrolments  # type: ignore[attr-defined]
    if enrolments:
        made.append(heading("Les activités où votre enfant est inscrit"))
        made.append(bullets([f"{row.project.title}, avec {row.project.organisation.name}" for row in enrolments]))
    if parcours.due_on != NOTHING_DUE and parcours.due_on >= timezone.localdate():
        made.append(heading("Et ensuite"))
        made.append(paragraph(f"Nous ferons le point avec vous au plus tard le {long_day(parcours.due_on)}."))
    made += [heading("Vos droits"), paragraph("Vous pouvez à tout moment :"), bullets(RIGHTS)]
    return write_pdf(title=f"Le parcours de {parcours.child.first_name}", blocks=made, footer=_printed_on())


def _who(parcours: Parcours) -> list[tuple[str, str]]:
    told = [("Votre enfant", parcours.child.full_name), ("L’équipe", parcours.team.name)]
    if referent := parcours.referent_name:  # type: ignore[attr-defined]
        told.append(("Votre interlocuteur", referent))
    told.append(("Le parcours a commencé le", long_day(parcours.opened_on)))
    if parcours.agreement.signed_on is not None and parcours.agreement.last_day is not None:
        told.append(
            (
                "Vous avez signé l’accord le",
                f"{long_day(parcours.agreement.signed_on)} ; il vaut jusqu’au {long_day(parcours.agreement.last_day)}",
            )
        )
    if parcours.closed_on is not None:
        told.append(("Le parcours s’est terminé le", long_day(parcours.closed_on)))
    return told


def _objective(objective: Objective) -> list[Block]:
    made = [heading(objective.text, level=2)]
    if objective.result:
        made.append(paragraph(PLAIN_RESULTS[objective.result]))
    actions = [_action(action) for action in objective.actions.all()]
    return [*made, bullets(actions)] if actions else made


def _action(action: Action) -> str:
    words = [action.label]
    if action.partner is not None:
        words.append(f"avec {action.partner.name}")
    if action.time_slot:
        words.append(str(action.get_time_slot_display()).lower())
    if action.starts_on is None:
        words.append("à venir")
    elif action.ends_on is None:
        words.append(f"depuis le {long_day(action.starts_on)}")
    else:
        words.append("c’est terminé")
    return ", ".join(words)


def bilan_sheet(parcours: Parcours) -> bytes:
    """The bilan of a parcours read with ``with_page()``: results, the family's word, the relay. Raises PdfFailed."""
    bilan = parcours.bilan
    made: list[Block] = [
        pairs([*_who(parcours), ("Bilan établi le", long_day(bilan.on)), ("Motif de fin", bilan.exit_reason.label)]),
        heading("Le chemin parcouru"),
        paragraph(bilan.text),
    ]
    rows = [
        [objective.text, objective.domain.label, objective.get_result_display() if objective.result else "—"]
        for objective in parcours.objectives.all()
    ]
    if rows:
        made.append(heading("Les objectifs"))
        made.append(table("Résultat de chaque objectif", header=["Objectif", "Domaine", "Résultat"], rows=rows))
    if bilan.family_word:
        made += [heading("La parole de la famille"), paragraph(bilan.family_word)]
    if bilan.relay:
        made += [heading("Le relais vers le droit commun"), paragraph(bilan.relay)]
    return write_pdf(title="Bilan de fin de parcours", blocks=made, footer=_printed_on())


def _printed_on() -> str:
    return f"Imprimé le {long_day(timezone.localdate())}"
