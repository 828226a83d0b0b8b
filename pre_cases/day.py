"""What waits for a person: each figure with the list it opens, counted by the very queryset of that list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from pre_cases.counts import counts_of
from pre_cases.models import AccessRequest, FollowUp, HandOver, Parcours, Saisine, SaisineStage
from pre_cases.querysets.parcours import ParcoursFlag
from referents.models import Role, Team, User

OWN_FLAGS = (ParcoursFlag.LATE, ParcoursFlag.SILENT, ParcoursFlag.INCOMPLETE)
TEAM_FLAGS = (
    ParcoursFlag.NO_REFERENT,
    ParcoursFlag.UNOPENED,
    ParcoursFlag.TO_CLOSE,
    ParcoursFlag.LATE,
    ParcoursFlag.REVIEW_DUE,
    ParcoursFlag.SILENT,
    ParcoursFlag.INCOMPLETE,
)


URGENT, UNANSWERED = "urgentes", "sans-reponse"  # filters, in the address of the list that a tile opens


@dataclass(frozen=True)
class Figure:
    """One queryset to count, and the page that lists its rows."""

    label: str
    rows: QuerySet[Any]
    url: str


@dataclass(frozen=True)
class Tile:
    label: str
    count: int
    url: str


def tiles_of(person: User, *groups: Sequence[Figure]) -> list[list[Tile]]:
    """The tiles of several groups of figures, in one query."""
    rows = {f"n{g}_{f}": figure.rows for g, group in enumerate(groups) for f, figure in enumerate(group)}
    counts = counts_of(person, rows)
    return [
        [Tile(figure.label, counts[f"n{g}_{f}"], figure.url) for f, figure in enumerate(group)]
        for g, group in enumerate(groups)
    ]


def waiting_for(person: User) -> list[Figure]:
    """What others expect from a référent, or what the référent expects from a family."""
    accesses = reverse("pre_cases:my_accesses")
    return [
        Figure(
            "Accords de famille attendus",
            Saisine.objects.visible_to(person).awaiting_agreement(),
            f"{reverse('pre_cases:saisine_list')}?filtre={SaisineStage.AGREEMENT_AWAITED.value}",
        ),
        Figure(
            "Questions de la coordination", FollowUp.objects.answerable_by(person), reverse("pre_cases:my_questions")
        ),
        Figure("Relais proposés", HandOver.objects.answerable_by(person), f"{accesses}#hand-overs-title"),
        Figure("Demandes d’accès", AccessRequest.objects.answerable_by(person), f"{accesses}#requests-title"),
    ]


def own_figures(person: User) -> list[Figure]:
    """What to look after among the parcours that a référent follows."""
    mine, url = Parcours.objects.followed_by(person).open(), reverse("pre_cases:my_parcours")
    return [Figure(flag.label, mine.flagged(flag), f"{url}?filtre={flag.value}") for flag in OWN_FLAGS]


def team_figures(person: User, team: Team) -> list[Figure]:
    """What waits for the coordination of a team."""
    saisines, url = Saisine.objects.visible_to(person).in_team(team.pk), reverse("pre_cases:saisine_list")
    parcours, parcours_url = (
        Parcours.objects.in_team(team.pk).open(),
        reverse("pre_cases:team_parcours", args=[team.code]),
    )
    return [
        urgent_figure(person, team),
        Figure("Saisines en attente", saisines.waiting(), f"{url}?equipe={team.code}"),
        *(Figure(flag.label, parcours.flagged(flag), f"{parcours_url}?filtre={flag.value}") for flag in TEAM_FLAGS),
        question_figure(person, team),
    ]


def urgent_figure(person: User, team: Team) -> Figure:
    waiting = Saisine.objects.visible_to(person).in_team(team.pk).waiting().filter(is_urgent=True)
    url = f"{reverse('pre_cases:saisine_list')}?equipe={team.code}&filtre={URGENT}"
    return Figure("Saisines urgentes", waiting, url)


def question_figure(person: User, team: Team) -> Figure:
    """Questions asked on exchanges of the team, which have no answer yet."""
    asked = FollowUp.objects.overseen_by(person).waiting().filter(entry__parcours__team=team)
    url = f"{reverse('pre_cases:team_questions', args=[team.code])}?filtre={UNANSWERED}"
    return Figure("Questions sans réponse", asked, url)


def letter_of(person: User) -> list[tuple[str, list[Tile]]]:
    """The figures of the letter of Monday, role by role and team by team, without those that are nothing."""
    titles, groups = [], []
    if person.standing.holds(Role.REFERENT):
        titles.append("Vos parcours")
        groups.append([*waiting_for(person), *own_figures(person)])
    for team in person.standing.teams(Role.COORDINATOR):
        titles.append(f"Équipe {team.name}")
        groups.append(team_figures(person, team))
    if not groups:
        return []
    counted = zip(titles, tiles_of(person, *groups), strict=True)
    return [(title, found) for title, tiles in counted if (found := [tile for tile in tiles if tile.count])]
