"""Newcomers: an account, a role, and a link by e-mail with which they choose their first password."""

import enum
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from audit.history import SYSTEM_EMAIL
from audit.journal.models import Action
from audit.journal.record import record_change, record_event
from audit.services import Overreach, Refused, service
from referents.letters import send_letter
from referents.models import Invitation, Membership, Role, Team, User
from referents.services.accounts import EmailAlreadyUsed, create_account, revoke_invitations
from referents.services.memberships import RoleAlreadyHeld, SeparateDuties, grant_membership

KIND = "referents.invitation"


class Closed(enum.StrEnum):
    """Why a link opens nothing."""

    UNKNOWN = "unknown"
    USED = "used"
    REPLACED = "replaced"
    REVOKED = "revoked"
    EXPIRED = "expired"
    SUSPENDED = "suspended"


SENTENCES = {
    Closed.UNKNOWN: "Ce lien n’est pas complet, ou n’a jamais existé. Recopiez-le en entier depuis le courriel.",
    Closed.USED: "Ce lien a déjà servi : connectez-vous.",
    Closed.REPLACED: "Un lien plus récent vous a été envoyé : utilisez celui du dernier courriel.",
    Closed.REVOKED: "Cette invitation a été annulée. Si vous l’attendiez, demandez-en une autre à la coordination.",
    Closed.EXPIRED: "Ce lien n’était valable que trois jours. Demandez-en un autre à la coordination.",
    Closed.SUSPENDED: "Ce compte est suspendu. Adressez-vous à l’administration technique.",
}


class InvitationClosed(Refused):
    """The link opens nothing; ``reason`` says why."""

    def __init__(self, reason: Closed, invitation_id: int | None = None) -> None:
        super().__init__(SENTENCES[reason])
        self.reason = reason
        self.invitation_id = invitation_id


class NotYoursToInvite(Overreach):
    """The person may not send this link."""


class AlreadyEntered(Refused):
    """The person has a way in: a lost password is the person's own affair."""


class NotAnAddress(Refused):
    """Nobody reads this address."""


class AccountSuspended(Refused):
    """A suspended account receives no link."""


@service
def invite(
    *,
    email: str,
    first_name: str,
    last_name: str,
    role: Role,
    team: Team | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
    employer: str = "",
    by: User,
) -> None:
    """Open an account with its first role, and send the link.

    A coordination never learns whether an account existed: the person then receives the role and is told by e-mail,
    and what was typed of their name is not kept. The administration, which sees every account, is told.
    """
    if email.lower() == SYSTEM_EMAIL:
        raise NotAnAddress("Cette adresse ne reçoit pas de courriel.", field="email")
    first_role: dict[str, Any] = {"role": role, "team": team, "starts_on": starts_on, "ends_on": ends_on}
    known = User.objects.filter(email=email.lower()).first()
    if known is None:
        user = create_account(email=email, first_name=first_name, last_name=last_name, employer=employer, by=by)
        grant_membership(user=user, by=by, **first_role)
        send_invitation(user=user, by=by)
    elif by.standing.holds(Role.ADMINISTRATOR):
        raise EmailAlreadyUsed("Cette adresse ouvre déjà un compte : ajoutez-lui ce rôle.", field="email")
    else:
        _give_to_known(known, by, **first_role)


def _give_to_known(user: User, giver: User, **role: Any) -> None:
    try:
        membership = grant_membership(user=user, by=giver, **role)
    except SeparateDuties:  # said to the person, not to a coordination that does not see that account
        record_change(user, "refusal", detail={"asked": "grant_membership", "why": "separate_duties"})
        transaction.on_commit(_telling("tell_role_refused", user.pk), robust=True)
        return
    except RoleAlreadyHeld as refusal:
        refusal.field = "email"
        raise
    if user.is_active and not user.has_entered:
        send_invitation(user=user, by=giver)
    elif user.is_active:
        transaction.on_commit(_telling("tell_role_given", membership.pk), robust=True)


@service
def send_invitation(*, user: User, by: User) -> Invitation:
    """Send a link valid for three days, once this is committed; the former one opens nothing any more."""
    if not User.objects.invited_by(by).filter(pk=user.pk).exists():
        raise NotYoursToInvite("Vous ne pouvez pas inviter cette personne.", kind=KIND)
    current = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not current.is_active:
        raise AccountSuspended("Ce compte est suspendu : réactivez-le d’abord.")
    if current.has_entered:
        raise AlreadyEntered(
            "Cette personne est déjà entrée : « Mot de passe oublié » lui donne un autre mot de passe."
        )
    revoke_invitations(current)
    now = timezone.now()
    expires_at = now + timedelta(hours=settings.INVITATION_HOURS)
    invitation = Invitation.objects.create(user=current, sent_by=by, sent_at=now, expires_at=expires_at)
    record_change(invitation, "invite")
    transaction.on_commit(_telling("mail_invitation", invitation.pk), robust=True)
    return invitation


def opened(token: str) -> Invitation:
    """The invitation of a link that still opens; InvitationClosed otherwise. Looking consumes nothing."""
    invitation = Invitation.objects.of_token(token)
    if invitation is None:
        raise InvitationClosed(Closed.UNKNOWN)
    _require_open(invitation)
    return invitation


@service
def accept_invitation(*, invitation: Invitation, password: str, by: User) -> User:
    """The invited person chooses a first password: once, however many clicks there are."""
    User.objects.select_for_update(no_key=True).get(
        pk=invitation.user_id
    )  # first, as whoever suspends or invites again
    current = Invitation.objects.select_for_update(of=("self",)).select_related("user").get(pk=invitation.pk)
    _require_open(current)
    try:
        validate_password(password, current.user)
    except ValidationError as error:
        raise Refused(" ".join(error.messages), field="password") from error
    current.user.set_password(password)
    current.user.save(update_fields=["password"])
    current.used_at = timezone.now()
    current.save()
    record_change(current, "accept")
    return current.user


def record_closed(refusal: InvitationClosed) -> None:
    """Somebody opened a link that opens nothing: the invitation when there is one, never the link."""
    ids = [refusal.invitation_id] if refusal.invitation_id else []
    with transaction.atomic():
        record_event(Action.REFUSAL, kind=KIND, ids=ids, detail={"asked": "accept", "why": str(refusal.reason)})


def _require_open(invitation: Invitation) -> None:
    reason = None
    if invitation.used_at is not None:
        reason = Closed.USED
    elif invitation.revoked_at is not None:
        newer = Invitation.objects.pending().filter(user=invitation.user_id, pk__gt=invitation.pk)
        reason = Closed.REPLACED if newer.exists() else Closed.REVOKED
    elif invitation.has_expired:
        reason = Closed.EXPIRED
    elif invitation.user.has_entered:
        reason = Closed.USED
    if not invitation.user.is_active and reason is not Closed.USED:
        reason = Closed.SUSPENDED
    if reason is not None:
        raise InvitationClosed(reason, invitation.pk)


# -- letters, written by the worker ---------------------------------------------------------------------------------


def mail_invitation(*, invitation_id: int) -> bool:
    """Send the link of an invitation; False when it opens nothing any more, or has been sent by another run."""
    with transaction.atomic():
        rows = Invitation.objects.select_for_update(of=("self",)).select_related("user").pending()
        invitation = rows.filter(pk=invitation_id, mailed_at__isnull=True).first()
        if invitation is None:
            return False
        invitation.mailed_at = timezone.now()
        invitation.save()
        url = settings.SITE_URL + reverse("invitation_accept", args=[invitation.token])
        send_letter("invitation", invitation.user.email, {"url": url, "expires_at": invitation.expires_at})
    return True


def mail_role_given(*, membership_id: int) -> None:
    """Tell somebody who has an account that a role was given."""
    membership = Membership.objects.select_related("user", "team").get(pk=membership_id)
    send_letter("role_given", membership.user.email, {"membership": membership})


def _telling(task: str, identifier: int) -> Callable[[], object]:
    from referents import tasks  # which call services of this layer

    return lambda: getattr(tasks, task).delay(identifier)
