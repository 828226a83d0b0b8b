"""How a clear-text name is compared: SQLite's ``icontains`` knows no accents, so we store a comparable column."""

import re
import unicodedata


def normalised(text: str) -> str:
    """Lower case, without accents, words apart by one space: « École  Saint-Éloi » gives ``ecole saint eloi``."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("æ", "ae"))
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(re.sub(r"[^0-9a-z]+", " ", bare).split())
