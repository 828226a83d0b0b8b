"""The first page of the data protection officer: what waits for a review, and a week of the journal."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.journal.consult import consult_page
from audit.journal.models import Action, Event
from pre_cases.models import Child, Erasure, ExceptionalAccess, FamilyRequest, SubjectFile
from pre_cases.retention import RetentionState
from referents.requests import SignedInRequest
from referents.scopes import may_read_journal, readable_events
from referents.views.reach import require

WEEK = timedelta(days=7)
MOST_SHOWN = 50
# what a week of the journal is looked at by: label, and the condition of the list that the tile opens
WATCHED = {
    Action.REFUSAL: "Accès refusés",
    Action.GRANT: "Droits accordés",
    Action.DOWNLOAD: "Téléchargements",
    Action.SECOND_FACTOR_RESET: "Seconds facteurs réinitialisés",
    Action.ERASE: "Effacements",
}


@require_safe
def protection(request: SignedInRequest) -> HttpResponse:
    """Exceptional accesses to review, then the week of the journal by kind of event."""
    require(request, may_read_journal(request.user), kind="audit.event")
    since = timezone.localdate() - WEEK
    to_review = ExceptionalAccess.objects.visible_to(request.user).to_review()
    accesses = to_review.select_related("user", "membership__team", "content_object__team")
    context = {
        "page": consult_page(request, accesses, order=("granted_at", "id")),
        "week": week_of(readable_events(request.user), since),
        "now": timezone.now(),
        "requests": waiting_requests(request),
        "erasures": Erasure.objects.decidable_by(request.user).count(),
        "erasures_url": reverse("pre_cases:erasure_list"),
        "ready": Child.objects.at_retention(RetentionState.READY).count(),
        "ready_url": f"{reverse('pre_cases:retention_list')}?{urlencode({'filtre': RetentionState.READY.value})}",
    }
    return render(request, "pre_cases/protection.html", context)


def waiting_requests(request: SignedInRequest) -> Sequence[FamilyRequest]:
    """The families' requests not answered, the late ones first: dates, team and state; no name, and nothing typed."""
    waiting = FamilyRequest.objects.overseen_by(request.user).waiting()
    if not waiting.exists():
        return []
    files = SubjectFile.objects.kept().defer("content", "archive")
    shown = (
        waiting.with_urgency()
        .select_related("team")
        .prefetch_related(Prefetch("files", files, to_attr="current_files"))
    )
    return consult_page(request, shown, order=("urgency", "received_on", "id"), cursor="", size=MOST_SHOWN).records


def week_of(events: QuerySet[Event], since: date) -> list[dict[str, object]]:
    """How many events of each watched kind since a day, and the address of the list that holds them."""
    counts = events.filter(at__gte=timezone.make_aware(datetime.combine(since, time.min))).aggregate(
        **{action.value: Count("pk", filter=Q(action=action)) for action in WATCHED}
    )
    url = reverse("journal_list")
    return [
        {"label": label, "count": counts[action.value], "url": f"{url}?{urlencode({'action': action, 'since': since})}"}
        for action, label in WATCHED.items()
    ]
