"""Accounts: who may sign in, under which name, suspended or ended. Roles are in ``memberships``."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.db import models, transaction
from django.utils import timezone

from audit.history import SYSTEM_EMAIL
from audit.journal.models import Action, Event
from audit.journal.record import record_change
from audit.services import Overreach, Refused, service
from referents.models import Membership, User
from referents.services.identities import forget_identities
from referents.services.memberships import close, lock_cover, require_cover
from referents.services.sessions import sign_out_everywhere

KIND = "referents.user"
NOBODY_ALONE_DAYS = 7


class EmailAlreadyUsed(Refused):
    """One account per person: the address already opens one."""


class NotYourAccounts(Overreach):
    """Accounts are opened by the administration and the coordinations, changed by the administration only."""


class NotYourself(Refused):
    """The person would close their own account."""


class NobodyAlone(Overreach):
    """One person would hold both the address and the second factor of somebody else's account."""


class NothingToChange(Refused):
    """The account is already as asked."""


class SuspensionReason(models.TextChoices):
    LOST = "lost", "matériel ou mot de passe perdu, volé, divulgué"
    SUSPICION = "suspicion", "usage inhabituel à vérifier"
    ABSENCE = "absence", "absence longue"
    REQUEST = "request", "demande de la personne ou de son employeur"


class ReactivationReason(models.TextChoices):
    SETTLED = "settled", "vérification faite"
    RETURN = "return", "retour de la personne"
    MISTAKE = "mistake", "suspendu par erreur"


@service
def create_account(
    *, email: str, first_name: str, last_name: str, employer: str = "", password: str | None = None, by: User
) -> User:
    """Create an account that opens nothing yet; without a password only an invitation can set one."""
    if by.email != SYSTEM_EMAIL and not User.objects.may_be_invited_by(by):
        raise NotYourAccounts("Vous ne pouvez pas ouvrir de compte.", kind=KIND)
    _require_free(email)
    user = User.objects.create_user(email, password, first_name=first_name, last_name=last_name, employer=employer)
    record_change(user, "create")
    return user


@service
def change_identity(*, user: User, email: str, first_name: str, last_name: str, employer: str, by: User) -> User:
    """Correct who the person is. A new address closes the links sent to the former one, which is told so."""
    current = _administered(user, by)
    former = current.email
    if email.lower() != former:
        _require_free(email, beside=current)
        require_nobody_alone(current, by, Action.SECOND_FACTOR_RESET)
    values = {"email": email.lower(), "first_name": first_name, "last_name": last_name, "employer": employer}
    changed = [name for name, value in values.items() if getattr(current, name) != value]
    if not changed:
        return current
    for name in changed:
        setattr(current, name, values[name])
    current.save()
    record_change(current, "change", detail={"fields": changed})
    if "email" in changed:
        EmailAddress.objects.filter(user=current).delete()  # allauth's copy would still open a lost password
        forget_identities(current)
        revoke_invitations(current)
        transaction.on_commit(_telling_former_address(current), robust=True)
    return current


@service
def suspend_account(*, user: User, reason: SuspensionReason, by: User) -> User:
    """Shut the account until it is reactivated: every session ends at its next request, roles stay as they are."""
    current = _administered(user, by)
    _require_somebody_else(current, by)
    if not current.is_active:
        raise NothingToChange("Ce compte est déjà suspendu.")
    require_cover(_lasting_roles(current), timezone.localdate())
    current.is_active = False
    _save_because(current, f"suspend:{reason}")
    sign_out_everywhere(user=current, by=by)  # a reactivation wakes no session up
    revoke_invitations(current)
    record_change(current, "suspend", purpose=reason)
    return current


@service
def reactivate_account(*, user: User, reason: ReactivationReason, by: User) -> User:
    """Open a suspended account again; its roles are those that are still in force."""
    current = _administered(user, by)
    if current.is_active:
        raise NothingToChange("Ce compte n’est pas suspendu.")
    current.is_active = True
    _save_because(current, f"reactivate:{reason}")
    record_change(current, "reactivate", purpose=reason)
    return current


@service
def end_account(*, user: User, ends_on: date | None = None, by: User) -> int:
    """The person leaves: every role closes on a day (today by default); how many. The account itself is kept."""
    current = _administered(user, by)
    _require_somebody_else(current, by)
    day = ends_on or timezone.localdate()
    if day < timezone.localdate():
        raise Refused("L’accès ferme aujourd’hui au plus tôt : le passé ne se change pas.", field="ends_on")
    closing = [row for row in _lasting_roles(current) if row.ends_on is None or row.ends_on > day]
    if not closing:
        raise NothingToChange("Aucun rôle ne reste ouvert après ce jour.")
    require_cover(closing, day)
    for membership in closing:
        close(membership, day)
    if day == timezone.localdate():
        revoke_invitations(current)
    record_change(current, "end")
    return len(closing)


def revoke_invitations(user: User) -> None:
    """The links of invitation of a person open nothing any more."""
    for invitation in user.invitations.select_for_update().open():
        invitation.revoked_at = timezone.now()
        invitation.save()
        record_change(invitation, "revoke")


def require_nobody_alone(user: User, person: User, other: str) -> None:
    """Who has just changed the address of an account does not reset its second factor, nor the other way round:
    together they would open somebody else's account to one person.
    """
    since = timezone.now() - timedelta(days=NOBODY_ALONE_DAYS)
    done = Event.objects.filter(actor_id=person.pk, action=other, kind=KIND, at__gte=since)
    if any(str(user.pk) in event.record_ids and _opens_a_way(event) for event in done):
        raise NobodyAlone(
            f"Vous venez de changer l’adresse ou le second facteur de ce compte : dans les {NOBODY_ALONE_DAYS} jours, "
            "une autre personne de l’administration fait l’autre changement.",
            kind=KIND,
        )


def _opens_a_way(event: Event) -> bool:
    return event.action == Action.SECOND_FACTOR_RESET or "email" in event.detail.get("fields", [])


def _administered(user: User, person: User) -> User:
    """The account, locked after the teams whose last coordination it may be, when the person may change it."""
    if not User.objects.administered_by(person).filter(pk=user.pk).exists():
        raise NotYourAccounts("Seule l’administration technique modifie un compte.", kind=KIND)
    lock_cover({(row.role, row.team_id) for row in _lasting_roles(user)})
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _save_because(user: Any, code: str) -> None:
    """Save with the reason, a code, that the history keeps."""
    user._change_reason = code
    user.save()


def _lasting_roles(user: User) -> list[Membership]:
    return list(Membership.objects.lasting().filter(user=user).order_by("pk"))


def _require_somebody_else(user: User, person: User) -> None:
    if user.pk == person.pk:
        raise NotYourself("Vous ne pouvez pas fermer votre propre compte : demandez-le à quelqu’un d’autre.")


def _require_free(email: str, beside: User | None = None) -> None:
    taken = User.objects.filter(email=email.lower())
    if beside is not None:
        taken = taken.exclude(pk=beside.pk)
    if taken.exists():
        raise EmailAlreadyUsed("Cette adresse ouvre déjà un compte.", field="email")


def _telling_former_address(user: User) -> Callable[[], object]:
    from referents.tasks import tell_former_address  # which calls a service of this layer

    version = user.history.first().prev_record.pk
    return lambda: tell_former_address.delay(version)
