"""The home of the technical administration, and the sign-ins it may read of the journal."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from audit.journal.consult import consult_page
from referents import overview
from referents.events import lines
from referents.requests import SignedInRequest
from referents.scopes import may_administer, readable_sign_ins
from referents.views.journal import EVENTS_OF_A_PAGE
from referents.views.reach import require


@require_safe
def administration(request: SignedInRequest) -> HttpResponse:
    """Failures, accounts, what ends soon, versions. No page of Marelle is further from the children."""
    require(request, may_administer(request.user), kind="referents.user", asked="read")
    address = reverse("account_list")
    tiles = [
        {"label": state.label.capitalize(), "count": count, "url": f"{address}?{urlencode({'etat': state})}"}
        for state, count in overview.accounts_by_state().items()
    ]
    context = {
        "failures": overview.failures(),
        "tiles": tiles,
        "ending": overview.roles_ending_soon(),
        "versions": overview.versions(),
    }
    return render(request, "referents/administration.html", context)


@require_safe
def sign_in_list(request: SignedInRequest) -> HttpResponse:
    """Who signed in and out, the latest first; of a failed attempt, only that it failed."""
    require(request, may_administer(request.user), kind="audit.event")
    page = consult_page(request, readable_sign_ins(request.user), order=("-at", "-id"), size=EVENTS_OF_A_PAGE)
    return render(request, "referents/sign_in_list.html", {"page": page, "lines": lines(page.records)})
