"""Who the told stories are about. Nobody here exists."""

from __future__ import annotations

from dataclasses import dataclass, replace

from partners.models import Sex
from pre_cases.models import LivesWith, Relation
from pre_cases.services.family import NewAdult


@dataclass(frozen=True)
class Plot:
    """What one story begins with."""

    first_name: str
    family_name: str
    sex: Sex
    age: int
    situation: str
    strengths: str
    signs: tuple[str, ...]
    adults: tuple[NewAdult, ...]
    is_urgent: bool = False
    child_words: str = ""
    parents_words: str = ""


MOTHER = NewAdult(
    family_name="Marchal", relation=Relation.MOTHER, first_name="Nadège", holds_authority=True, phone="06 39 98 12 30"
)
FATHER = replace(MOTHER, relation=Relation.FATHER, first_name="Karim", family_name="Zerrouki", phone="06 39 98 45 61")
INES = Plot(
    "Inès",
    "Zerrouki",
    Sex.GIRL,
    9,
    "L’enseignante note que les devoirs ne sont plus faits depuis la séparation des parents.",
    "Aime lire à voix haute, très présente pour son petit frère.",
    ("resultats", "isolement"),
    (replace(MOTHER, lives_with=LivesWith.ALTERNATING), replace(FATHER, lives_with=LivesWith.ALTERNATING)),
    child_words="« Chez papa il n’y a pas de table, et chez maman c’est trop tard. »",
    parents_words="« On se parle surtout par messages, on ne sait plus qui a signé le cahier. »",
)
SAMI = replace(
    INES,
    first_name="Sami",
    sex=Sex.BOY,
    age=6,
    situation="La mère demande la même aide que pour sa fille : l’entrée au cours préparatoire est difficile.",
    strengths="Curieux, construit beaucoup avec ses mains.",
    signs=("scolarite",),
    child_words="",
    parents_words="« Il pleure le dimanche soir. »",
)
NOE = Plot(
    "Noé",
    "Castaing",
    Sex.BOY,
    11,
    "Le collège signale des absences le matin depuis la rentrée.",
    "Très investi dans son club de football.",
    ("absences", "sommeil"),
    (replace(MOTHER, first_name="Hélène", family_name="Castaing", phone="06 39 98 77 02"),),
)
LINA = Plot(
    "Lina",
    "Sagna",
    Sex.GIRL,
    8,
    "Peu d’activités hors de l’école, la famille connaît mal le quartier.",
    "Parents très disponibles, grande sœur au collège.",
    ("loisirs", "ouverture"),
    (
        replace(MOTHER, first_name="Ramata", family_name="Sagna", phone="06 39 98 30 18"),
        replace(FATHER, first_name="Issa", family_name="Sagna", phone="06 39 98 30 19"),
    ),
)
URGENT = Plot(
    "Tom",
    "Aubrac",
    Sex.BOY,
    13,
    "L’élève dit qu’il ne reviendra pas au collège ; la famille demande un rendez-vous cette semaine.",
    "S’entend bien avec la conseillère d’éducation.",
    ("decrochage",),
    (replace(MOTHER, first_name="Céline", family_name="Aubrac", phone="06 39 98 64 55"),),
    is_urgent=True,
)
