"""The sessions of the EPRE: planned, moved, cancelled, held; who is invited, who came; the minutes closed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from audit.encryption.keys import load_keys
from audit.journal.record import record_change
from audit.services import Refused, service
from pre_cases.models import EpreItem, EpreParticipant, EpreRemoval, EpreSession, EpreState
from pre_cases.services.preconditions import not_in_future
from referents.models import Membership, Team, User
from referents.models.user import TEAM_ROLES


class SessionRefused(Refused):
    """The session cannot be planned, moved, held or ended like this."""


class ParticipantRefused(Refused):
    """This person cannot be invited, or taken off the list."""


def locked_session(session: EpreSession) -> EpreSession:
    """The session once nobody else can change it; refuses one that is cancelled, or whose minutes are closed."""
    current = EpreSession.objects.select_for_update(of=("self",)).select_related("team").get(pk=session.pk)
    if current.state == EpreState.CANCELLED:
        raise SessionRefused("Cette séance est annulée.")
    if current.closed_on is not None:
        raise SessionRefused("Le compte rendu de cette séance est clos : elle ne se modifie plus.")
    return current


@service
def plan_session(
    *, team: Team, on: date, starts_at: time, ends_at: time, place: str, by: User, invite_again: bool = False
) -> EpreSession:
    """Plan a session; ``invite_again`` invites whoever was invited to the team's latest one."""
    _require_free(team, None, on, starts_at, ends_at)
    latest = EpreSession.objects.in_team(team.pk).order_by("-on", "-starts_at", "-id").first()
    session = EpreSession.objects.create(
        team=team, on=on, starts_at=starts_at, ends_at=ends_at, place=place.strip(), created_by=by
    )
    record_change(session, "create")
    if invite_again and latest is not None:
        for former in latest.participants.select_related("user").order_by("id"):
            if former.user is None or _is_of_team(former.user, team):
                _invite(session, former.user, former.name, former.institution, former.function)
    return session


@service
def move_session(
    *, session: EpreSession, on: date, starts_at: time, ends_at: time, place: str, by: User
) -> EpreSession:
    """Another day, other hours or another place, while the session is to be held."""
    _require_free(session.team, session, on, starts_at, ends_at)
    current = locked_session(session)
    if current.state == EpreState.HELD:
        raise SessionRefused("Cette séance est tenue : sa date ne change plus.")
    current.on, current.starts_at, current.ends_at, current.place = on, starts_at, ends_at, place.strip()
    current.save()
    record_change(current, "change")
    return current


def _require_free(team: Team, session: EpreSession | None, on: date, starts_at: time, ends_at: time) -> None:
    """A team sits in one place at a time; the team is locked, so that of two sessions the second one is told."""
    Team.objects.select_for_update().get(pk=team.pk)
    if ends_at <= starts_at:
        raise SessionRefused("La séance se termine après avoir commencé.", field="ends_at")
    others = EpreSession.objects.in_team(team.pk).exclude(state=EpreState.CANCELLED)
    if session is not None:
        others = others.exclude(pk=session.pk)
    if others.filter(on=on, starts_at__lt=ends_at, ends_at__gt=starts_at).exists():
        raise SessionRefused("L’équipe a déjà une séance à ces heures-là : choisissez un autre créneau.", field="on")


@service
def cancel_session(*, session: EpreSession, by: User) -> EpreSession:
    """Call a session off: its situations are free to be put on another agenda."""
    current = locked_session(session)
    if current.state == EpreState.HELD or current.items.decided().exists():
        raise SessionRefused("Cette séance a déjà examiné des situations : elle ne s’annule plus.")
    current.state = EpreState.CANCELLED
    current.save()
    record_change(current, "cancel")
    for item in EpreItem.objects.filter(session=current, removed_on__isnull=True).select_related("session"):
        take_off(item, EpreRemoval.CANCELLED)
    return current


def take_off(item: EpreItem, removal: EpreRemoval) -> None:
    """End an undecided situation of an agenda, inside the transaction of its service."""
    load_keys([item.data_key_id])
    item.removed_on, item.removal = timezone.localdate(), removal
    item.save()
    record_change(item, "remove")


@service
def invite(
    *,
    session: EpreSession,
    by: User,
    user: User | None = None,
    name: str = "",
    institution: str = "",
    function: str = "",
) -> EpreParticipant:
    """Invite a person of the team by account, or anybody by name and institution."""
    current = locked_session(session)
    if user is not None and not _is_of_team(user, current.team):
        raise ParticipantRefused("Cette personne ne fait pas partie de l’équipe aujourd’hui.", field="user")
    name = user.get_full_name() if user is not None else name.strip()
    institution = institution.strip() or (user.employer if user is not None else "")
    if not name or (user is None and not institution):
        raise ParticipantRefused("Choisissez une personne de l’équipe, ou écrivez son nom et son institution.")
    same = Q(name__iexact=name, institution__iexact=institution)
    if current.participants.filter(same | Q(user=user) if user is not None else same).exists():
        raise ParticipantRefused("Cette personne est déjà invitée à la séance.", field="user" if user else "name")
    return _invite(current, user, name, institution, function.strip())


def _invite(session: EpreSession, user: User | None, name: str, institution: str, function: str) -> EpreParticipant:
    made = EpreParticipant.objects.create(
        session=session, user=user, name=name, institution=institution, function=function
    )
    record_change(made, "invite", detail={"user": user.pk} if user is not None else None)
    return made


def _is_of_team(user: User, team: Team) -> bool:
    held = Membership.objects.current().filter(user=user, team=team, role__in=TEAM_ROLES)
    return user.is_active and held.exists()


@service
def uninvite(*, participant: EpreParticipant, by: User) -> None:
    """Take an invitation back before the session: an account no longer reads its sheets."""
    current = locked_session(participant.session)
    if current.state == EpreState.HELD or current.items.filter(follow_up_by=participant).exists():
        raise ParticipantRefused("La séance a eu lieu : la feuille de présence ne perd personne.")
    record_change(participant, "uninvite")
    participant.delete()


@service
def hold_session(
    *, session: EpreSession, attended: Mapping[UUID, bool], charters: Mapping[UUID, date | None], by: User
) -> EpreSession:
    """The session took place: who came, and who signed the charter on the sheet. May be corrected until the minutes."""
    current = locked_session(session)
    not_in_future(current.on, SessionRefused, field="")
    if not any(attended.values()):
        raise SessionRefused("Dites qui était présent : une séance ne se tient pas sans personne.")
    for participant in current.participants.select_for_update():
        signed_on = charters.get(participant.pk)
        if signed_on is not None and signed_on > timezone.localdate():
            raise SessionRefused("Une charte ne se signe pas dans le futur.", field=f"charter-{participant.pk}")
        participant.attended = attended.get(participant.pk, False)
        participant.charter_on = signed_on
        participant.save()
        record_change(participant, "attend")
    current.state = EpreState.HELD
    current.save()
    record_change(current, "hold")
    return current


@service
def close_minutes(*, session: EpreSession, by: User) -> EpreSession:
    """The minutes are complete: from now on nothing of the session changes, save who was told and what was done."""
    current = locked_session(session)
    if current.state != EpreState.HELD:
        raise SessionRefused("Dites d’abord qui était présent.")
    if current.items.pending().exists():
        raise SessionRefused("Une situation attend encore sa décision : décidez, ajournez, ou retirez-la.")
    present = current.participants.filter(attended=True)
    if present.without_charter().exists():
        raise SessionRefused("Une personne présente n’a pas signé la charte : notez-la, ou corrigez la présence.")
    current.closed_on, current.closed_by = timezone.localdate(), by
    current.save()
    record_change(current, "close")
    return current
