"""Which exchanges, tasks and drafts. Their rights are those of their parcours or saisine."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from referents.models import Role

if TYPE_CHECKING:
    from pre_cases.models import Draft, Entry, Task
    from referents.models import User


class EntryQuerySet(models.QuerySet["Entry"]):
    def contacts(self) -> EntryQuerySet:
        """Exchanges that reached somebody; an attempt without an answer is not one."""
        from pre_cases.models import EntryKind

        return self.exclude(kind=EntryKind.ATTEMPT)

    # -- scopes ---------------------------------------------------------------------------------------------------

    def correctable_by(self, user: User) -> EntryQuerySet:
        """What the person wrote, on the parcours that the person may still change."""
        from pre_cases.models import Parcours

        return self.filter(Exists(Parcours.objects.editable_by(user).filter(pk=OuterRef("parcours"))), author=user)

    def questionable_by(self, user: User) -> EntryQuerySet:
        """On the open parcours of the teams that the person coordinates."""
        teams = user.standing.team_ids(Role.COORDINATOR)
        return self.filter(parcours__team__in=teams, parcours__closed_on__isnull=True)


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


OWN_DRAFT_DAYS = 14  # a draft that belongs to no parcours does not outlive them


class DraftQuerySet(models.QuerySet["Draft"]):
    def forgotten(self) -> DraftQuerySet:
        """Those that belong to no parcours, and that nobody has touched for ``OWN_DRAFT_DAYS`` days."""
        return self.filter(parcours__isnull=True, updated_at__lt=timezone.now() - timedelta(days=OWN_DRAFT_DAYS))

    def of(self, user: User) -> DraftQuerySet:
        return self.filter(user=user)
