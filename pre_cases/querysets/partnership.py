"""Which enrolments and shares are in force."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.db import models

from pre_cases.querysets.family import DatedQuerySet, in_force

if TYPE_CHECKING:
    from pre_cases.models import Enrolment, ParcoursShare
    from referents.models import User


class EnrolmentQuerySet(DatedQuerySet["Enrolment"]):
    def led_by(self, user: User) -> EnrolmentQuerySet:
        """Places held in the projects that the person leads today."""
        from partners.models import Project

        return self.filter(project__in=Project.objects.led_by(user))


class ParcoursShareQuerySet(models.QuerySet["ParcoursShare"]):
    def in_force(self, on: date | None = None) -> ParcoursShareQuerySet:
        return self.filter(in_force(on), revoked_at__isnull=True)

    def unrevoked(self) -> ParcoursShareQuerySet:
        return self.filter(revoked_at__isnull=True)
