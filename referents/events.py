"""The events of the journal in words: their actions, their objects, and the professionals that they name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.apps import apps

from audit.journal.models import Action, Event
from referents.models import Role, Team, User

# what the services add to the actions that the journal knows
ACTIONS = [
    *Action.choices,
    ("close", "clôture"),
    ("reopen", "réouverture"),
    ("invite", "invitation envoyée"),
    ("accept", "acceptation"),
    ("refuse", "refus"),
    ("cancel", "annulation"),
    ("review", "examen d’un accès exceptionnel"),
    ("assign", "attribution"),
    ("decide", "décision"),
    ("oral", "accord oral"),
    ("sign", "signature de l’accord"),
    ("withdraw", "retrait de l’accord"),
    ("correct_dates", "dates corrigées"),
    ("remind", "rappel envoyé"),
    ("suspend", "compte suspendu"),
    ("reactivate", "compte réactivé"),
    ("end", "compte terminé"),
    ("identity", "identité vérifiée"),
    ("extend", "délai prolongé"),
    ("answer", "réponse à une famille"),
    ("prepare", "fichier préparé"),
    ("replace", "fichier remplacé"),
    ("submit", "fichier soumis"),
    ("return", "fichier rendu"),
    ("approve", "fichier approuvé"),
    ("expire", "fichier expiré"),
    ("hold", "conservation prolongée"),
    ("hold_ended", "fin d’une conservation prolongée"),
    ("announce", "terme annoncé à l’équipe"),
    ("renew", "reconduction de l’accord"),
    ("object", "opposition d’un titulaire"),
    ("settle", "opposition tranchée"),
    ("order", "ordre du jour changé"),
    ("remove", "retrait de l’ordre du jour"),
    ("attend", "présence notée"),
    ("uninvite", "invitation retirée"),
    ("erasure_requested", "effacement demandé"),
    ("erasure_approved", "effacement approuvé"),
    ("erasure_refused", "effacement refusé"),
    ("erasure_stopped", "effacement arrêté par un obstacle"),
    ("erasure_done", "effacement certifié"),
]


@dataclass(frozen=True)
class JournalLine:
    """One event in words: ``actor`` and ``team`` are names of professionals, "" when none is known."""

    event: Event
    action: str
    kind: str
    actor: str
    role: str
    team: str


def lines(events: Sequence[Event]) -> list[JournalLine]:
    """The events with the words of their codes; two queries, whatever their number."""
    people = User.objects.in_bulk({event.actor_id for event in events if event.actor_id is not None})
    teams = Team.objects.in_bulk({event.team_id for event in events if event.team_id is not None})
    actions, roles = dict(ACTIONS), dict(Role.choices)
    return [
        JournalLine(
            event=event,
            action=actions.get(event.action, event.action),
            kind=kind_label(event.kind),
            actor=people[event.actor_id].get_full_name() if event.actor_id in people else "",
            role=str(roles.get(event.role, event.role)),
            team=teams[event.team_id].name if event.team_id in teams else "",
        )
        for event in events
    ]


def kind_label(kind: str) -> str:
    """The French name of a model's label, « parcours » for "pre_cases.parcours"; a kind without a model as it is."""
    try:
        return str(apps.get_model(kind)._meta.verbose_name)
    except (LookupError, ValueError):
        return kind
