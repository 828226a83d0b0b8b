"""Followed children by sex, age, class, school, residence and eligibility."""

from __future__ import annotations

from partners.models import AgeBand, Nomenclature, Sex, Term
from pre_cases.statistics.population import FollowedChild, Population
from pre_cases.statistics.tables import (
    CHILDREN,
    TOTAL,
    UNKNOWN,
    Category,
    Figures,
    Spec,
    Tally,
    Variable,
    choices_variable,
    signature,
    term_variable,
    tie,
)

FOLLOWED = "enfants suivis dans la période"
SEX = choices_variable("sex", "Sexe", Sex).with_unknown()
AGE = choices_variable("age", "Âge au jour de référence", AgeBand, rare=(AgeBand.UNDER_2,)).with_unknown()
REFERENCE = "au jour de référence (dernier jour de la période où l’enfant est suivi)"

FIXED = (
    Spec("sex", "Enfants suivis par sexe", "Sexe enregistré de chaque enfant suivi.", FOLLOWED, SEX, (CHILDREN,)),
    Spec(
        "age",
        "Enfants suivis par tranche d’âge",
        f"Âge en années révolues {REFERENCE} ; né un 29 février, l’enfant change d’âge le 1er mars.",
        FOLLOWED,
        AGE,
        (CHILDREN,),
    ),
    Spec(
        "age_sex",
        "Enfants suivis par tranche d’âge et sexe",
        f"Âge en années révolues {REFERENCE}, croisé avec le sexe.",
        FOLLOWED,
        AGE,
        (CHILDREN,),
        variable_2=SEX,
    ),
    Spec(
        "support",
        "Enfants suivis : ULIS et UPE2A",
        "Dispositif noté à côté de la classe confirmée, dont il ne tient pas lieu.",
        FOLLOWED,
        Variable(
            "support",
            "Dispositif",
            (
                Category("ulis", "ULIS"),
                Category("upe2a", "UPE2A"),
                Category("both", "ULIS et UPE2A", only_if_counted=True),
                Category("none", "ni ULIS ni UPE2A"),
            ),
        ).with_unknown(),
        (CHILDREN,),
    ),
    Spec(
        "school_status",
        "Enfants suivis selon l’éducation prioritaire de l’école",
        "Statut, au jour de référence, de l’école confirmée ; RAR et ÉCLAIR comptent en REP+, ZEP et RRS en REP.",
        FOLLOWED,
        Variable(
            "school_status",
            "Éducation prioritaire",
            (Category("rep_plus", "REP+"), Category("rep", "REP"), Category("none", "hors éducation prioritaire")),
        ).with_unknown(),
        (CHILDREN,),
    ),
    Spec(
        "residence",
        "Enfants suivis selon le quartier de résidence",
        "Quartier prioritaire vérifié pour la date d’entrée, avec sa génération, jamais recalculé ; en résidence "
        "alternée l’un des deux domiciles suffit.",
        FOLLOWED,
        Variable(
            "residence",
            "Résidence à l’entrée",
            (
                Category("zus", "quartier prioritaire (ZUS et CUCS, avant 2015)", only_if_counted=True),
                Category("qpv2015", "quartier prioritaire (génération 2015)", only_if_counted=True),
                Category("qpv2024", "quartier prioritaire (génération 2024)", only_if_counted=True),
                Category("outside", "hors quartier prioritaire"),
            ),
        ).with_unknown(),
        (CHILDREN,),
    ),
    Spec(
        "eligibility",
        "Enfants suivis selon l’éligibilité à l’entrée",
        "Quartier prioritaire et éducation prioritaire, tous deux à la date d’entrée et figés ; ce tableau ne se "
        "compare pas à celui de l’école au jour de référence.",
        FOLLOWED,
        Variable(
            "eligibility",
            "Éligibilité",
            (
                Category("qpv_only", "quartier prioritaire seulement"),
                Category("rep_only", "éducation prioritaire seulement"),
                Category("both", "les deux"),
                Category("neither", "aucun des deux"),
            ),
        ).with_unknown(),
        (CHILDREN,),
    ),
)


# Tables whose cells exclude one another: no lycéen of six, no eligibility by an address outside the neighbourhoods.
TIED = {
    "tie_identity": ("sex", "age", "age_sex", "level", "level_rollup"),
    "tie_eligibility": ("school_status", "residence", "eligibility"),
}

SUPPORT = "tie_support"  # nobody's support is known whose class is not


def children(population: Population) -> list[Figures]:
    """One table per variable, every child once in each; and what ties them: age and class, homes and schools."""
    rollup = _rollup()
    specs = [*FIXED[:3], *_level_specs(population), *FIXED[3:]]
    tallies = [Tally(spec, population.extent) for spec in specs]
    tied = {code: Tally(tie(code), population.extent) for code in (*TIED, SUPPORT)}
    for child in population.children.values():
        cells = {}
        for tally in tallies:
            categories = _categories(tally.spec.code, child, rollup)
            tally.add(child.team_id, *categories)
            cells[tally.spec.code] = ":".join((tally.spec.code, *categories))
        for code, tables in TIED.items():
            tied[code].add(child.team_id, signature(*(cells[table] for table in tables)))
        known = f"level:{UNKNOWN if child.level == UNKNOWN else TOTAL}"
        tied[SUPPORT].add(child.team_id, signature(cells["support"], known))
    return [tally.figures() for tally in (*tallies, *tied.values())]


def _level_specs(population: Population) -> list[Spec]:
    period = population.period
    definition = (
        "Classe confirmée au jour de référence (juillet et août appartiennent à l’année commencée en septembre), sinon "
        "dernière classe confirmée de la période."
    )
    level = term_variable("level", "Classe", Nomenclature.LEVEL, period, depth="leaves").with_unknown()
    rollup = term_variable("level_rollup", "Niveau", Nomenclature.LEVEL, period, depth="top").with_unknown()
    return [
        Spec("level_rollup", "Enfants suivis par niveau", definition, FOLLOWED, rollup, (CHILDREN,)),
        Spec("level", "Enfants suivis par classe", definition, FOLLOWED, level, (CHILDREN,)),
    ]


def _rollup() -> dict[str, str]:
    """The level that each class belongs to."""
    rows = Term.objects.of(Nomenclature.LEVEL).values_list("code", "parent__code")
    return {code: parent or code for code, parent in rows} | {UNKNOWN: UNKNOWN}


def _categories(table: str, child: FollowedChild, rollup: dict[str, str]) -> tuple[str, ...]:
    if table == "age":
        return (child.age_band,)
    if table == "age_sex":
        return child.age_band, child.sex
    if table == "level_rollup":
        return (rollup[child.level],)
    return (getattr(child, table),)
