"""The fiche de sollicitation: blank, for a school to fill in by hand, and as it was recorded."""

from __future__ import annotations

from django.utils import timezone

from audit.pdf import Block, bullets, heading, pairs, paragraph, write_pdf
from pre_cases.forms.saisine import sign_headings
from pre_cases.models import ChildAdult, Saisine
from referents.days import long_day

TITLE = "Fiche de sollicitation du programme de réussite éducative"
LINE = "." * 90
BOX = "[   ]"
DANGER = "Un enfant est en danger ? N’écrivez rien ici : appelez le 119, ou saisissez la CRIP."
RULE = (
    "Des faits, sans jugement ni diagnostic : la famille peut lire cette fiche. Parlez-lui en avant de l’envoyer ; "
    "rien n’est partagé avant son accord."
)
WORDS = [
    ("La situation", "situation"),
    ("Ce qu’en dit l’enfant, avec ses mots", "child_words"),
    ("Ce qu’en disent les parents, avec leurs mots", "parents_words"),
    ("Points d’appui : ce qui va bien", "strengths"),
    ("Déjà mis en place ou essayé", "already_done"),
]


def blank_sheet() -> bytes:
    """The fields of the entry page in the same order, with room to write; raises PdfFailed."""
    blocks: list[Block] = [paragraph(DANGER), paragraph(RULE), heading("La demande")]
    blocks.append(_lines("Date", "Prescripteur : nom, fonction, établissement", "Téléphone ou courriel"))
    blocks += [heading("L’enfant"), _lines("Prénom et nom", "Date de naissance", "Classe et école", "Adresse")]
    blocks += [heading("Les adultes qui exercent l’autorité parentale")]
    blocks.append(_lines("Nom, lien, téléphone", "Nom, lien, téléphone"))
    blocks.append(heading("Les signes de fragilité : cochez, et soulignez le principal"))
    for term, signs in sign_headings():
        blocks += [heading(term.label, level=2), bullets([f"{BOX} {label}" for _, label in signs])]
    for label, _ in WORDS:
        blocks += [heading(label), *(paragraph(LINE) for _ in range(3))]
    blocks += [heading("La famille"), bullets([f"{BOX} a été informée de cette sollicitation, le {LINE[:20]}"])]
    return write_pdf(title=TITLE, blocks=blocks, footer="À remettre à l’équipe de réussite éducative")


def _lines(*labels: str) -> Block:
    return pairs([(label, LINE[:60]) for label in labels])


def saisine_sheet(saisine: Saisine, links: list[ChildAdult]) -> bytes:
    """The fiche of a saisine read with ``with_stage()``, its child and adults opened; raises PdfFailed."""
    child = saisine.child
    born = long_day(child.birth_date) if child.birth_date else "non renseignée"
    schooling = child.schoolings.select_related("school", "level").order_by("-starts_on").first()
    place = ""
    if schooling is not None:
        place = ", ".join(part for part in (schooling.level.label, schooling.school and schooling.school.name) if part)
    blocks: list[Block] = [
        heading("La demande"),
        pairs(
            [
                ("Reçue le", long_day(saisine.received_on)),
                ("Prescripteur", saisine.source.label),
                ("Équipe", saisine.team.name),
                ("Étape", str(saisine.stage.label)),
            ]
        ),
        heading("L’enfant"),
        pairs([("Prénom et nom", child.full_name), ("Né ou née le", born), ("Classe et école", place or "—")]),
    ]
    holders = [f"{link.adult.full_name}, {link.get_relation_display()}" for link in links if link.holds_authority]
    blocks += [heading("Les titulaires de l’autorité parentale"), bullets(holders or ["non renseignés"])]
    blocks += [heading("Les signes de fragilité"), bullets(_signs(saisine) or ["aucun signe n’est noté"])]
    for label, name in WORDS:
        if text := getattr(saisine, name):
            blocks += [heading(label), paragraph(text)]
    return write_pdf(title=TITLE, blocks=blocks, footer=f"Imprimée le {long_day(timezone.localdate())}")


def _signs(saisine: Saisine) -> list[str]:
    rows = saisine.signs.select_related("sign__parent").order_by("-is_main", "sign__position")
    return [
        f"{row.sign.parent.label} : {row.sign.label.lower()}{' (principal)' if row.is_main else ''}"
        if row.sign.parent
        else f"{row.sign.label}{' (principal)' if row.is_main else ''}"
        for row in rows
    ]
