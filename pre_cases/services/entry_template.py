"""A person's own templates of exchanges."""

from __future__ import annotations

from audit.encryption.keys import create_data_key
from audit.encryption.keystore.models import KeyKind
from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.models import EntryKind, EntryTemplate, EntryWith
from referents.models import User

MOST_TEMPLATES = 20  # of one person


class TemplateRefused(Refused):
    """One template too many, or nothing in it."""


@service
def add_template(
    *, label: str, kind: EntryKind | str, with_whom: EntryWith | str, text: str, by: User
) -> EntryTemplate:
    """Keep a text for the next exchanges of the same sort."""
    User.objects.select_for_update().get(pk=by.pk)
    if EntryTemplate.objects.of(by).count() >= MOST_TEMPLATES:
        raise TemplateRefused(f"Vous avez déjà {MOST_TEMPLATES} modèles : retirez-en un d’abord.")
    template = EntryTemplate.objects.create(
        user=by,
        label=label.strip(),
        kind=kind,
        with_whom=with_whom,
        text=text.strip(),
        data_key_id=create_data_key(KeyKind.TEAM),
    )
    record_change(template, "create")
    return template


@service
def remove_template(*, template: EntryTemplate, by: User) -> None:
    """Throw a template away; its key, which nothing names any more, is swept with the orphans."""
    record_change(template, "delete")
    template.delete()
