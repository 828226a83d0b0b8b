"""One line of a directory, read into what it says of one school; what its edition does not say stays unsaid."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from partners.directory.values import (
    ANNOUNCED,
    CLOSED,
    UnreadableValue,
    departement_of,
    read_commune_code,
    read_date,
    read_departement,
    read_nature,
    read_postcode,
    read_priority,
    read_sector,
    read_state,
    read_text,
    read_uai,
)
from partners.models.school import Nature, PriorityStatus, School, paris_arrondissement

TEXTS = [field for field in School._meta.fields if field.name in ("name", "address", "city")]
FURTHEST_AHEAD = timedelta(days=366)  # a later date is a slip of the keyboard, and would hide every later edition


@dataclass(slots=True)
class DirectoryLine:
    """What a line says. ``attributes`` holds only the fields of School that this edition has a column for."""

    number: int
    uai: str
    departement: str
    attributes: dict[str, Any] = field(default_factory=dict)
    is_closed: bool | None = None  # None: this edition does not say
    closed_on: date | None = None
    nature: Nature | None = None
    says_priority: bool = False
    priority: PriorityStatus | None = None
    updated_on: date | None = None


class Cells:
    """The cells of one line by field name; a column that the edition lacks reads as empty."""

    def __init__(self, cells: list[str], columns: dict[str, int]) -> None:
        self.cells, self.columns = cells, columns

    def __getitem__(self, name: str) -> str:
        return self.cells[self.columns[name]] if name in self.columns else ""

    def __contains__(self, name: str) -> bool:
        return name in self.columns


def departement_said(cells: list[str], columns: dict[str, int]) -> str:
    """The département of a line, read before anything else so that a filter sets the other ones aside."""
    row = Cells(cells, columns)
    return read_departement(row["departement"]) or departement_of(read_uai(row["uai"]))


def read_line(number: int, cells: list[str], columns: dict[str, int]) -> DirectoryLine:
    """Read one line; ``UnreadableValue`` tells why it must be refused."""
    row = Cells(cells, columns)
    uai = read_uai(row["uai"])
    line = DirectoryLine(number, uai, read_departement(row["departement"]) or departement_of(uai))
    line.attributes = read_attributes(row) | {"departement": line.departement}
    read_opening(row, line)
    line.nature = read_nature(row["nature"], row["nature_label"])
    line.says_priority = "priority" in row
    line.priority = read_priority(row["priority"])
    line.updated_on = read_date(row["updated_on"])
    if line.updated_on and line.updated_on > timezone.localdate() + FURTHEST_AHEAD:
        raise UnreadableValue(f"date de mise à jour dans l’avenir\u00a0: {line.updated_on:%d/%m/%Y}")
    return line


def read_attributes(row: Cells) -> dict[str, Any]:
    said: dict[str, Any] = {"name": read_text(row["name"])}
    if not said["name"]:
        raise UnreadableValue("nom absent")
    if "city" in row:
        said["city"] = read_text(row["city"])
    if "sector" in row:
        said["sector"] = read_sector(row["sector"])
    if "address" in row:
        said["address"] = ", ".join(filter(None, (read_text(row["address"]), read_text(row["address_more"]))))
    if "postcode" in row:
        said["postcode"] = read_postcode(row["postcode"])
    if "postcode" in row or "commune_code" in row:
        said["arrondissement_id"] = paris_arrondissement(
            commune_code=read_commune_code(row["commune_code"]), postcode=said.get("postcode", "")
        )
    for text in TEXTS:
        if text.max_length and len(said.get(text.name, "")) > text.max_length:
            raise UnreadableValue(f"{text.verbose_name} de plus de {text.max_length} caractères")
    return said


def read_opening(row: Cells, line: DirectoryLine) -> None:
    """Opening, closing and what is announced. A school is closed when the file says so, never because it is absent."""
    if "opened_on" in row:
        line.attributes["opened_on"] = read_date(row["opened_on"])
    line.closed_on = read_date(row["closed_on"])
    if "state" in row:
        state = read_state(row["state"])
        line.attributes["announced"] = ANNOUNCED.get(state, "")
        line.is_closed = state == CLOSED
    elif "closed_on" in row:
        line.is_closed = line.closed_on is not None
    opened_on = line.attributes.get("opened_on")
    if line.is_closed and line.closed_on and opened_on and line.closed_on < opened_on:
        raise UnreadableValue("fermeture antérieure à l’ouverture")
