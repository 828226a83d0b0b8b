"""Which exchanges, tasks and drafts. Their rights are those of their parcours or saisine."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

if TYPE_CHECKING:
    from pre_cases.models import Draft, Entry, Task
    from referents.models import User


class EntryQuerySet(models.QuerySet["Entry"]):
    def contacts(self) -> EntryQuerySet:
        """Exchanges that reached somebody; an attempt without an answer is not one."""
        from pre_cases.models import EntryKind

        return self.exclude(kind=EntryKind.ATTEMPT)


class TaskQuerySet(models.QuerySet["Task"]):
    def open(self) -> TaskQuerySet:
        return self.filter(done_at__isnull=True)

    def due_by(self, day: date | None = None) -> TaskQuerySet:
        """Still to do, due that day (today by default) or before."""
        return self.open().filter(due_on__lte=day or timezone.localdate())

    def of(self, user: User) -> TaskQuerySet:
        """Own tasks, and in the team of each replacement those of the person replaced; on what may still be changed."""
        replaced = user.replaced("assignee", "parcours__team") | user.replaced("assignee", "saisine__team")
        return self.reached_by(user).filter(Q(assignee=user) | replaced)

    def reached_by(self, user: User) -> TaskQuerySet:
        """For one record: the tasks of the parcours and saisines that the person may change."""
        from pre_cases.models import Parcours, Saisine

        return self.filter(
            Exists(Parcours.objects.editable_by(user).filter(pk=OuterRef("parcours")))
            | Exists(Saisine.objects.editable_by(user).filter(pk=OuterRef("saisine")))
        )


class DraftQuerySet(models.QuerySet["Draft"]):
    def of(self, user: User) -> DraftQuerySet:
        return self.filter(user=user)
