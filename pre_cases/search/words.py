"""What makes two names the same to a reader: accents, order, beginnings, spelling.

A child's ``search_words`` holds the names as they are compared, once for all: « ines:IN elhaddad:ELADA », each word
beside its sound. Sounds are those of phonetic-fr, a French phonetic code; what they leave apart (Lefèvre, Lefebvre) is
at a distance of one letter, measured by rapidfuzz.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from phonetic_fr import phonetic
from rapidfuzz import process
from rapidfuzz.distance import OSA

LONG_ENOUGH = 5  # letters: below, a distance of one letter makes another name
LONGEST_TYPED = 80
MOST_WORDS = 5
EXACT, BEGINNING, SOUND, SPELLING, OTHER = range(5)  # from the best match to none


SPELT = str.maketrans({"œ": "oe", "æ": "ae", "ł": "l", "đ": "d", "ø": "o", "ʼ": " "})


def plain(text: str) -> str:
    """Lower-case letters and digits without accents, other signs as single spaces: « N’Diaye » is « n diaye »."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(SPELT)
    letters = "".join(c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c))
    return " ".join(letters.split())


def sound(word: str) -> str:
    """The French phonetic code of a plain word, without the dots of its writing; the word itself when it has none."""
    return re.sub(r"[^A-Z0-9]", "", phonetic(word)) or word.upper()


def search_words(first_name: str, family_name: str, sound: Callable[[str], str] = sound) -> str:
    """The names as they are compared: every word, and each name in one word, with their sounds."""
    units: dict[str, None] = {}
    for name in (first_name, family_name):
        words = plain(name).split()
        units |= dict.fromkeys([*words, "".join(words)])
    return " ".join(f"{unit}:{sound(unit)}" for unit in units if unit)


class NameQuery:
    """What a person typed, ready to be compared with many ``search_words``; nothing of it outlives the request."""

    def __init__(self, typed: str) -> None:
        words = plain(typed[:LONGEST_TYPED]).split()[:MOST_WORDS]
        self._ways = list(_ways(words))

    def __bool__(self) -> bool:
        return bool(self._ways)

    def answers(self, names: Sequence[str]) -> dict[int, int]:
        """The places of the ``search_words`` that answer, each with its rank, EXACT (0) best."""
        units = [[unit for unit in name.split(" ") if ":" in unit] for name in names]
        every = set(chain.from_iterable(units))
        found: dict[int, int] = {}
        for way in self._ways:
            for place, rank in _answers(way, units, every).items():
                found[place] = min(rank, found.get(place, OTHER))
        return found

    def rank(self, names: str) -> int | None:
        """How well one child's ``search_words`` answer; None when they do not."""
        return self.answers([names]).get(0)


def _answers(way: list[str], units: list[list[str]], every: set[str]) -> dict[int, int]:
    """A word after the other, each among the names that have answered the words before."""
    reached = dict.fromkeys(range(len(units)), EXACT)
    among = every
    for number, word in enumerate(way):
        if number:
            among = set(chain.from_iterable(units[place] for place in reached))
        ranks = _ranks(word, among)
        known = ranks.keys()
        reached = {
            place: max(rank, min(ranks[unit] for unit in units[place] if unit in ranks))
            for place, rank in reached.items()
            if not known.isdisjoint(units[place])
        }
    return reached


def _ranks(word: str, units: set[str]) -> dict[str, int]:
    """Which units answer one word, and how well."""
    ranks: dict[str, int] = {}
    if len(word) >= LONG_ENOUGH:
        named = {unit: name for unit in units if len(name := unit[: unit.index(":")]) >= LONG_ENOUGH}
        near = process.extract(word, named, scorer=OSA.distance, score_cutoff=1, limit=None)
        ranks |= dict.fromkeys((unit for _, _, unit in near), SPELLING)
    if len(word) > 1:
        code = f":{sound(word)}"
        ranks |= dict.fromkeys((unit for unit in units if unit.endswith(code)), SOUND)
    beginning = [unit for unit in units if unit.startswith(word)]
    return ranks | {unit: EXACT if unit[len(word)] == ":" else BEGINNING for unit in beginning}


def _ways(words: list[str]) -> Iterator[list[str]]:
    """The words as typed, then with neighbours joined: « el haddad » is « elhaddad » too."""
    if not words:
        return
    for joints in range(2 ** (len(words) - 1)):
        way = [words[0]]
        for place, word in enumerate(words[1:]):
            if joints >> place & 1:
                way[-1] += word
            else:
                way.append(word)
        yield way
