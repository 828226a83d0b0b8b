"""The access journal: who did what, under which role, on which ids. Reading it is itself an event."""

from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.journal.consult import consult_page
from audit.journal.integrity import integrity
from audit.journal.models import Action, Event
from audit.journal.page import LARGEST_INTEGER
from audit.journal.record import record_event
from referents.alerts import Alert, pointed_out
from referents.events import ACTIONS, lines
from referents.requests import SignedInRequest
from referents.scopes import may_read_journal, readable_events
from referents.views.reach import require

EVENTS_OF_A_PAGE = 50
ALERT_DAYS = 31
FIRST_DAY = date(2000, 1, 1)  # before any journal: a slip of the keyboard


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


class WholeJournalForm(JournalSearchForm):
    """Also by account and by situation: for the data protection officer, who answers to a family or to an alert."""

    actor = forms.IntegerField(label="Compte n°", required=False, min_value=1, max_value=LARGEST_INTEGER)
    subject = forms.UUIDField(label="Situation", required=False, help_text="L’identifiant d’un parcours, d’un enfant.")


@require_safe
def journal_list(request: SignedInRequest) -> HttpResponse:
    """The events, the latest first, fifty a page, by action and by day."""
    require(request, may_read_journal(request.user), kind="audit.event")
    form = WholeJournalForm(request.GET)
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


def require_reader(request: SignedInRequest, purpose: str) -> None:
    """A page about the whole journal that lists no event of it: for its reader, and itself an event."""
    require(request, may_read_journal(request.user), kind="audit.event")
    with transaction.atomic(durable=True):
        record_event(Action.LIST, kind="audit.event", actor=request.user, purpose=purpose)


@require_safe
def journal_integrity(request: SignedInRequest) -> HttpResponse:
    """Whether the journal is as it was sealed, and the checkpoint to keep elsewhere."""
    require_reader(request, "integrity")
    return render(request, "referents/journal_integrity.html", {"state": integrity()})


@require_safe
def journal_alerts(request: SignedInRequest) -> HttpResponse:
    """What the journal of a month points out; each line opens the events of that day."""
    require_reader(request, "alerts")
    context = {"alerts": alerts_of(readable_events(request.user)), "days": ALERT_DAYS, "opens_the_journal": True}
    return render(request, "referents/journal_alerts.html", context)


def alerts_of(events: QuerySet[Event]) -> list[dict[str, Any]]:
    """Each kind of alert with its days, over the last ``ALERT_DAYS``."""
    recent = events.filter(at__gte=timezone.now() - timedelta(days=ALERT_DAYS))
    return [{"code": alert.value, "label": alert.label, "days": pointed_out(recent, alert)} for alert in Alert]


def found(events: QuerySet[Event], form: JournalSearchForm) -> QuerySet[Event]:
    """The events that answer the form; a day is that of Paris, from midnight to midnight."""
    if not form.is_valid():
        return events.none()
    criteria: dict[str, Any] = form.cleaned_data
    if criteria["action"]:
        events = events.filter(action=criteria["action"])
    if criteria.get("actor"):
        events = events.filter(actor_id=criteria["actor"])
    if criteria.get("subject"):
        events = events.filter(subject_id=criteria["subject"])
    if criteria["since"]:
        events = events.filter(at__gte=timezone.make_aware(datetime.combine(criteria["since"], time.min)))
    if criteria["day"]:
        starts_at, ends_at = (
            timezone.make_aware(datetime.combine(criteria["day"] + timedelta(days=days), time.min)) for days in (0, 1)
        )
        events = events.filter(at__gte=starts_at, at__lt=ends_at)
    return events
