"""Reference data: arrondissements, teams, and the lists of the apps above. They name nobody."""

from typing import Any

from django.db import models

from audit.journal.record import record_change
from audit.services import Overreach, service
from referents.models import User


class NotYoursToKeep(Overreach):
    """The person does not keep this kind of reference data."""


@service
def save_reference(*, record: models.Model, fields: list[str], by: User) -> models.Model:
    """Write a record that a page has filled in; ``fields`` are the names of those that changed, for the journal."""
    rows: Any = type(record)._default_manager
    is_new = record._state.adding
    if not (rows.may_be_added_by(by) if is_new else rows.editable_by(by).filter(pk=record.pk).exists()):
        raise NotYoursToKeep("Vous ne pouvez pas modifier cette donnée.", kind=record._meta.label_lower)
    record.save()
    record_change(record, "create" if is_new else "change", detail={"fields": fields})
    return record
