"""What the journal and the history say: who read a file, who changed what in it, and the journal of a team."""

from datetime import timedelta
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.journal.consult import consult, consult_page
from audit.journal.models import Event
from pre_cases.forms.past import UntilForm
from pre_cases.models import Parcours
from pre_cases.past import past_of
from pre_cases.readers import WINDOW, readings_of
from pre_cases.views.board import coordinated_team
from referents.events import JournalLine, lines
from referents.requests import SignedInRequest
from referents.views.journal import EVENTS_OF_A_PAGE, JournalSearchForm, alerts_of, found


@require_safe
def parcours_readers(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Who read the file, a month at a time: for whoever follows or coordinates it."""
    scope = Parcours.objects.carried_by(request.user).with_card()
    parcours = consult(request, scope, pk=pk, data_kind="readings")
    form = UntilForm(request.GET)
    today = timezone.localdate()
    until = (form.cleaned_data["until"] if form.is_valid() else None) or today
    context = {
        "parcours": parcours,
        "readings": readings_of(parcours, until=until),
        "first": until - WINDOW + timedelta(days=1),
        "last": until,
        "earlier": until - WINDOW,
        "is_today": until == today,
    }
    return render(request, "pre_cases/parcours_readers.html", context)


@require_safe
def parcours_history(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Every change of the file, its author and the difference, the latest first."""
    scope = Parcours.objects.carried_by(request.user).with_card().select_related("child__family")
    parcours = consult(request, scope, pk=pk, data_kind="history")
    everything = request.GET.get("tout") == "oui"
    context = {"parcours": parcours, "past": past_of(parcours, everything=everything)}
    return render(request, "pre_cases/parcours_history.html", context)


@require_safe
def team_journal(request: SignedInRequest, code: str) -> HttpResponse:
    """What was done in the files of a team, and what of it deserves a look; by action and by day, never by person."""
    team = coordinated_team(request, code)
    form = JournalSearchForm(request.GET)
    events = Event.objects.filter(subject_team_id=team.pk)
    page = consult_page(request, found(events, form), order=("-at", "-id"), size=EVENTS_OF_A_PAGE)
    context = {
        "team": team,
        "form": form,
        "page": page,
        "lines": with_files(lines(page.records)),
        "alerts": alerts_of(events) if page.is_first and not form.has_changed() else [],
        "has_criteria": form.has_changed(),
    }
    return render(request, "pre_cases/team_journal.html", context)


def with_files(told: list[JournalLine]) -> list[tuple[JournalLine, Parcours | None]]:
    """Each line with the parcours that it is about, for a link by its number; one query."""
    numbered = Parcours.objects.only("number").in_bulk({line.event.subject_id for line in told} - {None})
    return [(line, numbered.get(line.event.subject_id)) for line in told]
