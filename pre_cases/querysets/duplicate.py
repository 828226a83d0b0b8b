"""Which children may be the same, and which notices a coordination has still to settle."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models

from referents.models import Role

if TYPE_CHECKING:
    from pre_cases.models import ChildTag, DuplicateNotice
    from referents.models import User


class ChildTagQuerySet(models.QuerySet["ChildTag"]):
    def sharing(self, index_key_id: UUID, tag: int) -> ChildTagQuerySet:
        """Those of the children who may be the same."""
        return self.filter(index_key_id=index_key_id, tag=tag)


class DuplicateNoticeQuerySet(models.QuerySet["DuplicateNotice"]):
    def to_settle(self) -> DuplicateNoticeQuerySet:
        return self.filter(settled_at__isnull=True)

    def decidable_by(self, user: User) -> DuplicateNoticeQuerySet:
        """Those told to the teams that the person coordinates."""
        return self.filter(team_id__in=user.standing.team_ids(Role.COORDINATOR))
