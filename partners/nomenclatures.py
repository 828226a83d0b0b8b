"""The lists that come with the programme and serve schools and projects; loaded after every migration."""

from partners.models.nomenclature import Nomenclature, load_terms

DOMAINS = [
    ("educatif", "Éducatif", ""),
    ("periscolaire", "Périscolaire", ""),
    ("culturel", "Culturel", ""),
    ("social", "Social", ""),
    ("sanitaire", "Sanitaire", ""),
]
PRIORITIES = [
    ("decrochage", "Prévention du décrochage scolaire", ""),
    ("sante", "Santé et bien-être", ""),
    ("parents", "Parents coéducateurs", ""),
]
# A level without a parent is a roll-up; « other » gathers what belongs to none of the four cycles.
LEVELS = [
    ("maternelle", "Maternelle", ""),
    ("tps", "Toute petite section", "maternelle"),
    ("ps", "Petite section", "maternelle"),
    ("ms", "Moyenne section", "maternelle"),
    ("gs", "Grande section", "maternelle"),
    ("elementaire", "Élémentaire", ""),
    ("cp", "CP", "elementaire"),
    ("ce1", "CE1", "elementaire"),
    ("ce2", "CE2", "elementaire"),
    ("cm1", "CM1", "elementaire"),
    ("cm2", "CM2", "elementaire"),
    ("college", "Collège", ""),
    ("6e", "6e", "college"),
    ("5e", "5e", "college"),
    ("4e", "4e", "college"),
    ("3e", "3e", "college"),
    ("lycee", "Lycée", ""),
    ("2de", "2de", "lycee"),
    ("1re", "1re", "lycee"),
    ("terminale", "Terminale", "lycee"),
    ("cap", "CAP", "lycee"),
    ("autre", "Autre", ""),
    ("segpa", "SEGPA", "college"),
    ("non-scolarise", "Non scolarisé", "autre"),
]


def load() -> None:
    load_terms(Nomenclature.DOMAIN, DOMAINS)
    load_terms(Nomenclature.PRIORITY, PRIORITIES)
    load_terms(Nomenclature.LEVEL, LEVELS)
