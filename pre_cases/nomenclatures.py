"""The lists of the case files: who asks, signs of fragility, reasons of exit; loaded after every migration."""

from partners.models.nomenclature import Nomenclature, load_terms

SOURCES = [
    ("ecole-maternelle", "École maternelle", ""),
    ("ecole-elementaire", "École élémentaire", ""),
    ("college", "Collège", ""),
    ("lycee", "Lycée", ""),
    ("service-social-scolaire", "Service social scolaire", ""),
    ("rased", "Psychologue scolaire ou RASED", ""),
    ("sante-scolaire", "Santé scolaire", ""),
    ("pmi", "PMI", ""),
    ("cmp", "CMP ou CMPP", ""),
    ("service-social", "Service social de secteur", ""),
    ("ase", "ASE", ""),
    ("pjj", "PJJ", ""),
    ("prevention", "Prévention spécialisée", ""),
    ("association", "Association", ""),
    ("centre-social", "Centre social", ""),
    ("ville", "Services de la Ville", ""),
    ("caf", "CAF", ""),
    ("famille", "La famille", ""),
    ("jeune", "Le jeune", ""),
    ("autre-pre", "Un autre PRE", ""),
    ("autre", "Autre", ""),
]
SIGNS = [
    ("scolarite", "Scolarité", ""),
    ("resultats", "Insuffisance des résultats scolaires", "scolarite"),
    ("absences", "Absences ou retards répétés", "scolarite"),
    ("decrochage", "Risque de décrochage", "scolarite"),
    ("comportement", "Comportement", ""),
    ("conflits", "Conflits avec les pairs ou les adultes", "comportement"),
    ("repli", "Repli, inhibition", "comportement"),
    ("sante", "Santé et bien-être", ""),
    ("acces-soins", "Accès aux soins", "sante"),
    ("sommeil", "Fatigue, rythme de vie", "sante"),
    ("ouverture", "Manque d’ouverture sur l’extérieur", ""),
    ("isolement", "Isolement social", "ouverture"),
    ("loisirs", "Pas d’activité hors de l’école", "ouverture"),
    ("famille", "Situation familiale", ""),
    ("logement", "Conditions de logement", "famille"),
    ("parentalite", "Parents en difficulté dans leur rôle", "famille"),
]
EXIT_REASONS = [
    ("objectifs-atteints", "Objectifs atteints", ""),
    ("droit-commun", "Relais vers le droit commun", ""),
    ("suivi-specialise", "Suivi spécialisé", ""),
    ("demenagement", "Déménagement", ""),
    ("limite-age", "Limite d’âge", ""),
    ("souhait-famille", "Souhait de la famille", ""),
    ("jamais-commence", "Jamais commencé", ""),
    ("contact-perdu", "Contact perdu", ""),
    ("sans-entree", "Sans entrée en parcours", ""),
    ("autre", "Autre", ""),
]


def load() -> None:
    load_terms(Nomenclature.SOURCE, SOURCES)
    load_terms(Nomenclature.SIGN, SIGNS)
    load_terms(Nomenclature.EXIT_REASON, EXIT_REASONS)
