"""Under which heading each table is shown, and what every reader of the figures is told."""

from __future__ import annotations

from django.conf import settings

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


def threshold_of(table: str) -> int:
    """A count of persons of a table is small below it."""
    found: int = settings.STATISTICS_THRESHOLDS.get(table, settings.STATISTICS_THRESHOLD)
    return found


def thresholds() -> str:
    """In French, for the files: the usual threshold, and that of the tables that say more of a child."""
    others = sorted({threshold_of(code) for code in THEME_OF} - {settings.STATISTICS_THRESHOLD})
    usual = str(settings.STATISTICS_THRESHOLD)
    return usual + "".join(f" ({other} pour les tableaux qui le disent)" for other in others)


def method(period: Period) -> list[str]:
    """The method in plain French, one paragraph a line, for the cover and the text beside the files."""
    paragraphs = [
        "Un enfant est suivi s’il a, un jour au moins de la période, un parcours entré et non clos. Les enfants sont "
        "comptés une fois, dans l’équipe responsable à leur jour de référence (le dernier jour de la période où "
        "l’enfant est suivi) ; les parcours sont comptés à part.",
        "Les chiffres sont ceux connus le jour de l’extraction : une correction ultérieure ne les change pas.",
        "Un effectif de personnes est petit s’il est inférieur au seuil de son tableau sans être nul. Les petits "
        "effectifs sont masqués ; d’autres cases le sont avec eux, pour qu’on ne puisse pas les retrouver par "
        f"soustraction. Une case masquée est vide dans les fichiers CSV et notée « {HIDDEN_MARK} » partout "
        "ailleurs ; rien ne distingue un petit effectif des cases masquées avec lui.",
        "Le choix des cases est prouvé : pour chaque petit effectif, il existe une autre population qui donne "
        "exactement les mêmes chiffres publiés, où personne n’est dans la case, et une autre où le seuil y est "
        "atteint. Cela vaut pour un lecteur extérieur, pour chaque équipe, qui connaît exactement ses propres enfants, "
        "et pour les équipes qu’une même personne coordonne. Le certificat joint dit ce qui a été vérifié.",
        "Les tableaux qui se contraignent (l’âge et la classe, les sorties et les durées…) sont protégés ensemble, et "
        "avec les diffusions précédentes dont la période recouvre celle-ci.",
        "Les établissements, les projets et les équipes ne sont pas des personnes : leurs tableaux ne sont pas "
        "masqués. Moyennes, médianes et parts ne paraissent qu’avec les effectifs dont elles sont tirées.",
    ]
    if not period.is_whole_year:
        paragraphs.insert(
            0,
            "Ne pas publier : cette période n’est ni une année civile ni une année scolaire entière ; comparée à une "
            "autre, elle laisserait déduire de petits effectifs. Fichier réservé à l’administration des chiffres.",
        )
    return paragraphs
