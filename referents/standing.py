"""What a person may act as today: current memberships and the confidentiality charter, read in one query."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone

from referents.models import Membership, Role, Team, User
from referents.models.charter import charter_until
from referents.models.user import NOMINATIVE_ROLES


@dataclass(frozen=True)
class Standing:
    """Current memberships of one person; ``charter_until`` is the first day without a valid charter."""

    memberships: tuple[Membership, ...]
    charter_until: date | None

    def holds(self, role: Role) -> bool:
        return any(membership.role == role for membership in self.memberships)

    def teams(self, role: Role) -> list[Team]:
        """Teams in which the role is held, in the order of the arrondissements."""
        held = [m.team for m in self.memberships if m.role == role and m.team is not None]
        return sorted(held, key=lambda team: (team.arrondissement_id, team.code))

    def team_ids(self, *roles: Role) -> list[int]:
        return sorted({m.team_id for m in self.memberships if m.role in roles and m.team_id is not None})

    @property
    def is_active(self) -> bool:
        return bool(self.memberships)

    @property
    def needs_charter(self) -> bool:
        """True when a role of this person opens nominative pages and no charter covers today."""
        nominative = any(membership.role in NOMINATIVE_ROLES for membership in self.memberships)
        return nominative and (self.charter_until is None or self.charter_until <= timezone.localdate())

    @property
    def capacity(self) -> tuple[str, int | None]:
        """Role and team for the journal; the team is left out when several are held in that role."""
        if not self.memberships:
            return "", None
        role = min((m.role for m in self.memberships), key=list(Role.values).index)
        teams = self.team_ids(Role(role))
        return role, teams[0] if len(teams) == 1 else None


def standing_of(user: User) -> Standing:
    memberships: tuple[Any, ...] = tuple(
        Membership.objects.current()
        .filter(user=user)
        .select_related("team__arrondissement")
        .annotate(charter_until=charter_until("user"))
    )
    return Standing(memberships, memberships[0].charter_until if memberships else None)
