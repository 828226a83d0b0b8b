"""Projects: what they offer, to which teams, and what they are granted.

A project is created here; changing one also asks how many children hold a place, which this app does not know:
``change_project`` stands with the case files and calls ``write_project``.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from audit.journal.record import record_change
from audit.services import Refused, service
from partners.models import Organisation, Project, ProjectTeam, Term, TimeSlot
from partners.models.project import assignable_teams
from referents.models import Team, User


class ProjectRefused(Refused):
    """The project cannot be like this."""


@service
def create_project(
    *,
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
    """Add a project of one school year, open to the children of some teams; amounts are in euros."""
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
    project = write_project(Project(), values=values, teams=teams, assignable=assignable_teams(by))
    record_change(project, "create")
    return project


def write_project(
    project: Project, *, values: Mapping[str, Any], teams: Collection[Team], assignable: Iterable[Team]
) -> Project:
    """Save the fields and the teams of a project, inside the transaction of a service.

    ``assignable`` are the teams that the author may give or take; another one given or taken is refused.
    """
    wanted = {team.pk for team in teams}
    if not wanted:
        raise ProjectRefused("Choisissez au moins une équipe : le projet accueille ses enfants.", field="teams")
    held = set() if project.pk is None else set(project.project_teams.values_list("team", flat=True))
    if not (wanted ^ held) <= {team.pk for team in assignable}:
        raise ProjectRefused("Vous ne pouvez ouvrir ou fermer le projet qu’à vos propres équipes.", field="teams")
    for field, value in values.items():
        setattr(project, field, value)
    project.full_clean(exclude=["search_title"])
    project.save()
    project.project_teams.filter(team__in=held - wanted).delete()
    for team_id in sorted(wanted - held):
        ProjectTeam.objects.create(project=project, team_id=team_id)
    return project
