"""The accounts, for the technical administration: who may sign in, as what, until when. No case content."""

from django.db.models import Max, OuterRef, Prefetch, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.journal.consult import consult_page
from referents.models import CharterSignature, Membership
from referents.requests import SignedInRequest
from referents.scopes import may_read_accounts, readable_accounts
from referents.views.reach import require


@require_safe
def account_list(request: SignedInRequest) -> HttpResponse:
    """The accounts by name, with what each may act as today and its charter."""
    require(request, may_read_accounts(request.user), kind="referents.user")
    charters = CharterSignature.objects.filter(user=OuterRef("pk")).order_by().values("user")
    accounts = (
        readable_accounts(request.user)
        .annotate(charter_until=Subquery(charters.annotate(until=Max("expires_on")).values("until")))
        .prefetch_related(
            Prefetch(
                "memberships",
                queryset=Membership.objects.current().select_related("team").order_by("role", "team__code"),
                to_attr="current_memberships",
            )
        )
    )
    page = consult_page(request, accounts, order=("last_name", "first_name", "id"))
    return render(request, "referents/account_list.html", {"page": page, "today": timezone.localdate()})
