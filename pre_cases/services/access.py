"""Named reading access to one parcours, given for a time; and the end of every access with the parcours."""

from __future__ import annotations

from datetime import date, datetime, time

from dateutil.relativedelta import relativedelta
from django.contrib.auth.models import Permission
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from audit.encryption.keys import load_keys
from audit.journal.record import record_change
from audit.services import Overreach, Refused, service
from pre_cases.models import AccessRequest, Assignment, ExceptionalAccess, Parcours, ParcoursShare
from pre_cases.services.assignment import cancel_hand_overs
from pre_cases.services.preconditions import locked, require_agreement
from referents.models import Membership, Role, StandIn, User
from referents.models.user import TEAM_ROLES

SHARE_MONTHS = 6  # a share lasts at most; to be confirmed by the DPO


class ShareRefused(Overreach):
    """The parcours cannot be shared with this person, for this reason or until that day."""

    kind = ParcoursShare._meta.label_lower


def reading_permission() -> Permission:
    """The permission that a share or an exceptional access gives on a parcours."""
    return Permission.objects.get(content_type__app_label="pre_cases", codename="view_parcours")


def share_candidates(parcours: Parcours, sharer: User) -> QuerySet[User]:
    """Who may be given the parcours to read: people of its team who do not see it today."""
    team = Membership.objects.current().filter(user=OuterRef("pk"), team=parcours.team_id, role__in=TEAM_ROLES)
    coordinators = team.filter(role=Role.COORDINATOR)
    shares = ParcoursShare.objects.in_force().filter(user=OuterRef("pk"), content_object=parcours.pk)
    followers = Assignment.objects.current().filter(parcours=parcours.pk).values("referent")
    replacing = StandIn.objects.in_force().filter(
        user=OuterRef("pk"), content_object__team=parcours.team_id, content_object__user__in=followers
    )
    seeing = Exists(coordinators) | Q(pk__in=followers) | Exists(shares) | Exists(replacing)
    people = User.objects.filter(Exists(team), ~seeing, is_active=True).exclude(pk=sharer.pk)
    return people.order_by("last_name", "first_name", "pk")


def share_obstacle(parcours: Parcours) -> str:
    """Why the parcours cannot be shared with anybody today, "" when it can."""
    try:
        require_agreement(parcours, ShareRefused)
    except Refused as refusal:
        return str(refusal)
    return ""


@service
def share_parcours(*, parcours: Parcours, user: User, reason: str, ends_on: date, by: User) -> ParcoursShare:
    """Give a professional of the team the parcours to read, from today until a day that is no longer included.

    Whoever had asked for it has the answer by this.
    """
    current = locked(parcours)
    made = share(current, user, reason, ends_on, by)
    for request in AccessRequest.objects.pending().filter(parcours=current, asked_by=user):
        request.share, request.answered_at, request.answered_by = made, timezone.now(), by
        request.save()
        record_change(request, "accept")
    return made


def share(parcours: Parcours, user: User, reason: str, ends_on: date, giver: User) -> ParcoursShare:
    """A share, inside the transaction of its service; ``parcours`` is locked and open.

    A former share of the same person that has run out is closed on its own last day: a renewal is a new row.
    """
    require_agreement(parcours, ShareRefused)
    if not reason.strip():
        raise ShareRefused("Dites pourquoi cette personne a besoin de lire le parcours.", field="reason")
    _require_share_end(ends_on)
    membership = _require_reader(parcours, user, giver)
    load_keys([parcours.data_key_id])
    for former in ParcoursShare.objects.unrevoked().filter(user=user, content_object=parcours):
        former.revoked_at = min(timezone.make_aware(datetime.combine(former.ends_on, time.min)), timezone.now())
        former.end_told_at = timezone.now()  # it goes on: nobody is told that it has ended
        former.save()
    made = ParcoursShare.objects.create(
        user=user,
        membership=membership,
        permission=reading_permission(),
        content_object=parcours,
        reason=reason.strip(),
        granted_by=giver,
        starts_on=timezone.localdate(),
        ends_on=ends_on,
        data_key_id=parcours.data_key_id,
    )
    record_change(made, "grant", detail={"user": user.pk})
    return made


def _require_share_end(ends_on: date) -> None:
    today = timezone.localdate()
    if ends_on <= today:
        raise ShareRefused("Le dernier jour du partage est passé : choisissez aujourd’hui ou après.", field="ends_on")
    if ends_on > today + relativedelta(months=SHARE_MONTHS, days=1):
        raise ShareRefused(f"Un partage dure {SHARE_MONTHS} mois au plus : il pourra être renouvelé.", field="ends_on")


def _require_reader(parcours: Parcours, user: User, sharer: User) -> Membership:
    """The membership of the team under which the person may read; ShareRefused when there is none, or no need."""
    if user.pk == sharer.pk:
        raise ShareRefused("Vous ne pouvez pas partager le parcours avec vous-même.", field="user")
    memberships = Membership.objects.current().filter(user=user, team=parcours.team_id, role__in=TEAM_ROLES)
    membership = memberships.order_by("starts_on", "pk").first()
    if not user.is_active or membership is None:
        raise ShareRefused("Cette personne ne fait pas partie de l’équipe aujourd’hui.", field="user")
    if Parcours.objects.visible_to(user).filter(pk=parcours.pk).exists():
        raise ShareRefused("Cette personne voit déjà le parcours.", field="user")
    return membership


@service
def revoke_share(*, share: ParcoursShare, by: User) -> ParcoursShare:
    """End a share now: the person no longer sees the parcours at the next request."""
    current = ParcoursShare.objects.select_for_update(of=("self",)).get(pk=share.pk)
    if current.revoked_at is not None:
        raise ShareRefused("Ce partage est déjà retiré.")
    revoke(current)
    return current


def revoke(grant: ParcoursShare | ExceptionalAccess) -> None:
    """End a locked grant now, inside the transaction of its service."""
    grant.revoked_at = timezone.now()
    grant.save()
    record_change(grant, "revoke", detail={"user": grant.user_id})


def end_access(parcours: Parcours) -> None:
    """What every end of a parcours does: nobody outside keeps access, and what waited for an answer is over."""
    shares = parcours.shares.unrevoked().select_for_update(of=("self",))
    exceptional = parcours.exceptional_accesses.unrevoked().select_for_update(of=("self",))
    for granted in (*shares, *exceptional):
        revoke(granted)
    for request in AccessRequest.objects.pending().filter(parcours=parcours):
        request.answered_at = timezone.now()
        request.save()
        record_change(request, "cancel")
    cancel_hand_overs(parcours)
