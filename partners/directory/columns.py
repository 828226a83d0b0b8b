"""Which column of a directory says what: the editions name them differently, the order does not matter.

Names are compared without accents, case or punctuation: ``Code_postal``, ``Code postal`` and ``CODE POSTAL`` are one.
"""

from referents.text import normalised

ALIASES: dict[str, tuple[str, ...]] = {
    "uai": (
        "identifiant de l etablissement",
        "identifiant etablissement",
        "code etablissement",
        "numero uai",
        "code uai",
        "uai",
        "numero rne",
        "code rne",
        "rne",
    ),
    "name": ("nom etablissement", "nom de l etablissement", "appellation officielle", "denomination"),
    "nature": ("code nature", "nature uai", "code nature uai", "code nature de l uai"),
    "nature_label": ("libelle nature", "nature uai libe", "nature", "nature etablissement"),
    "sector": ("statut public prive", "secteur public prive", "secteur public prive libe", "secteur"),
    "address": ("adresse 1", "adresse", "adresse uai"),
    "address_more": ("adresse 2", "lieu dit", "lieu dit uai"),
    "postcode": ("code postal", "code postal uai", "cp"),
    "commune_code": (
        "code commune",
        "code insee",
        "code commune insee",
        "code insee commune",
        "code insee de la commune",
    ),
    "city": ("nom commune", "nom de la commune", "commune", "libelle commune"),
    "departement": ("code departement", "code du departement"),
    "priority": ("appartenance education prioritaire", "education prioritaire"),
    "state": ("etat", "etat etablissement", "etat etablissement libe", "code etat etablissement"),
    "opened_on": ("date ouverture", "date d ouverture"),
    "closed_on": ("date fermeture", "date de fermeture"),
    "updated_on": (
        "date maj ligne",
        "date maj",
        "date mise a jour",
        "date de mise a jour",
        "date de derniere mise a jour",
    ),
}
FIELD_OF = {alias: field for field, aliases in ALIASES.items() for alias in aliases}
REQUIRED = (  # a file that says less of a school is not a directory
    ("le numéro UAI", {"uai"}),
    ("le nom de l’établissement", {"name"}),
    ("la nature de l’établissement", {"nature", "nature_label"}),
    ("la commune", {"city", "postcode"}),
)


def find_columns(header: list[str]) -> dict[str, int]:
    """Position of each known field in a header; where two columns say the same thing, the first one counts."""
    columns: dict[str, int] = {}
    for position, title in enumerate(header):
        field = FIELD_OF.get(normalised(title))
        if field:
            columns.setdefault(field, position)
    return columns


def missing_columns(columns: dict[str, int]) -> list[str]:
    """What a file must say of a school before we believe that it is a directory, as the screen names it."""
    return [label for label, fields in REQUIRED if fields.isdisjoint(columns)]
