"""Changing a project: what it offers stands with the partners, the places that children hold stand here."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from audit.journal.record import record_change
from audit.services import Refused, service
from partners.models import Organisation, Project, Term, TimeSlot
from partners.models.project import assignable_teams
from partners.services.projects import write_project
from pre_cases.models import Enrolment
from pre_cases.services.partnership import places_taken
from referents.models import Team, User


class PlacesAreHeld(Refused):
    """Children hold places that the change would take away."""


@service
def change_project(
    *,
    project: Project,
    organisation: Organisation,
    title: str,
    domain: Term,
    school_year: int,
    places: int,
    teams: Collection[Team],
    by: User,
    priority: Term | None = None,
    time_slot: TimeSlot = TimeSlot.AFTER_SCHOOL,
    requested: Decimal = Decimal(0),
    granted: Decimal = Decimal(0),
    spent: Decimal = Decimal(0),
) -> Project:
    """Replace what is said of a project; nothing is taken away from the children who hold a place in it."""
    current = Project.objects.select_for_update(of=("self",)).get(pk=project.pk)
    _keep_places(current, school_year=school_year, places=places, team_ids={team.pk for team in teams})
    values = {
        "organisation": organisation,
        "title": title,
        "domain": domain,
        "priority": priority,
        "time_slot": time_slot,
        "school_year": school_year,
        "places": places,
        "requested": requested,
        "granted": granted,
        "spent": spent,
    }
    write_project(current, values=values, teams=teams, assignable=assignable_teams(by))
    record_change(current, "change")
    return current


def _keep_places(project: Project, *, school_year: int, places: int, team_ids: Collection[int]) -> None:
    taken = places_taken(project)
    if places < taken:
        raise PlacesAreHeld(
            f"Des enfants sont inscrits : {taken} places sont prises. Terminez d’abord des inscriptions, "
            f"ou gardez au moins {taken} places.",
            field="places",
        )
    enrolments = Enrolment.objects.filter(project=project)
    if school_year != project.school_year and enrolments.exists():
        raise PlacesAreHeld(
            "Des enfants ont été inscrits cette année-là : créez plutôt un projet pour l’autre année.",
            field="school_year",
        )
    if enrolments.current().exclude(parcours__team__in=team_ids).exists():
        raise PlacesAreHeld(
            "Des enfants d’une équipe retirée sont inscrits : terminez d’abord leurs inscriptions.", field="teams"
        )
