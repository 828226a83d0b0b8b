"""Which enrolments are in force, and how many places are left."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Count, F, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce, Greatest

from referents.intervals import DatedQuerySet

if TYPE_CHECKING:
    from partners.models.project import ProjectQuerySet
    from pre_cases.models import Enrolment
    from referents.models import User


class EnrolmentQuerySet(DatedQuerySet["Enrolment"]):
    def led_by(self, user: User) -> EnrolmentQuerySet:
        """Places held in the projects that the person leads today."""
        from partners.models import Project

        return self.filter(project__in=Project.objects.led_by(user))

    def editable_by(self, user: User) -> EnrolmentQuerySet:
        """The rights of an enrolment are those of its parcours."""
        from pre_cases.models import Parcours

        return self.filter(parcours__in=Parcours.objects.editable_by(user))


def with_places(projects: ProjectQuerySet, on: date | None = None) -> ProjectQuerySet:
    """Annotate ``places_taken`` and ``places_left`` (never below zero) on a day, today by default."""
    from pre_cases.models import Enrolment

    held = Enrolment.objects.current(on).filter(project=OuterRef("pk")).order_by()
    counted = held.values("project").annotate(count=Count("pk")).values("count")
    return projects.annotate(
        places_taken=Coalesce(Subquery(counted, output_field=IntegerField()), 0),
        places_left=Greatest(F("places") - F("places_taken"), 0, output_field=IntegerField()),
    )
