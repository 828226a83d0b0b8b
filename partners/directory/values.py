"""Values of a directory as people and spreadsheets leave them, read back to what they meant.

Every reader takes the text of one cell, returns "" or None when nothing was typed, and raises ``UnreadableValue``
(a French reason) rather than guess.
"""

import re
import unicodedata
from datetime import date, timedelta

from django.core.exceptions import ValidationError

from partners.models.school import Announced, Nature, PriorityStatus, Sector, validate_uai
from referents.text import normalised

NOTHING_TYPED = {"", "-", "nan", "null", "none", "n/a", "#n/a"}
NOTHING_OF_A_NUMBER = re.compile(r"[.,]0*$")  # a spreadsheet writes 94260.0, or 94260,0
SPREADSHEET_EPOCH = date(1899, 12, 30)
DATE_SHAPES = (
    re.compile(r"(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})"),
    re.compile(r"(?P<day>[0-9]{1,2})[-/.](?P<month>[0-9]{1,2})[-/.](?P<year>[0-9]{4})"),
    re.compile(r"(?P<year>[12][0-9]{3})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"),
)
TIME_OF_DAY = re.compile(r"[T ][0-9]{1,2}[:h].*$")

NATURES = {
    **dict.fromkeys(("101", "102", "103"), Nature.MATERNELLE),
    **dict.fromkeys(("151", "152", "153"), Nature.ELEMENTAIRE),
    **dict.fromkeys(("340", "346", "350"), Nature.COLLEGE),
    **dict.fromkeys(("300", "301", "302", "306", "307", "310", "315", "320", "334", "335"), Nature.LYCEE),
    **dict.fromkeys(
        # maternelle, élémentaire, collège and lycée of special education, plein air, EREA, SEGPA, réinsertion
        ("111", "160", "161", "162", "169", "312", "332", "349", "352", "370", "390"),
        Nature.SPECIALISED,
    ),
}
NATURE_WORDS = (  # of the ministry's labels, first match wins
    (
        r"specialis|adapte|plein air|perfectionnement|premier degre|reinsertion|medico|institut|^ies |handicap",
        Nature.SPECIALISED,
    ),
    (r"^ecole maternelle", Nature.MATERNELLE),
    (r"^ecole (?:de niveau )?(?:elementaire|primaire|polyvalente)", Nature.ELEMENTAIRE),
    (r"^college", Nature.COLLEGE),
    (r"^lycee|^section d enseignement professionnel|^section enseigt general", Nature.LYCEE),
)
PRIORITIES = {
    "rep": PriorityStatus.REP,
    "rep plus": PriorityStatus.REP_PLUS,
    "zep": PriorityStatus.ZEP,
    "rar": PriorityStatus.RAR,
    "eclair": PriorityStatus.ECLAIR,
    "rrs": PriorityStatus.RRS,
}
NO_PRIORITY = {"", "0", "non", "hors ep", "hep", "hors education prioritaire", "sans objet", "hors rep"}
OPEN, TO_CLOSE, TO_OPEN, CLOSED = "open", "to_close", "to_open", "closed"
STATES = {
    **dict.fromkeys(("", "1", "ouvert", "ouverte"), OPEN),
    **dict.fromkeys(("2", "a fermer"), TO_CLOSE),
    **dict.fromkeys(("3", "a ouvrir"), TO_OPEN),
    **dict.fromkeys(("4", "ferme", "fermee"), CLOSED),
}
ANNOUNCED = {TO_CLOSE: Announced.CLOSING, TO_OPEN: Announced.OPENING}


class UnreadableValue(ValueError):
    """A cell that cannot be read; the message is the reason, in French."""


def unreadable(what: str, text: str) -> UnreadableValue:
    return UnreadableValue(f"{what} illisible\u00a0: «\u00a0{text[:40]}\u00a0»")


def read_text(cell: str) -> str:
    """The words of a cell, composed accents, single spaces, without control characters."""
    printable = "".join(" " if unicodedata.category(sign) in ("Cc", "Cs") else sign for sign in cell)
    text = " ".join(unicodedata.normalize("NFC", printable).split())
    return "" if text.casefold() in NOTHING_TYPED else text


def read_number(cell: str) -> str:
    """The digits of a code that a spreadsheet may have taken for a quantity: « 94 260,0 » is 94260."""
    return NOTHING_OF_A_NUMBER.sub("", read_text(cell).replace(" ", ""))


def spelled_uai(cell: str) -> str:
    """An UAI in capitals, its lost first zero put back (the letter tells whether rightly); not checked."""
    uai = read_text(cell).replace(" ", "").upper()
    return f"0{uai}" if re.fullmatch(r"[0-9]{6}[A-Z]", uai) else uai


def read_uai(cell: str) -> str:
    uai = spelled_uai(cell)
    try:
        validate_uai(uai)
    except ValidationError as error:
        raise UnreadableValue(f"numéro UAI «\u00a0{uai[:20]}\u00a0»\u00a0: {error.messages[0]}") from error
    return uai


def read_postcode(cell: str) -> str:
    digits = read_number(cell)
    if not digits:
        return ""
    if not re.fullmatch(r"[0-9]{4,5}", digits):
        raise unreadable("code postal", cell)
    return digits.zfill(5)


def read_commune_code(cell: str) -> str:
    """The INSEE code on five characters; only used to find an arrondissement of Paris, so never a reason to refuse."""
    code = read_number(cell).upper()
    return code.zfill(5) if re.fullmatch(r"[0-9AB]{4,5}", code) else ""


def read_departement(cell: str) -> str:
    """Three characters, as the directory writes them: 075, 02A, 971."""
    code = read_number(cell).upper()
    if not code:
        return ""
    if not re.fullmatch(r"[0-9]{1,3}|0?2[AB]", code):
        raise unreadable("code du département", cell)
    return code.zfill(3)


def departement_of(uai: str) -> str:
    """The département that an UAI begins with; Corsica's are numbered 620 and 720."""
    return {"620": "02A", "720": "02B"}.get(uai[:3], f"0{uai[:2]}" if uai[1] in "AB" else uai[:3])


def read_date(cell: str) -> date | None:
    """A day written in French, ISO (with or without a time), compact, or as a spreadsheet's day number."""
    text = TIME_OF_DAY.sub("", read_text(cell)).strip()
    if not text:
        return None
    for shape in DATE_SHAPES:
        found = shape.fullmatch(text)
        if found:
            try:
                return date(int(found["year"]), int(found["month"]), int(found["day"]))
            except ValueError as error:
                raise unreadable("date", cell) from error
    serial = NOTHING_OF_A_NUMBER.sub("", text)
    if re.fullmatch(r"[0-9]{1,5}", serial) and int(serial) > 0:
        return SPREADSHEET_EPOCH + timedelta(days=int(serial))
    raise unreadable("date", cell)


def read_state(cell: str) -> str:
    state = STATES.get(normalised(NOTHING_OF_A_NUMBER.sub("", read_text(cell))))
    if state is None:
        raise unreadable("état", cell)
    return state


def read_sector(cell: str) -> str:
    """Public or private; empty when the directory says something else (it does, for services that are not schools)."""
    word = normalised(cell)
    if word in ("public", "pu"):
        return Sector.PUBLIC
    return Sector.PRIVATE if word == "pr" or word.startswith("prive") else ""


def read_nature(cell: str, label: str = "") -> Nature | None:
    """From the ministry's code of nature, else from its label; never from the levels taught. None: neither is given."""
    code = read_number(cell)
    if not code:
        return nature_named(normalised(read_text(label)))
    if not re.fullmatch(r"[0-9]{3}", code):
        raise unreadable("code nature", cell)
    if code.startswith("5"):
        return Nature.SPECIALISED  # médico-social: IME, ITEP, IEM…
    return NATURES.get(code, Nature.OTHER)


def nature_named(label: str) -> Nature | None:
    if not label:
        return None
    return next((nature for words, nature in NATURE_WORDS if re.search(words, label)), Nature.OTHER)


def read_priority(cell: str) -> PriorityStatus | None:
    """The label of éducation prioritaire; None when the school has none."""
    label = normalised(read_text(cell).replace("+", " plus"))
    if label in NO_PRIORITY:
        return None
    if label not in PRIORITIES:
        raise unreadable("éducation prioritaire", cell)
    return PRIORITIES[label]
