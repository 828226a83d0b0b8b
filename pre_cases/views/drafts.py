"""The draft of a long form: kept while one types, found again after a time-out, a crash or a sign-in, thrown away.

A view asks ``answer_draft`` before anything else, and gives ``draft.content`` to its form as what it shows at first.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from audit.encryption.keys import load_keys_of
from audit.services import Refused
from pre_cases.models import Draft, Parcours
from pre_cases.services.draft import discard_draft, save_draft
from referents.requests import SignedInRequest

LONGEST_TEXT = 5_000  # characters of one field: what is too long is kept too, and said when it is sent
MOST_CHOICES = 500  # boxes ticked


def draft_of(request: SignedInRequest, form: str, parcours: Parcours | None = None) -> Draft | None:
    """The person's own draft of a form, its key loaded."""
    draft = Draft.objects.of(request.user).filter(parcours=parcours, form=form).first()
    if draft is not None:
        load_keys_of(draft)
    return draft


def answer_draft(
    request: SignedInRequest, form: forms.Form, *, name: str, back: str, parcours: Parcours | None = None
) -> HttpResponse | None:
    """The answer when the page keeps its draft or one of its buttons was pressed, None when the form itself was sent.

    ``form`` only says which fields there are; ``back`` is where one goes afterwards.
    """
    if request.method != "POST":
        return None
    if "discard" in request.POST:
        discard_draft(parcours=parcours, form=name, by=request.user)
        messages.success(request, "Le brouillon est jeté.")
        return redirect(back)
    if "draft" not in request.POST:
        return None
    in_passing = bool(request.headers.get("HX-Request"))
    try:
        draft = save_draft(parcours=parcours, form=name, content=typed_in(request, form), by=request.user)
    except Refused as refusal:
        if in_passing:
            return render(request, "pre_cases/draft_save.html", {"refusal": str(refusal)}, status=409)
        messages.warning(request, str(refusal))
        return redirect(back)
    if in_passing:
        return render(request, "pre_cases/draft_save.html", {"draft": draft})
    messages.success(request, "Le brouillon est enregistré.")
    return redirect(back)


def typed_in(request: SignedInRequest, form: forms.Form) -> dict[str, Any]:
    """What was typed so far in each field, right or wrong, within what a draft may hold."""
    return {
        name: _kept(field.widget.value_from_datadict(request.POST, request.FILES, form.add_prefix(name)))
        for name, field in form.fields.items()
        if not field.widget.is_hidden
    }


def _kept(value: Any) -> Any:
    if isinstance(value, list):
        return [str(each)[:LONGEST_TEXT] for each in value[:MOST_CHOICES]]
    return value if isinstance(value, bool) or value is None else str(value)[:LONGEST_TEXT]
