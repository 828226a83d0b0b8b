"""Noting that an information préoccupante was sent, outside every other page."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from audit.journal.consult import consult
from pre_cases.forms.concern import ConcernForm
from pre_cases.models import ConcernReported, Parcours
from pre_cases.services.concern import report_concern
from pre_cases.views.parcours import FORM, answer
from referents.requests import SignedInRequest
from referents.views.answer import attempt


@require_http_methods(FORM)
def concern_report(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """What to do, what to note, and what the person may see of what was noted."""
    parcours = consult(request, Parcours.objects.editable_by(request.user).with_card(), pk=pk)
    form = ConcernForm(request.POST or None)
    if form.is_valid() and attempt(
        form, lambda: report_concern(parcours=parcours, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, "La transmission est notée, sans son contenu.")
        return redirect("pre_cases:concern_report", pk=pk)
    seen = ConcernReported.objects.visible_to(request.user).filter(parcours=parcours)
    concerns = seen.select_related("author").order_by("-reported_on", "-id")
    return answer(request, "pre_cases/concern_report.html", parcours, form, concerns=concerns)
