"""Under which heading each table is shown, and what every reader of the figures is told."""

from __future__ import annotations

from pre_cases.statistics.period import Period

THEMES: dict[str, tuple[str, ...]] = {
    "Enfants suivis": (
        "movement",
        "arrivals",
        "interruptions",
        "passages",
        "sex",
        "age",
        "age_sex",
        "level_rollup",
        "level",
        "support",
        "school_status",
        "residence",
        "eligibility",
    ),
    "Parcours": ("parcours_movement", "evaluations", "exits", "duration_closed", "duration_running"),
    "Accompagnement": (
        "signs_heading",
        "signs",
        "objectives_domain",
        "objectives_priority",
        "actions_domain",
        "actions_mode",
        "actions_nature",
        "actions_time_slot",
        "actions_partner",
        "actions_per_child",
    ),
    "Saisines": (
        "saisine_source",
        "saisine_outcome",
        "saisine_signs_heading",
        "saisine_signs",
        "delay_agreement",
        "delay_meeting",
    ),
    "Projets associatifs": ("projects", "project_amounts", "enrolments", "declared"),
    "Moyens et établissements": ("staff", "caseload", "schools_perimeter", "schools_concerned", "teams"),
}
THEME_OF = {code: theme for theme, codes in THEMES.items() for code in codes}

HIDDEN_MARK = "c"
NOT_FOR_PUBLICATION = "ne pas publier"
FOR_PUBLICATION = "publiable"


def publication(period: Period) -> str:
    """Whether such a file may be published: two intervals that overlap subtract, so only whole years may."""
    return FOR_PUBLICATION if period.is_whole_year else NOT_FOR_PUBLICATION


def method(period: Period, threshold: int) -> list[str]:
    """The method in plain French, one paragraph a line, for the cover and the text beside the files."""
    paragraphs = [
        "Un enfant est suivi s’il a, un jour au moins de la période, un parcours entré et non clos. Les enfants sont "
        "comptés une fois, dans l’équipe responsable à leur jour de référence (le dernier jour de la période où "
        "l’enfant est suivi) ; les parcours sont comptés à part.",
        "Les chiffres sont ceux connus le jour de l’extraction : une correction ultérieure ne les change pas.",
        f"Un effectif de personnes est petit de 1 à {threshold - 1}. Dès qu’un tableau contient un petit effectif, à "
        "Paris ou dans un arrondissement, toutes ses cases sont masquées sauf son total de Paris, et ce total aussi "
        f"s’il est lui-même petit. Une case masquée est vide dans les fichiers CSV et notée « {HIDDEN_MARK} » dans le "
        "classeur ; rien ne distingue une petite case de celles masquées avec elle.",
        "Les établissements, les projets et les équipes ne sont pas des personnes : leurs tableaux ne sont pas "
        "masqués. Moyennes et médianes suivent l’effectif dont elles sont tirées.",
        "Cette règle empêche de retrouver un petit effectif par soustraction à l’intérieur d’un tableau. Elle ne "
        "protège pas de ce qu’une équipe déduirait de ce qu’elle sait de ses propres enfants, ni de la comparaison de "
        "deux périodes qui se recouvrent ou de deux extractions d’une même période.",
    ]
    if not period.is_whole_year:
        paragraphs.insert(
            0,
            "Ne pas publier : cette période n’est ni une année civile ni une année scolaire entière ; comparée à une "
            "autre, elle laisserait déduire de petits effectifs. Fichier réservé à l’administration des chiffres.",
        )
    return paragraphs
