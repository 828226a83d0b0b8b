"""Rights given on purpose, beside those that memberships give: dated, reasoned, signed, ended by their own dates."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from guardian.models import UserObjectPermissionBase

from audit.history import History
from audit.retention import Retention
from referents.intervals import in_force
from referents.models.user import Membership, Role

if TYPE_CHECKING:
    from referents.models.user import User

G = TypeVar("G", bound="Grant")


class GrantQuerySet(models.QuerySet[G]):
    def unrevoked(self) -> Self:
        return self.filter(revoked_at__isnull=True)

    def in_force(self, on: date | None = None) -> Self:
        """Unrevoked, within its dates, held by an active account whose membership of then is still current."""
        held = self.unrevoked().filter(in_force(on, "membership__"), user__is_active=True)
        return held.filter(self.running(on))

    def running(self, on: date | None = None) -> Q:
        """What the grant's own dates say; a kind of grant that ends at an hour says it its own way."""
        return in_force(on)

    def begun(self) -> Q:
        return Q(starts_on__lte=timezone.localdate())

    def over(self) -> Self:
        """Begun, or revoked before, and open no longer: by their dates, a withdrawal, or the end of the membership."""
        running = self.unrevoked().filter(self.running(), in_force(None, "membership__"))
        begun = self.begun() | Q(revoked_at__isnull=False)
        return self.filter(begun).exclude(pk__in=running.values("pk"))

    def held_by(self, user: User) -> Self:
        """For the person signed in: the memberships are those read with the standing, not read again."""
        mine = [membership.pk for membership in user.standing.memberships]
        return self.unrevoked().filter(self.running(), user=user, membership__in=mine)


class Grant(UserObjectPermissionBase):
    """One row of django-guardian, by a direct foreign key: a permission of a person on one record.

    ``membership`` is the quality under which the right was given: when it ends, the right ends with it, and a later
    membership does not wake it up. Guardian's own backend knows no dates: the scopes are the only readers (ADR 0004).
    """

    membership = models.ForeignKey(
        "referents.Membership", on_delete=models.PROTECT, related_name="+", verbose_name="au titre de"
    )
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="accordé par"
    )
    granted_at = models.DateTimeField("accordé le", default=timezone.now)
    revoked_at = models.DateTimeField("retiré le", null=True, blank=True)
    end_told_at = models.DateTimeField("fin annoncée le", null=True, blank=True, editable=False)

    # A Meta of its own: guardian's would forbid a renewal, which is a new row.
    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.pk}"

    @property
    def end_day(self) -> date:
        """The first day without the right, as the grant's own dates say."""
        day: date = self.ends_on
        return day

    @property
    def ended_on(self) -> date:
        """The day on which it ended, or will: by its dates, a withdrawal or its membership, read with the grant."""
        revoked_on = timezone.localdate(self.revoked_at) if self.revoked_at else None
        return min(day for day in (revoked_on, self.end_day, self.membership.ends_on) if day is not None)


class StandInReason(models.TextChoices):
    """Why somebody is away, without a word on health or private life."""

    LEAVE = "leave", "congés"
    TRAINING = "training", "formation"
    ABSENCE = "absence", "absence"
    VACANCY = "vacancy", "départ, en attendant une relève"


class StandInQuerySet(GrantQuerySet["StandIn"]):
    def running(self, on: date | None = None) -> Q:
        """Within its dates, and while the person replaced is still a référent of the team."""
        return in_force(on) & in_force(on, "content_object__")

    def overlapping(self, starts_on: date, ends_on: date) -> StandInQuerySet:
        return self.filter(ends_on__gt=starts_on, starts_on__lt=ends_on)

    def of_person(self, user: User) -> StandInQuerySet:
        """Those during which somebody holds the person's own caseload."""
        return self.filter(content_object__user=user)

    def not_over(self) -> StandInQuerySet:
        """Running, or to come: neither person has left the team meanwhile."""
        today = timezone.localdate()
        held = self.unrevoked().filter(ends_on__gt=today)
        return held.exclude(membership__ends_on__lte=today).exclude(content_object__ends_on__lte=today)

    def editable_by(self, user: User) -> StandInQuerySet:
        """The person replaced, and the coordination of the team; the one who replaces asks them."""
        coordinated = user.standing.team_ids(Role.COORDINATOR)
        return self.filter(Q(content_object__user=user) | Q(content_object__team__in=coordinated))


class StandIn(Grant):
    """Somebody holds the caseload of an absent référent, in one team, from a day to another.

    ``content_object`` is the membership replaced. Not passed on: whoever stands in for a stand-in gets the files of
    that person, never those that the person holds for another.
    """

    retention = Retention.ACCOUNT

    content_object = models.ForeignKey(
        "referents.Membership", on_delete=models.PROTECT, related_name="stand_ins", verbose_name="référent remplacé"
    )
    reason = models.CharField("motif", max_length=12, choices=StandInReason)
    starts_on = models.DateField("depuis le")
    ends_on = models.DateField("jusqu’au", help_text="Ce jour n’est plus compris.")

    objects = StandInQuerySet.as_manager()
    history = History(excluded_fields=["end_told_at"])
    permission_scopes = {"referents.change_standin": "editable_by"}

    class Meta:
        verbose_name = "remplacement"
        verbose_name_plural = "remplacements"
        indexes = [
            models.Index(fields=["user", "ends_on"], condition=Q(revoked_at__isnull=True), name="stand_in_user"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")),
                name="stand_in_ends_after_start",
                violation_error_message="Le remplacement doit finir après son début.",
            ),
            models.CheckConstraint(
                condition=~Q(membership=F("content_object")),
                name="stand_in_is_somebody_else",
                violation_error_message="Personne ne se remplace soi-même.",
            ),
        ]

    @property
    def last_day(self) -> date:
        """The last day of the replacement."""
        return self.ends_on - timedelta(days=1)


def stand_in_permission() -> Any:
    """The permission that a replacement gives on the membership replaced."""
    from django.contrib.auth.models import Permission

    return Permission.objects.get(
        content_type__app_label="referents", content_type__model=Membership._meta.model_name, codename="hold_caseload"
    )
