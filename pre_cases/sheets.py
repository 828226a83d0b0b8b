"""The anonymised sheet of a situation (*fiche de situation anonymisée*): what the EPRE reads, and no name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import time
from uuid import UUID

from audit.pdf import Block, bullets, heading, pairs, paragraph, table, write_pdf
from partners.models.project import AgeBand
from pre_cases.models import EpreItem, EpreParticipant, EpreSession, Schooling
from pre_cases.querysets.epre import EpreItemQuerySet
from referents.days import NO_BREAK, day, long_day

UNKNOWN = "non renseigné"
TO_WRITE = "à écrire"


@dataclass(frozen=True)
class Sheet:
    """One situation, under its number in the session: an age band and a cycle, never an age, a class nor a school."""

    item: EpreItem
    age_band: str
    level: str
    signs: list[str]  # the main one first

    @property
    def number(self) -> int:
        return self.item.number


def for_sheets(items: EpreItemQuerySet) -> EpreItemQuerySet:
    """The situations with what their sheets show, in a constant number of queries."""
    people = items.select_related("session", "parcours__child", "parcours__team", "adjourned_to", "task__assignee")
    return people.select_related("follow_up_by").prefetch_related("parcours__saisine__signs__sign")


def sheets_of(items: Iterable[EpreItem]) -> list[Sheet]:
    """The sheets of situations read through ``for_sheets()``, their keys loaded; one more query."""
    listed = list(items)
    levels = _levels(listed)
    return [Sheet(item, _age_band(item), levels.get(item.parcours.child_id, UNKNOWN), _signs(item)) for item in listed]


def _age_band(item: EpreItem) -> str:
    age = item.parcours.child.age(item.session.on)
    return UNKNOWN if age is None or age < 0 else str(AgeBand.of(age).label)


def _levels(items: Sequence[EpreItem]) -> dict[UUID, str]:
    """The cycle of the latest class of each child on the day of the session, by child."""
    days = {item.parcours.child_id: item.session.on for item in items}
    known = Schooling.objects.filter(child__in=days).select_related("level__parent").order_by("starts_on")
    return {
        year.child_id: (year.level.parent or year.level).label
        for year in known
        if year.starts_on <= days[year.child_id]
    }


def _signs(item: EpreItem) -> list[str]:
    signs = sorted(item.parcours.saisine.signs.all(), key=lambda sign: (not sign.is_main, sign.sign.position))
    return [f"{sign.sign.label} (principal)" if sign.is_main else sign.sign.label for sign in signs]


# -- on paper -----------------------------------------------------------------------------------------------------


def sheets_pdf(session: EpreSession, sheets: Sequence[Sheet]) -> bytes:
    """The sheets of a session, one after the other, as a tagged PDF; raises PdfFailed."""
    blocks: list[Block] = [paragraph(f"Équipe {session.team.name}, {held_at(session)}, {session.place}.")]
    blocks.append(paragraph("Fiches anonymes, à ne pas conserver après la séance."))
    for sheet in sheets:
        blocks += [heading(f"Situation n° {sheet.number}"), *_sheet_blocks(sheet)]
    return write_pdf(title=f"Fiches de situation : {session.title}", blocks=blocks, footer=session.title)


def _sheet_blocks(sheet: Sheet) -> list[Block]:
    item = sheet.item
    return [
        pairs([("Objet", item.get_purpose_display()), ("Âge", sheet.age_band), ("Niveau", sheet.level)]),
        heading("Question posée", level=2),
        paragraph(item.question or TO_WRITE),
        heading("Signes de fragilité", level=2),
        bullets(sheet.signs) if sheet.signs else paragraph(UNKNOWN),
        heading("Points d’appui", level=2),
        paragraph(item.resources or UNKNOWN),
        heading("Déjà mis en place", level=2),
        paragraph(item.tried or UNKNOWN),
    ]


def minutes_pdf(session: EpreSession, participants: Sequence[EpreParticipant], items: Sequence[EpreItem]) -> bytes:
    """The minutes of a session held: who came, and what was decided of each number; raises PdfFailed."""
    state = f"Compte rendu clos le {long_day(session.closed_on)}." if session.closed_on else "Compte rendu provisoire."
    blocks: list[Block] = [
        paragraph(f"Équipe {session.team.name}, {held_at(session)}, {session.place}. {state}"),
        heading("Membres de la séance"),
        table(
            "Présence et charte de confidentialité",
            header=["Nom", "Institution", "Fonction", "Présence", "Charte"],
            rows=[_member(one) for one in participants],
        )
        if participants
        else paragraph("Personne n’était invité."),
        heading("Décisions"),
    ]
    for item in items:
        blocks += [heading(f"Situation n° {item.number}", level=2), pairs(decision_rows(item))]
    return write_pdf(
        title=f"Compte rendu : {session.title}", blocks=blocks, footer=f"{session.title}, sans nom d’enfant"
    )


def _member(one: EpreParticipant) -> list[str]:
    presence = {True: "présent", False: "absent", None: "—"}[one.attended]
    charter = f"signée le {day(one.charter_on)}" if one.charter_on else "en cours" if one.user_id else "—"
    return [one.name, one.institution or "—", one.function or "—", presence, charter]


def decision_rows(item: EpreItem) -> list[tuple[str, str]]:
    """What was decided of one situation, as names and values."""
    rows = [("Objet", item.get_purpose_display()), ("Décision", item.get_decision_display() or "pas encore prise")]
    if item.adjourned_to is not None:
        rows.append(("Ajournée à", item.adjourned_to.title))
    if item.last_renewed_day is not None:
        rows.append(("Accord reconduit jusqu’au", long_day(item.last_renewed_day)))
    if item.reason:
        rows.append(("Motif ou préconisation", item.reason))
    if item.follow_up:
        rows.append(("Suite", f"{item.follow_up} ({entrusted_to(item)}, pour le {long_day(item.follow_up_on)})"))
    if item.family_told_on is not None:
        rows.append(("Famille informée le", long_day(item.family_told_on)))
    return rows


def entrusted_to(item: EpreItem) -> str:
    """Who has taken the follow-up on."""
    if item.follow_up_by is not None:
        return item.follow_up_by.name
    return item.task.assignee.get_full_name() if item.task is not None else ""


def held_at(session: EpreSession) -> str:
    """« 3 mars 2026 de 14 h 00 à 16 h 30 »."""
    return f"{long_day(session.on)} de {hour(session.starts_at)} à {hour(session.ends_at)}"


def hour(at: time) -> str:
    return f"{at.hour}{NO_BREAK}h{NO_BREAK}{at:%M}"
