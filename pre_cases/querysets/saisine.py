"""Which saisines: by stage, by team, and who may reach them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When

from pre_cases.stages import SaisineStage
from referents.models import Role

if TYPE_CHECKING:
    from pre_cases.models import AgreementHolder, Saisine
    from referents.models import User

WAITING = (
    SaisineStage.DRAFT,
    SaisineStage.RECEIVED,
    SaisineStage.TO_COMPLETE,
    SaisineStage.AGREEMENT_AWAITED,
    SaisineStage.AGREEMENT_SIGNED,
)


LACKING = Q(completion_asked_on__isnull=False, completed_on__isnull=True)


class SaisineQuerySet(models.QuerySet["Saisine"]):
    def with_stage(self) -> SaisineQuerySet:
        """Annotate where each saisine stands today; the first fact that matches wins."""
        from pre_cases.models import Agreement, Parcours

        agreements = Agreement.objects.filter(saisine=OuterRef("pk"))
        pending = agreements.filter(refused_on__isnull=True, withdrawn_on__isnull=True)
        return self.annotate(
            stage_code=Case(
                When(Exists(Parcours.objects.filter(saisine=OuterRef("pk"))), then=Value(SaisineStage.OPENED.value)),
                When(~Q(outcome=""), then=F("outcome")),
                When(Exists(pending.filter(signed_on__isnull=False)), then=Value(SaisineStage.AGREEMENT_SIGNED.value)),
                When(Exists(pending), then=Value(SaisineStage.AGREEMENT_AWAITED.value)),
                When(Exists(agreements), then=Value(SaisineStage.AGREEMENT_REFUSED.value)),
                When(submitted_on__isnull=True, then=Value(SaisineStage.DRAFT.value)),
                When(LACKING, then=Value(SaisineStage.TO_COMPLETE.value)),
                default=Value(SaisineStage.RECEIVED.value),
                output_field=models.CharField(),
            )
        )

    def at_stage(self, *stages: SaisineStage) -> SaisineQuerySet:
        return self.with_stage().filter(Q(stage_code__in=[stage.value for stage in stages]))

    def waiting(self) -> SaisineQuerySet:
        """Those that still ask something of the team, before a parcours."""
        return self.at_stage(*WAITING)

    def submitted(self) -> SaisineQuerySet:
        """Those that reached a team: drafts are counted nowhere."""
        return self.filter(submitted_on__isnull=False)

    def awaiting_agreement(self) -> SaisineQuerySet:
        return self.at_stage(SaisineStage.AGREEMENT_AWAITED)

    def in_team(self, team_id: int) -> SaisineQuerySet:
        return self.filter(team_id=team_id)

    def received_before(self, day: date) -> SaisineQuerySet:
        return self.filter(received_on__lt=day)

    # -- scopes ---------------------------------------------------------------------------------------------------

    def decidable_by(self, user: User) -> SaisineQuerySet:
        """Those of the teams that the person coordinates."""
        return self.filter(team_id__in=user.standing.team_ids(Role.COORDINATOR))

    def visible_to(self, user: User) -> SaisineQuerySet:
        """A coordinator: all of the teams. A référent: own ones, those of whom one replaces, the team's that nobody
        follows and that still wait; none of a child whose parcours somebody else follows. Once opened, a saisine is
        read by whoever follows the parcours today, like everything else about the child.
        """
        from pre_cases.models import Parcours

        standing = user.standing
        parcours = Parcours.objects.filter(saisine=OuterRef("pk"))
        unfollowed = Q(assignee__isnull=True, outcome="")
        own = Q(team_id__in=standing.team_ids(Role.REFERENT)) & (Q(assignee=user) | unfollowed)
        followed = Parcours.objects.open().filter(child=OuterRef("child"))
        by_others = Exists(followed) & ~Exists(followed.followed_by(user)) & ~Exists(followed.stood_in_by(user))
        return self.filter(
            ((own | user.replaced("assignee", "team")) & ~Exists(parcours) & ~by_others)
            | Exists(parcours.followed_by(user))
            | Exists(parcours.stood_in_by(user))
            | Q(team_id__in=standing.team_ids(Role.COORDINATOR))
        )

    def editable_by(self, user: User) -> SaisineQuerySet:
        """Those in reach that still wait: neither a parcours nor an outcome has ended them."""
        from pre_cases.models import Parcours

        return self.visible_to(user).filter(~Exists(Parcours.objects.filter(saisine=OuterRef("pk"))), outcome="")

    def instructed_by(self, user: User) -> SaisineQuerySet:
        """Those that the person carries before the parcours: own ones, or all of the teams for a coordinator."""
        return self.editable_by(user).filter(
            Q(assignee=user)
            | user.replaced("assignee", "team")
            | Q(team_id__in=user.standing.team_ids(Role.COORDINATOR))
        )


class AgreementHolderQuerySet(models.QuerySet["AgreementHolder"]):
    def objecting(self) -> AgreementHolderQuerySet:
        """Oppositions that the coordination has not settled: they suspend at once."""
        return self.filter(objected_on__isnull=False, settled_on__isnull=True)
