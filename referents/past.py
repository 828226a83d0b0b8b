"""What became of one account, the latest first: each change in words, with its author."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from referents.days import day
from referents.models import Invitation, Membership, User
from referents.models.user import MembershipQuerySet
from referents.services.accounts import ReactivationReason, SuspensionReason

SHOWN = 50
IDENTITY = {"first_name": "prénom", "last_name": "nom", "email": "adresse", "employer": "employeur"}
REASONS: dict[str, str] = dict([*SuspensionReason.choices, *ReactivationReason.choices])


@dataclass(frozen=True)
class PastChange:
    """One line; ``author`` is the name of a professional, "" for what Marelle does by itself."""

    at: datetime
    text: str
    author_id: int | None
    author: str = ""


def past_of(user: User, memberships: MembershipQuerySet, *, in_full: bool) -> list[PastChange]:
    """The changes of an account; ``memberships`` are those the reader sees, and without ``in_full`` their changes only.

    Five queries at most, whatever the number of changes.
    """
    changes = list(_roles(memberships.filter(user=user)))
    if in_full:
        changes += [*_identity(user), *_invitations(user)]
    latest = sorted(changes, key=lambda change: change.at, reverse=True)[:SHOWN]
    people = User.objects.people().in_bulk({change.author_id for change in latest if change.author_id})
    return [
        PastChange(
            change.at,
            change.text,
            change.author_id,
            people[change.author_id].get_full_name() if change.author_id in people else "",
        )
        for change in latest
    ]


def _identity(user: User) -> Iterator[PastChange]:
    versions = list(user.history.all().order_by("history_date", "history_id"))
    for former, version in zip([None, *versions], versions, strict=False):
        text = _change_of_identity(former, version)
        if text:
            yield PastChange(version.history_date, text, version.history_user_id)


def _change_of_identity(former: Any, version: Any) -> str:
    if former is None:
        return "Compte ouvert"
    if former.is_active != version.is_active:
        reason = REASONS.get((version.history_change_reason or "").rpartition(":")[2], "")
        return ("Compte réactivé" if version.is_active else "Compte suspendu") + (f" : {reason}" if reason else "")
    changed = [
        f"{label} (avant : {getattr(former, name) or 'vide'})"
        for name, label in IDENTITY.items()
        if getattr(former, name) != getattr(version, name)
    ]
    return f"Identité corrigée : {', '.join(changed)}" if changed else ""


def _roles(memberships: MembershipQuerySet) -> Iterator[PastChange]:
    known = {row.pk: row for row in memberships.select_related("team")}
    versions = Membership.history.filter(id__in=known).order_by("history_date", "history_id")
    for version in versions:
        row = known[version.id]
        name = row.get_role_display() + (f", équipe {row.team.name}" if row.team else "")
        if version.history_type == "+":
            until = f", accès fermé dès le {day(version.ends_on)}" if version.ends_on else ""
            text = f"Rôle donné : {name}, à partir du {day(version.starts_on)}{until}"
        elif version.ends_on == version.starts_on:
            text = f"Rôle annulé avant de commencer : {name}"
        else:
            text = f"Fin du rôle : {name}, accès fermé dès le {day(version.ends_on)}"
        yield PastChange(version.history_date, text, version.history_user_id)


def _invitations(user: User) -> Iterator[PastChange]:
    for invitation in Invitation.objects.filter(user=user):
        yield PastChange(invitation.sent_at, "Invitation envoyée", invitation.sent_by_id)
        if invitation.used_at:
            yield PastChange(invitation.used_at, "Mot de passe choisi", user.pk)
