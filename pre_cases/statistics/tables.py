"""What a table of figures is made of, and how its cells are counted, zeros and totals included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import fmean, median

from django.db import models

from audit.disclosure.cells import TOTAL, Cell, Subject
from partners.models import Nomenclature, Term
from pre_cases.statistics.extent import Extent
from pre_cases.statistics.period import Period

UNKNOWN = "nr"


@dataclass(frozen=True)
class Category:
    """``only_if_counted``: left out of the table while nobody stands in it."""

    code: str
    label: str
    only_if_counted: bool = False


NOT_FILLED_IN = Category(UNKNOWN, "non renseigné")


@dataclass(frozen=True)
class Variable:
    code: str
    label: str
    categories: tuple[Category, ...]

    def with_unknown(self) -> Variable:
        return replace(self, categories=(*self.categories, NOT_FILLED_IN))


@dataclass(frozen=True)
class Measure:
    """A count, or a figure derived from the count named by ``base``."""

    code: str
    label: str
    base: str = ""


CHILDREN = Measure("children", "enfants")
PARCOURS = Measure("parcours", "parcours")
SAISINES = Measure("saisines", "saisines")
OBJECTIVES = Measure("objectives", "objectifs")
UNITS = Measure("units", "unités")
SHARE = Measure("percent", "% des enfants renseignés", base="children")


@dataclass(frozen=True)
class Spec:
    """A table before it is counted. ``base`` says, in French, what its total holds.

    ``adds_up``: its categories are apart and its total is their sum; otherwise the total is counted by itself.
    """

    code: str
    title: str
    definition: str
    base: str
    variable: Variable
    measures: tuple[Measure, ...]
    variable_2: Variable | None = None
    subject: Subject = Subject.PERSONS
    adds_up: bool = True
    is_tie: bool = False


def tie(code: str) -> Spec:
    """What ties tables together, never published: how many, in each team, stand in the same cells of several tables.

    Its categories are signatures (``signature``), whichever are met.
    """
    return Spec(code, "", "", "", Variable("cells", "Cases", ()), (UNITS,), adds_up=False, is_tie=True)


def signature(*cells: str) -> str:
    """The cells in which one child (or fact) stands at once.

    Each is ``table:category``, with ``:category_2`` and ``:measure`` where they are needed, and ``@place`` when it
    stands there in one place only. The totals of a table that adds up go without saying.
    """
    return "|".join(sorted(set(cells)))


@dataclass(frozen=True)
class Figures:
    """A counted table: its description and its cells."""

    spec: Spec
    cells: tuple[Cell, ...]

    def value(self, geography: str, category: str = TOTAL, category_2: str = "", measure: str = "") -> int | Decimal:
        """One figure; raises KeyError when the table does not hold it."""
        wanted = (geography, category, category_2, measure or self.spec.measures[0].code)
        for cell in self.cells:
            if cell.key == wanted:
                return cell.value
        raise KeyError(wanted)


Place = tuple[str, str, str, str]  # geography, category, category_2, measure


class Tally:
    """Counts the cells of one table: ``add`` by team, ``put`` at a geography, then ``figures()``."""

    def __init__(self, spec: Spec, extent: Extent) -> None:
        self.spec = spec
        self.extent = extent
        self.counts: Counter[Place] = Counter()
        self.derived: dict[Place, Decimal] = {}

    def add(self, team_id: int, category: str, category_2: str = "", *, measure: str = "", number: int = 1) -> None:
        """Count at every geography of a team; a team outside the extent counts nowhere."""
        for geography in self.extent.by_team.get(team_id, ()):
            self.put(geography, category, category_2, measure=measure, number=number)

    def put(
        self, geography: str, category: str, category_2: str = "", *, measure: str = "", number: int | Decimal = 1
    ) -> None:
        self.counts[geography, category, category_2, measure or self.spec.measures[0].code] += number  # type: ignore[assignment]

    def derive(self, geography: str, category: str, measure: str, value: float) -> None:
        """A mean, a median or a share, rounded to one decimal."""
        self.derived[geography, category, "", measure] = Decimal(value).quantize(Decimal("0.1"))

    def derive_days(self, days: dict[str, list[int]], mean: str = "mean_days", middle: str = "median_days") -> None:
        """Mean and median of the days gathered by geography, beside the total."""
        for geography, values in days.items():
            if values:
                self.derive(geography, TOTAL, mean, fmean(values))
                self.derive(geography, TOTAL, middle, median(values))

    def derive_shares(self) -> None:
        """Share of each value among the children with a value recorded; the total itself has none."""
        for (geography, category, category_2, measure), count in list(self.counts.items()):
            base = self.counts[geography, TOTAL, "", CHILDREN.code]
            if measure == CHILDREN.code and category not in (TOTAL, UNKNOWN) and not category_2 and base:
                self.derive(geography, category, SHARE.code, 100 * count / base)

    def figures(self) -> Figures:
        if self.spec.adds_up:
            self._add_totals()
        return self.as_counted()

    def as_counted(self) -> Figures:
        """The table of what was put there, its totals included."""
        if self.spec.is_tie:
            return self._as_met()
        cells = [
            self._cell(geography, category, category_2, measure)
            for geography in self.extent.codes
            for category in self._categories(self.spec.variable, 1)
            for category_2 in self._categories(self.spec.variable_2, 2)
            for measure in self.spec.measures
        ]
        return Figures(self.spec, tuple(cell for cell in cells if cell is not None))

    def _as_met(self) -> Figures:
        """A tie: the signatures met, and how many stand in them altogether, which says that it was counted."""
        units, variable = self.spec.measures[0].code, self.spec.variable.code
        met = {place: number for place, number in self.counts.items() if number and place[1] != TOTAL}
        for geography in self.extent.codes:
            met[geography, TOTAL, "", units] = sum(number for place, number in met.items() if place[0] == geography)
        cells = (Cell(self.spec.code, g, variable, category, "", "", units, met[g, category, second, units])
                 for g, category, second, _ in sorted(met))  # fmt: skip
        return Figures(self.spec, tuple(cells))

    def _add_totals(self) -> None:
        for (geography, category, category_2, measure), number in list(self.counts.items()):
            self.counts[geography, TOTAL, category_2, measure] += number
            if self.spec.variable_2 is not None:
                self.counts[geography, category, TOTAL, measure] += number
                self.counts[geography, TOTAL, TOTAL, measure] += number

    def _categories(self, variable: Variable | None, position: int) -> list[str]:
        if variable is None:
            return [""]
        counted = {place[position] for place, number in self.counts.items() if number}
        unlisted = counted - {TOTAL} - {c.code for c in variable.categories}
        if unlisted:  # counted in the total and shown nowhere: the table would lie
            raise ValueError(f"Table {self.spec.code}: {variable.code} has no category {min(unlisted)}.")
        return [TOTAL, *(c.code for c in variable.categories if not c.only_if_counted or c.code in counted)]

    def _cell(self, geography: str, category: str, category_2: str, measure: Measure) -> Cell | None:
        place = (geography, category, category_2, measure.code)
        value = self.derived.get(place) if measure.base else self.counts[place]
        if value is None:
            return None
        second = self.spec.variable_2.code if self.spec.variable_2 else ""
        return Cell(
            self.spec.code, geography, self.spec.variable.code, category, second, category_2, measure.code, value,
            measure.base,
        )  # fmt: skip


# -- variables ------------------------------------------------------------------------------------------------------


def choices_variable(code: str, label: str, choices: type[models.TextChoices], *, rare: Sequence[str] = ()) -> Variable:
    """The values of an enumeration; those in ``rare`` appear only when counted."""
    return Variable(code, label, tuple(Category(c.value, str(c.label), c.value in rare) for c in choices))


def term_variable(code: str, label: str, nomenclature: Nomenclature, period: Period, *, depth: str = "all") -> Variable:
    """The words of a list, in its order; those that were not valid in the period appear only when counted.

    ``depth``: ``top`` for the headings alone, ``leaves`` hides uncounted headings, ``all`` keeps everything.
    """
    terms: Iterable[Term] = Term.objects.of(nomenclature)
    categories = []
    for term in terms:
        if depth == "top" and term.parent_id:
            continue
        valid = term.valid_from <= period.ends_on and (term.valid_to is None or term.valid_to > period.starts_on)
        heading = depth == "leaves" and term.parent_id is None
        categories.append(Category(term.code, term.label, only_if_counted=heading or not valid))
    return Variable(code, label, tuple(categories))


def term_code(term_id: str) -> str:
    """The code inside a term's id, ``level:cp``: no join is needed to read it."""
    return term_id.partition(":")[2]
