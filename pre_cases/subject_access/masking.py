"""Words that must not leave, or that somebody must read first: found whatever their case and accents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MASKED = "[masqué]"
CONFIDENTIAL = "[adresse confidentielle]"


def folded(text: str) -> str:
    """The same text, character for character, without case or accents."""
    return "".join((unicodedata.normalize("NFD", character)[0].lower() or character)[0] for character in text)


def _pattern(expression: str) -> re.Pattern[str] | None:
    """An expression as it may be written in a text: its words, whatever stands between them."""
    words = re.findall(r"\w+", folded(unicodedata.normalize("NFC", expression)))
    return re.compile(r"(?<!\w)" + r"[\W_]+".join(map(re.escape, words)) + r"(?!\w)") if words else None


def found_in(text: str, expressions: Iterable[str]) -> list[str]:
    """Those of the expressions that the text holds, as whole words."""
    plain = folded(unicodedata.normalize("NFC", text))
    return [expression for expression in expressions if (pattern := _pattern(expression)) and pattern.search(plain)]


def without(text: str, expressions: Iterable[str], *, replaced_by: str = MASKED) -> str:
    """The text, every occurrence of these expressions replaced."""
    text = unicodedata.normalize("NFC", text)  # where an accent stands alone, a name would not be one word
    for expression in expressions:
        pattern = _pattern(expression)
        if pattern is None:
            continue
        spans = [match.span() for match in pattern.finditer(folded(text))]
        for start, end in reversed(spans):
            text = text[:start] + replaced_by + text[end:]
    return text
