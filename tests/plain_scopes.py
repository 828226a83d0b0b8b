"""The scopes that pages read by themselves, without a permission, in plain Python: see ``tests/plain_rules.py``."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from partners.models import Project, ProjectLead, Term
from pre_cases.models import (
    AccessRequest,
    Action,
    Appointment,
    Child,
    ConcernReported,
    Document,
    Draft,
    DuplicateNotice,
    Enrolment,
    Entry,
    EntryTemplate,
    EpreItem,
    EpreParticipant,
    EpreSession,
    Erasure,
    ExceptionalAccess,
    ExceptionalAid,
    FamilyRequest,
    FollowUp,
    HandOver,
    Need,
    Objective,
    Parcours,
    ParcoursShare,
    RetentionHold,
    Saisine,
    StatisticsExport,
    SubjectFile,
    Suspension,
    Task,
)
from referents.models import Arrondissement, Membership, Role, StandIn, Team, User
from referents.models.user import TEAM_ROLES
from tests.plain_rules import (
    LISTS,
    Rule,
    administers,
    attends,
    belonged_to_a_team_of,
    carries,
    changes,
    coordinates,
    decides_the_request,
    edits,
    ends_the_membership,
    holds,
    holds_anywhere,
    in_force,
    is_a_person,
    is_agreed,
    is_running,
    is_there,
    prepares,
    reads,
    replaced_in,
    rows,
    runs_the_session,
    sees,
    still_held,
)

# -- what was granted, and what waits for an answer ---------------------------------------------------------------


def runs(grant: Any) -> bool:
    return still_held(grant) and in_force(grant)


def reads_the_access(user: User, access: ExceptionalAccess) -> bool:
    return holds_anywhere(user, Role.DPO) or coordinates(user, access.content_object)


def reviews(user: User, access: ExceptionalAccess) -> bool:
    return reads_the_access(user, access) and access.outcome == "" and access.user_id != user.pk


def holds_the_access(user: User, access: ExceptionalAccess) -> bool:
    return access.user_id == user.pk and is_running(access)


def works_in(user: User, parcours: Parcours) -> bool:
    return holds(user, parcours.team_id, Role.REFERENT, Role.COORDINATOR)


def asked_for(user: User, request: AccessRequest) -> bool:
    return request.asked_by_id == user.pk and works_in(user, request.parcours)


def answers_the_request(user: User, request: AccessRequest) -> bool:
    return request.answered_at is None and changes(user, request.parcours)


def answers_the_hand_over(user: User, asked: HandOver) -> bool:
    waits = asked.outcome == "" and asked.parcours.closed_on is None
    return waits and asked.to_referent_id == user.pk and holds(user, asked.parcours.team_id, Role.REFERENT)


def cancels(user: User, asked: HandOver) -> bool:
    return user.pk in (asked.asked_by_id, asked.from_referent_id) or coordinates(user, asked.parcours)


def follows_the_hand_over(user: User, asked: HandOver) -> bool:
    sides = (asked.asked_by_id, asked.from_referent_id, asked.to_referent_id)
    return user.pk in sides and works_in(user, asked.parcours)


def staffs(user: User, account: User) -> bool:
    return administers(user, account) or (is_a_person(account) and belonged_to_a_team_of(user, account))


def manages_the_caseload(user: User, membership: Membership) -> bool:
    own = membership.user_id == user.pk and holds(user, membership.team_id, Role.REFERENT)
    return membership.role == Role.REFERENT and (own or holds(user, membership.team_id, Role.COORDINATOR))


def is_listed_to(user: User, parcours: Parcours) -> bool:
    return parcours.closed_on is None and holds(user, parcours.team_id, Role.REFERENT, Role.COORDINATOR)


def invites(user: User, account: User) -> bool:
    """Where the person could end a role that lasts."""
    today = timezone.localdate()
    lasting = [
        row
        for row in rows(Membership, "user_id", account.pk)
        if row.ends_on is None or (row.ends_on > today and row.ends_on > row.starts_on)
    ]
    ended_by = any(ends_the_membership(user, row) for row in lasting)
    return administers(user, account) or (is_a_person(account) and ended_by)


# -- a child, and what is written about a child -------------------------------------------------------------------


def sees_the_child(user: User, child: Child) -> bool:
    followed, told = rows(Parcours, "child_id", child.pk), rows(Saisine, "child_id", child.pk)
    return any(reads(user, found) for found in followed) or any(sees(user, found) for found in told)


def edits_the_child(user: User, child: Child) -> bool:
    """While a parcours is open, who may change it; otherwise who holds a saisine that waits."""
    followed = [found for found in rows(Parcours, "child_id", child.pk) if found.closed_on is None]
    if followed:
        return any(changes(user, found) for found in followed)
    return any(edits(user, found) for found in rows(Saisine, "child_id", child.pk))


def refers(user: User, child: Child) -> bool:
    followed, told = rows(Parcours, "child_id", child.pk), rows(Saisine, "child_id", child.pk)
    return any(carries(user, found) for found in followed) or any(sees(user, found) for found in told)


def reaches_the_task(user: User, task: Task) -> bool:
    return changes(user, task.parcours) if task.parcours else edits(user, task.saisine)


def has_the_task(user: User, task: Task) -> bool:
    team_id = (task.parcours or task.saisine).team_id
    return reaches_the_task(user, task) and task.assignee_id in {user.pk, *replaced_in(user, team_id)}


def has_the_meeting(user: User, meeting: Appointment) -> bool:
    holders = {user.pk, *replaced_in(user, meeting.parcours.team_id)}
    return changes(user, meeting.parcours) and meeting.user_id in holders


def corrects(user: User, entry: Entry) -> bool:
    return entry.parcours is not None and entry.author_id == user.pk and changes(user, entry.parcours)


def asks_about(user: User, entry: Entry) -> bool:
    return entry.parcours is not None and entry.parcours.closed_on is None and coordinates(user, entry.parcours)


def answers_the_question(user: User, asked: FollowUp) -> bool:
    """Whoever follows the parcours, or follows it in somebody's place; the coordination does not answer itself."""
    parcours = asked.entry.parcours
    if parcours is None or asked.answered_at is not None or parcours.closed_on is not None:
        return False
    return LISTS["followed_by"](user, parcours) or LISTS["stood_in_by"](user, parcours)


def leads(user: User, project_id: Any) -> bool:
    led = [row for row in rows(ProjectLead, "project_id", project_id) if row.user_id == user.pk]
    return holds_anywhere(user, Role.PROJECT_LEADER) and any(map(in_force, led))


# -- lists and territory ------------------------------------------------------------------------------------------


def keeps_the_lists(user: User, record: Any) -> bool:
    keepers = (Role.PILOTAGE, Role.ADMINISTRATOR) if isinstance(record, Term) else (Role.ADMINISTRATOR,)
    return holds_anywhere(user, *keepers)


def controls_the_lists(user: User, record: Any) -> bool:
    return keeps_the_lists(user, record) or holds_anywhere(user, Role.DPO)


def coordinates_the_team(user: User, team: Team) -> bool:
    return holds(user, team.pk, Role.COORDINATOR)


def retains(user: User, child: Child) -> bool:
    """The coordination of the last parcours, or of the last saisine without one."""
    parcours = sorted(rows(Parcours, "child_id", child.pk), key=lambda row: (row.opened_on, row.pk))
    saisines = sorted(rows(Saisine, "child_id", child.pk), key=lambda row: (row.received_on, row.pk))
    files = parcours or saisines
    return bool(files) and holds(user, files[-1].team_id, Role.COORDINATOR)


def follows_the_erasure(user: User, erasure: Erasure) -> bool:
    return holds_anywhere(user, Role.DPO) or holds(user, erasure.team_id, Role.COORDINATOR)


def decides_the_erasure(user: User, erasure: Erasure) -> bool:
    waits = erasure.state in ("requested", "blocked")
    return holds_anywhere(user, Role.DPO) and waits and erasure.requested_by_id != user.pk


# -- the EPRE -----------------------------------------------------------------------------------------------------


def is_opened_to(user: User, item: EpreItem) -> bool:
    """To the members invited, from three days before until seven days after."""
    near = -7 <= (item.session.on - timezone.localdate()).days <= 3
    return near and is_there(item) and is_agreed(item) and attends(user, item.session)


def has_the_follow_up(user: User, item: EpreItem) -> bool:
    waits = item.task is not None and item.task.done_at is None and item.parcours.closed_on is None
    own = waits and item.task is not None and item.task.assignee_id == user.pk
    return own and is_agreed(item) and holds(user, item.session.team_id, *TEAM_ROLES)


def decides_the_aid(user: User, aid: ExceptionalAid) -> bool:
    return aid.parcours.closed_on is None and coordinates(user, aid.parcours)


def knows_of_the_concern(user: User, concern: ConcernReported) -> bool:
    own = concern.author_id == user.pk and carries(user, concern.parcours)
    return own or coordinates(user, concern.parcours)


SCOPES: dict[tuple[type[models.Model], str], Rule] = {
    (Parcours, "carried_by"): carries,
    (Parcours, "listed_to"): is_listed_to,
    (ParcoursShare, "editable_by"): lambda user, share: changes(user, share.content_object),
    (ParcoursShare, "held_by"): lambda user, share: share.user_id == user.pk and runs(share),
    (ExceptionalAccess, "visible_to"): reads_the_access,
    (ExceptionalAccess, "reviewable_by"): reviews,
    (ExceptionalAccess, "endable_by"): lambda user, row: row.user_id == user.pk or reads_the_access(user, row),
    (ExceptionalAccess, "held_by"): holds_the_access,
    (AccessRequest, "asked_by"): asked_for,
    (AccessRequest, "answerable_by"): answers_the_request,
    (HandOver, "answerable_by"): answers_the_hand_over,
    (HandOver, "cancellable_by"): cancels,
    (HandOver, "seen_by"): follows_the_hand_over,
    (StandIn, "held_by"): lambda user, row: row.user_id == user.pk and runs(row) and in_force(row.content_object),
    (StandIn, "of_person"): lambda user, row: row.content_object.user_id == user.pk,
    (Child, "visible_to"): sees_the_child,
    (Child, "editable_by"): edits_the_child,
    (Child, "referable_by"): refers,
    (Child, "retained_by"): retains,
    (RetentionHold, "editable_by"): lambda user, hold: retains(user, hold.child),
    (Erasure, "visible_to"): follows_the_erasure,
    (Erasure, "decidable_by"): decides_the_erasure,
    (EpreSession, "prepared_by"): prepares,
    (EpreSession, "attended_by"): attends,
    (EpreParticipant, "editable_by"): lambda user, row: runs_the_session(user, row.session),
    (EpreItem, "carried_by"): lambda user, item: carries(user, item.parcours),
    (EpreItem, "opened_to"): is_opened_to,
    (EpreItem, "entrusted_to"): has_the_follow_up,
    (FamilyRequest, "overseen_by"): lambda user, row: holds_anywhere(user, Role.DPO),
    (SubjectFile, "decidable_by"): lambda user, file: decides_the_request(user, file.request),
    (SubjectFile, "overseen_by"): lambda user, file: file.submitted_at is not None and holds_anywhere(user, Role.DPO),
    (Document, "visible_to"): lambda user, row: row.removed_at is None and carries(user, row.parcours),
    (Document, "editable_by"): lambda user, row: row.removed_at is None and changes(user, row.parcours),
    (Objective, "editable_by"): lambda user, row: changes(user, row.parcours),
    (Action, "editable_by"): lambda user, row: changes(user, row.objective.parcours),
    (Need, "editable_by"): lambda user, row: changes(user, row.parcours),
    (Suspension, "editable_by"): lambda user, row: changes(user, row.parcours),
    (ExceptionalAid, "editable_by"): lambda user, row: changes(user, row.parcours),
    (ExceptionalAid, "decidable_by"): decides_the_aid,
    (ConcernReported, "visible_to"): knows_of_the_concern,
    (Enrolment, "editable_by"): lambda user, row: changes(user, row.parcours),
    (Enrolment, "led_by"): lambda user, row: leads(user, row.project_id),
    (Project, "led_by"): lambda user, project: leads(user, project.pk),
    (Task, "of"): has_the_task,
    (Task, "reached_by"): reaches_the_task,
    (Appointment, "of"): has_the_meeting,
    (Appointment, "reached_by"): lambda user, row: changes(user, row.parcours),
    (Entry, "correctable_by"): corrects,
    (Entry, "questionable_by"): asks_about,
    (FollowUp, "answerable_by"): answers_the_question,
    (FollowUp, "overseen_by"): lambda user, row: coordinates(user, row.entry.parcours),
    (EntryTemplate, "of"): lambda user, row: row.user_id == user.pk,
    (Draft, "of"): lambda user, draft: draft.user_id == user.pk,
    (DuplicateNotice, "decidable_by"): lambda user, row: holds(user, row.team_id, Role.COORDINATOR),
    (StatisticsExport, "visible_to"): lambda user, row: holds_anywhere(user, Role.PILOTAGE),
    (Membership, "caseloads_managed_by"): manages_the_caseload,
    (Membership, "in_teams_of"): lambda user, row: holds(user, row.team_id, Role.COORDINATOR),
    (User, "staffed_by"): staffs,
    (User, "invited_by"): invites,
    (Team, "coordinated_by"): coordinates_the_team,
    (Team, "staffed_by"): lambda user, team: keeps_the_lists(user, team) or coordinates_the_team(user, team),
}
for model in (Term, Team, Arrondissement):
    SCOPES[model, "editable_by"], SCOPES[model, "controlled_by"] = keeps_the_lists, controls_the_lists
