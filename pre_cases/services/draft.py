"""What a person was typing: kept while it is typed, found again after a time-out or a crash, gone once it is sent."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from audit.encryption.keys import create_data_key, load_keys
from audit.encryption.keystore.models import KeyKind
from audit.services import service
from pre_cases.models import Draft, Parcours
from pre_cases.services.preconditions import locked
from referents.models import User


@service
def save_draft(*, parcours: Parcours | None, form: str, content: dict[str, Any], by: User) -> Draft:
    """Keep what a person is typing, on a parcours or on what has none yet; the last one saved wins."""
    if parcours is not None:
        key_id = locked(parcours).data_key_id
    else:
        User.objects.select_for_update().get(pk=by.pk)  # two windows, one draft
        key_id = None
    draft = Draft.objects.of(by).filter(parcours=parcours, form=form).first()
    if draft is None:
        draft = Draft(user=by, parcours=parcours, form=form, data_key_id=key_id or create_data_key(KeyKind.TEAM))
    load_keys([draft.data_key_id])  # a request begins with no key
    draft.content, draft.updated_at = content, timezone.now()
    draft.save()
    return draft


@service
def discard_draft(*, parcours: Parcours | None, form: str, by: User) -> int:
    """Throw a draft away; how many there were."""
    deleted, _ = Draft.objects.of(by).filter(parcours=parcours, form=form).delete()
    return deleted


def sweep_drafts() -> int:
    """Throw away the drafts that belong to no parcours and that nobody has touched for a fortnight; how many."""
    deleted, _ = Draft.objects.forgotten().delete()
    return deleted
