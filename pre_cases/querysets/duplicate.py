"""Which children may be the same, and which notices a coordination has still to settle."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models
from django.db.models import Q

from referents.models import Role

if TYPE_CHECKING:
    from pre_cases.models import ChildTag, DuplicateNotice
    from referents.models import User


class ChildTagQuerySet(models.QuerySet["ChildTag"]):
    def sharing(self, index_key_id: UUID, *, names_tag: int, full_tag: int | None) -> ChildTagQuerySet:
        """Same names and birth date; or same names, when one of the two dates is not known."""
        same = Q(names_tag=names_tag) if full_tag is None else Q(full_tag=full_tag)
        undated = Q(names_tag=names_tag, full_tag__isnull=True)
        return self.filter(same | undated, index_key_id=index_key_id)


class DuplicateNoticeQuerySet(models.QuerySet["DuplicateNotice"]):
    def to_settle(self) -> DuplicateNoticeQuerySet:
        return self.filter(settled_at__isnull=True)

    def decidable_by(self, user: User) -> DuplicateNoticeQuerySet:
        """Those still told to the teams that the person coordinates."""
        return self.to_settle().filter(team_id__in=user.standing.team_ids(Role.COORDINATOR))
