"""How a form view carries a change out: the rule that refuses speaks beside the field, and what was typed is kept."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.forms import BaseForm
from django.http import HttpRequest

from audit.journal.models import Action
from audit.journal.record import record_event
from audit.services import Refused
from referents.models import User

MEANWHILE = "Quelqu’un vient d’enregistrer la même chose : regardez ce qui est déjà là."


def attempt(form: BaseForm, change: Callable[[], Any]) -> Any:
    """Run a service; when a rule refuses, put its sentence beside the field it names and return None."""
    try:
        return change()
    except Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
    except ValidationError as error:  # a constraint with its French message
        form.add_error(None, error)
    except IntegrityError as error:  # another person was first, between the rule and the insert
        if "unique" not in str(error).lower():
            raise
        form.add_error(None, MEANWHILE)
    return None


def carry_out(request: HttpRequest, change: Callable[[], Any], done: str) -> None:
    """Run the service of a button and say that it is done, or why a rule refuses."""
    try:
        change()
        messages.success(request, done)
    except Refused as refusal:
        messages.info(request, str(refusal))


def note_foreign_choice(form: BaseForm, person: User, kind: str) -> None:
    """Somebody chose what the page did not offer: the sentence stands beside the field, the attempt in the journal."""
    errors = [error for found in form.errors.as_data().values() for error in found] if form.is_bound else []
    if any(error.code == "invalid_choice" for error in errors):
        with transaction.atomic(durable=True):
            record_event(Action.REFUSAL, kind=kind, actor=person, detail={"asked": "choice"})
