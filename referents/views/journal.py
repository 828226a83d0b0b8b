"""The access journal: who did what, under which role, on which ids. Reading it is itself an event."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.apps import apps
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.journal.consult import consult_page
from audit.journal.models import Action, Event
from referents.models import Role, Team, User
from referents.requests import SignedInRequest
from referents.scopes import may_read_journal, readable_events
from referents.views.reach import require

EVENTS_OF_A_PAGE = 50
FIRST_DAY = date(2000, 1, 1)  # before any journal: a slip of the keyboard
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
    ("erasure_requested", "effacement demandé"),
    ("erasure_approved", "effacement approuvé"),
    ("erasure_refused", "effacement refusé"),
    ("erasure_stopped", "effacement arrêté par un obstacle"),
    ("erasure_done", "effacement certifié"),
]


class JournalSearchForm(forms.Form):
    action = forms.ChoiceField(label="Action", choices=[("", "Toutes"), *ACTIONS], required=False)
    day = forms.DateField(
        label="Jour", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    since = forms.DateField(
        label="Depuis le", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def clean_since(self) -> date | None:
        return self._past_day("since")

    def clean_day(self) -> date | None:
        return self._past_day("day")

    def _past_day(self, name: str) -> date | None:
        day: date | None = self.cleaned_data[name]
        if day is not None and day > timezone.localdate():
            raise forms.ValidationError("Ce jour est dans le futur.")
        if day is not None and day < FIRST_DAY:
            raise forms.ValidationError(f"Le journal ne commence pas avant le {FIRST_DAY:%d/%m/%Y}.")
        return day


@dataclass(frozen=True)
class JournalLine:
    """One event in words: ``actor`` and ``team`` are names of professionals, "" when none is known."""

    event: Event
    action: str
    kind: str
    actor: str
    role: str
    team: str


@require_safe
def journal_list(request: SignedInRequest) -> HttpResponse:
    """The events, the latest first, fifty a page, by action and by day."""
    require(request, may_read_journal(request.user), kind="audit.event")
    form = JournalSearchForm(request.GET)
    events = found(readable_events(request.user), form)
    page = consult_page(request, events, order=("-at", "-id"), size=EVENTS_OF_A_PAGE)
    query = urlencode({name: request.GET[name] for name in form.fields if request.GET.get(name)})
    context = {
        "form": form,
        "page": page,
        "lines": lines(page.records),
        "query": query,
        "has_criteria": form.has_changed(),
    }
    return render(request, "referents/journal_list.html", context)


def found(events: QuerySet[Event], form: JournalSearchForm) -> QuerySet[Event]:
    """The events that answer the form; a day is that of Paris, from midnight to midnight."""
    if not form.is_valid():
        return events.none()
    criteria: dict[str, Any] = form.cleaned_data
    if criteria["action"]:
        events = events.filter(action=criteria["action"])
    if criteria["since"]:
        events = events.filter(at__gte=timezone.make_aware(datetime.combine(criteria["since"], time.min)))
    if criteria["day"]:
        starts_at, ends_at = (
            timezone.make_aware(datetime.combine(criteria["day"] + timedelta(days=days), time.min)) for days in (0, 1)
        )
        events = events.filter(at__gte=starts_at, at__lt=ends_at)
    return events


def lines(events: list[Event]) -> list[JournalLine]:
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
