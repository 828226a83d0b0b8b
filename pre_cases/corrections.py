"""What was changed about a child since a day: what the answer to a request for correction cites."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from django.db import models
from django.utils import timezone

from audit.erasure import plan_for
from pre_cases.models import Adult, Child, FamilyRequest, RequestEffect
from pre_cases.services.family_request import Correction
from pre_cases.subject_access.sections import SECTIONS
from referents.days import instant

MOST = 50  # changes offered, the latest first
NEVER_CORRECTED = {FamilyRequest, RequestEffect}


@dataclass(frozen=True)
class Change:
    """One version of one record, written after the request."""

    title: str
    record_kind: str
    record_id: UUID
    changed_at: datetime

    @property
    def key(self) -> str:
        return f"{self.record_kind}:{self.record_id}:{self.changed_at.isoformat()}"

    @property
    def label(self) -> str:
        return f"{self.title[:1].upper()}{self.title[1:]}, modification du {instant(self.changed_at)}"

    @property
    def correction(self) -> Correction:
        return Correction(self.record_kind, self.record_id, self.changed_at)


def changes_since(child: Child, day: date) -> list[Change]:
    """The changes made to the records of a child, and of the adults around, from a day on; the latest first."""
    found = sorted(_changes(child, day), key=lambda change: change.changed_at, reverse=True)
    return found[:MOST]


def _changes(child: Child, day: date) -> Iterator[Change]:
    rows = plan_for(child).rows
    rows[Adult] = set(Adult.objects.filter(child_links__child=child).values_list("pk", flat=True))
    since = timezone.make_aware(datetime.combine(day, time.min))
    corrected: list[type[models.Model]] = [*(section.model for section in SECTIONS), Adult]
    for model in corrected:
        history = getattr(model, "history", None)
        if history is None or model in NEVER_CORRECTED or not rows.get(model):
            continue
        versions = history.model._base_manager.filter(id__in=rows[model], history_date__gte=since, history_type="~")
        for record_id, changed_at in versions.values_list("id", "history_date"):
            yield Change(str(model._meta.verbose_name), model._meta.label_lower, record_id, changed_at)
