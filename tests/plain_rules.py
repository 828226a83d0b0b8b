"""Who may do what, in plain Python, from the rows: what the scopes are compared with.

Nothing here knows a scope, ``standing`` nor ``in_force``: each rule is written a second time, so that a mistake has to
be made twice. ``Rows`` holds every row of a city; the rules read it and ask nothing more of the database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from audit.history import SYSTEM_EMAIL
from partners.models import Organisation, Project
from pre_cases.models import (
    Assignment,
    EpreItem,
    EpreParticipant,
    EpreSession,
    ExceptionalAccess,
    FamilyRequest,
    Parcours,
    ParcoursShare,
    Saisine,
)
from referents.models import CharterSignature, Membership, Role, StandIn, User
from referents.models.user import NOMINATIVE_ROLES, TEAM_ROLES

Rule = Callable[[User, Any], bool]
_rows: dict[tuple[type[models.Model], str], dict[Any, list[Any]]] = {}


def read_again() -> None:
    """To be called for each city, once it is drawn."""
    _rows.clear()


def rows(model: type[models.Model], key: str, value: Any) -> list[Any]:
    """The rows of a model whose attribute ``key`` has this value."""
    if (model, key) not in _rows:
        found: dict[Any, list[Any]] = defaultdict(list)
        related = [f.name for f in model._meta.concrete_fields if f.related_model in (Membership, Parcours, Saisine)]
        for row in model._base_manager.select_related(*related):
            found[getattr(row, key)].append(row)
        _rows[model, key] = found
    return _rows[model, key].get(value, [])


def in_force(row: Any) -> bool:
    today = timezone.localdate()
    return bool(row.starts_on <= today and (row.ends_on is None or row.ends_on > today))


# -- roles --------------------------------------------------------------------------------------------------------


def may_act(user: User) -> bool:
    """An active account, whose charter covers today when a role asks for one."""
    roles = {row.role for row in rows(Membership, "user_id", user.pk) if in_force(row)}
    charters = [
        row
        for row in rows(CharterSignature, "user_id", user.pk)
        if row.version == settings.CHARTER_VERSION and row.expires_on > timezone.localdate()
    ]
    return user.is_active and (not roles & set(NOMINATIVE_ROLES) or bool(charters))


def holds(user: User, team_id: int | None, *roles: Role) -> bool:
    held = [row for row in rows(Membership, "user_id", user.pk) if row.team_id == team_id and row.role in roles]
    return team_id is not None and any(map(in_force, held))


def holds_anywhere(user: User, *roles: Role) -> bool:
    return any(row.role in roles and in_force(row) for row in rows(Membership, "user_id", user.pk))


def still_held(grant: Any) -> bool:
    """Unrevoked, and the membership under which it was given goes on: another one does not wake it up."""
    return grant.revoked_at is None and in_force(grant.membership)


# -- parcours -----------------------------------------------------------------------------------------------------


def is_assigned(user_id: int, parcours: Parcours) -> bool:
    assigned = rows(Assignment, "parcours_id", parcours.pk)
    return any(row.referent_id == user_id and in_force(row) for row in assigned)


def follows(user: User, parcours: Parcours) -> bool:
    return is_assigned(user.pk, parcours) and holds(user, parcours.team_id, Role.REFERENT)


def replaced_in(user: User, team_id: int) -> set[int]:
    """Whom the person replaces today in a team: those who are away are still its référents."""
    return {
        row.content_object.user_id
        for row in rows(StandIn, "user_id", user.pk)
        if still_held(row) and in_force(row) and in_force(row.content_object) and row.content_object.team_id == team_id
    }


def stands_in(user: User, parcours: Parcours) -> bool:
    away = replaced_in(user, parcours.team_id)
    return parcours.closed_on is None and any(is_assigned(user_id, parcours) for user_id in away)


def coordinates(user: User, record: Parcours | Saisine) -> bool:
    return holds(user, record.team_id, Role.COORDINATOR)


def is_shared_with(user: User, parcours: Parcours) -> bool:
    shares = [row for row in rows(ParcoursShare, "content_object_id", parcours.pk) if row.user_id == user.pk]
    held = [row for row in shares if still_held(row) and row.membership.role in TEAM_ROLES]
    return parcours.closed_on is None and any(map(in_force, held))


def is_opened_exceptionally(user: User, parcours: Parcours) -> bool:
    accesses = rows(ExceptionalAccess, "content_object_id", parcours.pk)
    return parcours.closed_on is None and any(row.user_id == user.pk and is_running(row) for row in accesses)


def is_running(access: ExceptionalAccess) -> bool:
    return still_held(access) and timezone.now() - access.granted_at < timedelta(hours=24)


# The lists of parcours of a person: the union of them is what the person may read.
LISTS: dict[str, Rule] = {
    "followed_by": follows,
    "stood_in_by": stands_in,
    "coordinated_by": coordinates,
    "shared_with": is_shared_with,
    "exceptionally_opened_to": is_opened_exceptionally,
}


def reads(user: User, parcours: Parcours) -> bool:
    return any(rule(user, parcours) for rule in LISTS.values())


def carries(user: User, parcours: Parcours) -> bool:
    return follows(user, parcours) or stands_in(user, parcours) or coordinates(user, parcours)


def changes(user: User, parcours: Parcours) -> bool:
    return parcours.closed_on is None and carries(user, parcours)


# -- saisines -----------------------------------------------------------------------------------------------------


def sees(user: User, saisine: Saisine) -> bool:
    opened = rows(Parcours, "saisine_id", saisine.pk)
    if coordinates(user, saisine) or any(follows(user, found) or stands_in(user, found) for found in opened):
        return True
    unfollowed = saisine.assignee_id is None and saisine.outcome == ""
    own = (saisine.assignee_id == user.pk or unfollowed) and holds(user, saisine.team_id, Role.REFERENT)
    return not opened and (own or saisine.assignee_id in replaced_in(user, saisine.team_id))


def edits(user: User, saisine: Saisine) -> bool:
    waits = saisine.outcome == "" and not rows(Parcours, "saisine_id", saisine.pk)
    return waits and sees(user, saisine)


def instructs(user: User, saisine: Saisine) -> bool:
    carried = saisine.assignee_id in {user.pk, *replaced_in(user, saisine.team_id)}
    return edits(user, saisine) and (carried or coordinates(user, saisine))


# -- families' requests -------------------------------------------------------------------------------------------


def sees_the_request(user: User, request: FamilyRequest) -> bool:
    carried = any(carries(user, parcours) for parcours in rows(Parcours, "child_id", request.child_id))
    instructed = any(sees(user, saisine) for saisine in rows(Saisine, "child_id", request.child_id))
    return carried or instructed or holds(user, request.team_id, Role.COORDINATOR)


def decides_the_request(user: User, request: FamilyRequest) -> bool:
    return holds(user, request.team_id, Role.COORDINATOR)


# -- the EPRE -----------------------------------------------------------------------------------------------------


def prepares(user: User, session: EpreSession) -> bool:
    return holds(user, session.team_id, Role.REFERENT, Role.COORDINATOR)


def attends(user: User, session: EpreSession) -> bool:
    invited = any(row.user_id == user.pk for row in rows(EpreParticipant, "session_id", session.pk))
    return invited and session.state != "cancelled" and holds(user, session.team_id, *TEAM_ROLES)


def runs_the_session(user: User, session: EpreSession) -> bool:
    return holds(user, session.team_id, Role.COORDINATOR)


def is_agreed(item: EpreItem) -> bool:
    agreement = item.parcours.agreement
    opposed = any(holder.objected_on and holder.settled_on is None for holder in agreement.holders.all())
    lasts = item.purpose == "renewal" or (agreement.agreed_until_on or timezone.localdate()) > timezone.localdate()
    return bool(agreement.signed_on and not agreement.withdrawn_on and lasts and not opposed)


def is_there(item: EpreItem) -> bool:
    parcours, session = item.parcours, item.session
    waits = parcours.closed_on is None and parcours.team_id == session.team_id and is_agreed(item)
    return item.removed_on is None and session.state != "cancelled" and (item.decision != "" or waits)


def reads_the_sheet(user: User, item: EpreItem) -> bool:
    days = (item.session.on - timezone.localdate()).days
    opened = -7 <= days <= 3 and attends(user, item.session) and is_agreed(item)
    return is_there(item) and (carries(user, item.parcours) or opened)


def writes_the_sheet(user: User, item: EpreItem) -> bool:
    return is_there(item) and item.decision == "" and changes(user, item.parcours)


def decides_the_item(user: User, item: EpreItem) -> bool:
    return runs_the_session(user, item.session) and item.parcours.team_id == item.session.team_id


# -- projects and organisations -----------------------------------------------------------------------------------


def is_open_to(user: User, project: Project, *roles: Role) -> bool:
    in_own_team = any(holds(user, team.pk, *roles) for team in project.teams.all())
    return in_own_team or holds_anywhere(user, Role.PILOTAGE)


def keeps_the_directory(user: User, organisation: Organisation) -> bool:
    return holds_anywhere(user, Role.COORDINATOR, Role.PILOTAGE)


# -- people -------------------------------------------------------------------------------------------------------


def is_a_person(account: User) -> bool:
    return account.email != SYSTEM_EMAIL


def belonged_to_a_team_of(user: User, account: User) -> bool:
    return any(holds(user, row.team_id, Role.COORDINATOR) for row in rows(Membership, "user_id", account.pk))


def sees_the_account(user: User, account: User) -> bool:
    everybody = holds_anywhere(user, Role.ADMINISTRATOR, Role.DPO)
    return is_a_person(account) and (everybody or belonged_to_a_team_of(user, account))


def administers(user: User, account: User) -> bool:
    return is_a_person(account) and holds_anywhere(user, Role.ADMINISTRATOR)


def sees_the_membership(user: User, membership: Membership) -> bool:
    return holds_anywhere(user, Role.ADMINISTRATOR, Role.DPO) or holds(user, membership.team_id, Role.COORDINATOR)


def ends_the_membership(user: User, membership: Membership) -> bool:
    given = membership.role in (Role.REFERENT, Role.EPRE_MEMBER)
    return holds_anywhere(user, Role.ADMINISTRATOR) or (given and holds(user, membership.team_id, Role.COORDINATOR))


def ends_the_stand_in(user: User, stand_in: StandIn) -> bool:
    replaced = stand_in.content_object
    return replaced.user_id == user.pk or holds(user, replaced.team_id, Role.COORDINATOR)


RULES: dict[str, Rule] = {
    "pre_cases.view_parcours": reads,
    "pre_cases.change_parcours": changes,
    "pre_cases.decide_parcours": coordinates,
    "pre_cases.view_saisine": sees,
    "pre_cases.change_saisine": edits,
    "pre_cases.instruct_saisine": instructs,
    "pre_cases.decide_saisine": coordinates,
    "pre_cases.view_familyrequest": sees_the_request,
    "pre_cases.change_familyrequest": decides_the_request,
    "pre_cases.view_epresession": lambda user, session: prepares(user, session) or attends(user, session),
    "pre_cases.change_epresession": runs_the_session,
    "pre_cases.view_epreitem": reads_the_sheet,
    "pre_cases.change_epreitem": writes_the_sheet,
    "pre_cases.decide_epreitem": decides_the_item,
    "partners.view_project": lambda user, project: is_open_to(user, project, Role.REFERENT, Role.COORDINATOR),
    "partners.change_project": lambda user, project: is_open_to(user, project, Role.COORDINATOR),
    "partners.change_organisation": keeps_the_directory,
    "referents.view_user": sees_the_account,
    "referents.change_user": administers,
    "referents.view_membership": sees_the_membership,
    "referents.change_membership": ends_the_membership,
    "referents.change_standin": ends_the_stand_in,
}
