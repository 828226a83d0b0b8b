"""A parcours and its bilan on paper."""

from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from audit.journal.consult import consult
from audit.journal.models import Action
from pre_cases.models import Parcours
from pre_cases.printed.answer import printed
from pre_cases.printed.parcours import bilan_sheet, family_sheet
from referents.requests import SignedInRequest


@require_safe
def parcours_pdf(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The parcours for the family, as a document that a screen reader can follow."""
    parcours = consult(request, Parcours.objects.visible_to(request.user).with_page(), pk=pk, action=Action.PRINT)
    return printed(lambda: family_sheet(parcours), name="parcours")


@require_safe
def bilan_pdf(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The bilan, for the family too; before it is written there is no such document."""
    scope = Parcours.objects.carried_by(request.user).filter(bilan__isnull=False)
    related = scope.with_page().select_related("bilan__exit_reason")
    parcours = consult(request, related, pk=pk, action=Action.PRINT)
    return printed(lambda: bilan_sheet(parcours), name="bilan")
