"""Who read what is held about a child, from the journal: function, organisation, day and purpose, never a name."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from audit.journal.models import Action, Event
from pre_cases.models import Child, ExceptionalReason, Parcours, Saisine
from referents.days import long_day
from referents.models import Role, Team, User

READINGS = {
    Action.READ: "consultation",
    Action.LIST: "dans une liste",
    Action.SEARCH: "recherche par le nom",
    Action.PRINT: "impression",
    Action.DOWNLOAD: "téléchargement d’un document",
    Action.EXPORT: "export",
}
PURPOSES = {f"exceptional-{reason.value}": f"accès exceptionnel : {reason.label}" for reason in ExceptionalReason}
LISTED = (Action.LIST, Action.SEARCH)


def readers_of(child: Child) -> list[dict[str, Any]]:
    """One line a day, function and purpose, the latest first, with how many times; as far back as the journal goes."""
    events = list(readings_of(child).order_by("-at", "-id"))
    people = User.objects.in_bulk({event.actor_id for event in events if event.actor_id})
    teams = Team.objects.in_bulk({event.team_id for event in events if event.team_id})
    lines: Counter[tuple[str, str, str, str]] = Counter()
    for event in events:
        person, team = people.get(event.actor_id or 0), teams.get(event.team_id or 0)
        role = str(Role(event.role).label) if event.role in Role.values else "fonction inconnue"
        function = f"{role}, équipe {team.name}" if team else role
        if event.acting_for_id:
            function = f"{function}, en remplacement"
        purpose = PURPOSES.get(event.purpose) or READINGS[Action(event.action)]
        organisation = person.employer if person else ""
        lines[long_day(timezone.localdate(event.at)), function, organisation, purpose] += 1
    names = ("on", "function", "organisation", "purpose")
    return [dict(zip(names, line, strict=True)) | {"times": times} for line, times in lines.items()]


def readings_of(child: Child) -> QuerySet[Event]:
    """The events that showed something of the child: its own, and the lists that held one of its files."""
    ids: list[UUID] = [
        child.pk,
        *Parcours.objects.filter(child=child).values_list("pk", flat=True),
        *Saisine.objects.filter(child=child).values_list("pk", flat=True),
    ]
    own = Q(subject_id__in=ids, action__in=READINGS)
    listed = Q(pk__in=[])
    for identifier in ids:
        listed |= Q(record_ids__icontains=str(identifier))
    return Event.objects.filter(own | (Q(action__in=LISTED, subject_id__isnull=True) & listed))
