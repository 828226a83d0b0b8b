"""Where a child's file stands in its retention: last contact, term, holds, announcement; all computed from facts."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, Max, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from pre_cases.retention import RetentionState, parcours_threshold, saisine_threshold
from referents.intervals import in_force
from referents.models import Role

if TYPE_CHECKING:
    from referents.models import User

M = TypeVar("M", bound=models.Model)

NEVER = date(1900, 1, 1)


def _latest(rows: models.QuerySet[M], column: str) -> Coalesce:
    """The latest day of a column of these rows, ``NEVER`` when there is none: two engines disagree about NULL."""
    found = rows.order_by().values(_one=Value(1)).annotate(_latest=Max(column)).values("_latest")
    return Coalesce(Subquery(found, output_field=models.DateField()), Value(NEVER))


def last_contact_of_child() -> Greatest:
    """The last exchange that reached somebody, point d’étape held with child or family, word or signature of an
    agreement; the saisine itself when there was nothing else. Never the closing.
    """
    from pre_cases.models import Agreement, Entry, Review, Saisine

    child = OuterRef("pk")
    held = Review.objects.filter(parcours__child=child).exclude(family_present=False, child_present=False)
    return Greatest(
        _latest(Entry.objects.contacts().filter(parcours__child=child), "on"),
        _latest(Entry.objects.contacts().filter(saisine__child=child), "on"),
        _latest(held, "on"),
        _latest(Agreement.objects.filter(child=child), "oral_on"),
        _latest(Agreement.objects.filter(child=child), "signed_on"),
        _latest(Saisine.objects.filter(child=child), "received_on"),
    )


class RetentionQuerySet(models.QuerySet[M]):
    """Mixed into the children's own."""

    def with_retention(self, on: date | None = None) -> Self:
        """Annotate ``retention_code``, ``last_contact_on``, ``had_parcours``, ``received_on`` and ``retained_team_id``.

        The first fact that matches wins; ``term_code`` is the same without the erasures asked for. The team is that of
        the last parcours, or of the last saisine.
        """
        from pre_cases.models import Erasure, Parcours, RetentionNotice, Saisine

        day = on or timezone.localdate()
        parcours = Parcours.objects.filter(child=OuterRef("pk"))
        saisines = Saisine.objects.filter(child=OuterRef("pk"))
        rows = self.annotate(
            last_contact_on=last_contact_of_child(),
            received_on=_latest(saisines, "received_on"),
            had_parcours=Exists(parcours),
            retained_team_id=Coalesce(
                Subquery(parcours.order_by("-opened_on", "-id").values("team")[:1]),
                Subquery(saisines.order_by("-received_on", "-id").values("team")[:1]),
            ),
            announced_on=Subquery(
                RetentionNotice.objects.filter(
                    child=OuterRef("pk"), last_contact_on__gte=OuterRef("last_contact_on")
                ).values("announced_on")[:1]
            ),
        )
        asked = Exists(Erasure.objects.pending().filter(subject_id=OuterRef("pk")))
        return rows.annotate(term_code=_state(day)).annotate(
            retention_code=Case(
                When(asked, then=Value(RetentionState.ERASING.value)),
                default=F("term_code"),
                output_field=models.CharField(),
            )
        )

    def with_retention_card(self) -> Self:
        """What a row of the list shows besides: number of the last parcours, last hold; after ``with_retention()``."""
        from pre_cases.models import Parcours, RetentionHold

        parcours = Parcours.objects.filter(child=OuterRef("pk")).order_by("-opened_on", "-id")
        holds = RetentionHold.objects.filter(child=OuterRef("pk")).order_by("-ends_on")
        return self.annotate(
            number=Subquery(parcours.values("number")[:1]),
            held_until=Subquery(holds.values("ends_on")[:1]),
        )

    def at_retention(self, *states: RetentionState, on: date | None = None) -> Self:
        return self.with_retention(on).filter(Q(retention_code__in=[state.value for state in states]))

    def count_by_state(self) -> Counter[str]:
        """How many stand in each state, by code, each state computed once; after ``with_retention()``."""
        return Counter(self.order_by().values_list("retention_code", flat=True))

    def retained_by(self, user: User) -> Self:
        """Those whose last team the person coordinates, whatever the state; read through ``with_retention()``."""
        return self.with_retention().of_last_team(*user.standing.team_ids(Role.COORDINATOR))

    def of_last_team(self, *team_ids: int) -> Self:
        """Those whose last parcours, or last saisine, was of one of these teams; after ``with_retention()``."""
        return self.filter(Q(retained_team_id__in=team_ids))

    def frozen(self) -> Q:
        """The children whose erasure is approved or runs."""
        from pre_cases.models import Erasure

        return Q(Exists(Erasure.objects.freezing().filter(subject_id=OuterRef("pk"))))


def _state(day: date) -> Case:
    from pre_cases.models import Parcours, RetentionHold

    child = OuterRef("pk")
    is_followed = Exists(Parcours.objects.open().filter(child=child))
    keeps_parcours = Q(had_parcours=True, last_contact_on__gt=parcours_threshold(day))
    keeps_saisine = Q(received_on__gt=saisine_threshold(day))
    held = Exists(RetentionHold.objects.filter(in_force(day), child=child))
    waiting = Exists(_waiting_saisines(child))
    told = day - timedelta(days=settings.ERASURE_NOTICE_DAYS)
    return Case(
        When(is_followed | (waiting & keeps_saisine), then=Value(RetentionState.ACTIVE.value)),
        When(keeps_parcours | keeps_saisine, then=Value(RetentionState.CLOSED.value)),
        When(held, then=Value(RetentionState.ON_HOLD.value)),
        When(announced_on__lte=told, then=Value(RetentionState.READY.value)),
        When(announced_on__isnull=False, then=Value(RetentionState.ANNOUNCED.value)),
        default=Value(RetentionState.DUE.value),
        output_field=models.CharField(),
    )


def _waiting_saisines(child: OuterRef) -> models.QuerySet[models.Model]:
    """Without an outcome and without a parcours: they still ask something of the team."""
    from pre_cases.models import Saisine

    return Saisine.objects.filter(child=child, outcome="", parcours__isnull=True)
