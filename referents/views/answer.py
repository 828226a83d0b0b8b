"""How a form view carries a change out: the rule that refuses speaks beside the field, and what was typed is kept."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.forms import BaseForm

from audit.services import Refused

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
