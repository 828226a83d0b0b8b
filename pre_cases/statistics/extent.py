"""Whose figures: the programme by arrondissement, or one team; and who may read which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from referents.models import Role, Team, User

PARIS = "paris"


@dataclass(frozen=True)
class Geography:
    """A place of the figures; ``parent`` is the code of the place that contains it, empty for the widest."""

    code: str
    label: str
    parent: str = ""


@dataclass(frozen=True)
class Extent:
    """The places of a set of figures, the widest first, and where the children of each team are counted."""

    geographies: tuple[Geography, ...]
    by_team: Mapping[int, tuple[str, ...]]
    team_id: int | None = None

    @property
    def top(self) -> str:
        return self.geographies[0].code

    @property
    def reaches_teams(self) -> bool:
        """From the programme down to each team: where figures are protected from, and frozen at."""
        return self.team_id is None and any(code.startswith("team:") for code in self.codes)

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(geography.code for geography in self.geographies)


def programme_extent() -> Extent:
    """Paris and the arrondissements that have a team; never a team."""
    teams = list(Team.objects.select_related("arrondissement").order_by("arrondissement_id", "pk"))
    places = {
        team.arrondissement_id: Geography(
            f"arrondissement:{team.arrondissement_id}", f"{team.arrondissement.label} arrondissement", PARIS
        )
        for team in teams
    }
    return Extent(
        (Geography(PARIS, "Paris"), *places.values()),
        {team.pk: (PARIS, places[team.arrondissement_id].code) for team in teams},
    )


def whole_extent() -> Extent:
    """Paris, the arrondissements and the teams at once: what a year is frozen at."""
    programme = programme_extent()
    teams = {team.pk: team_extent(team).geographies[0] for team in Team.objects.order_by("pk")}
    return Extent(
        (*programme.geographies, *teams.values()),
        {pk: (*places, teams[pk].code) for pk, places in programme.by_team.items()},
    )


def team_extent(team: Team) -> Extent:
    """One team alone, for its coordination."""
    code = f"team:{team.code}"
    return Extent((Geography(code, team.name),), {team.pk: (code,)}, team.pk)


def reaches_programme(user: User) -> bool:
    """The programme's protected figures belong to the pilotage alone."""
    return user.standing.is_active and user.standing.holds(Role.PILOTAGE)
