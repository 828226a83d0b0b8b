"""Accounts and memberships: who may sign in, as what, and since when."""

from datetime import date

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.utils import timezone

from audit.journal.record import record_change
from audit.services import Refused, service
from referents.models import CharterSignature, Membership, Role, Team, User


class EmailAlreadyUsed(Refused):
    """One account per person: the address already opens one."""


class CharterAlreadySigned(Refused):
    """The charter of the day is signed already."""


@service
def create_account(
    *, email: str, first_name: str, last_name: str, employer: str = "", password: str | None = None, by: User
) -> User:
    """Create an account that opens nothing yet; without a password only a reset link can set one."""
    if User.objects.filter(email=email.lower()).exists():
        raise EmailAlreadyUsed("Cette adresse ouvre déjà un compte.", field="email")
    user = User.objects.create_user(email, password, first_name=first_name, last_name=last_name, employer=employer)
    record_change(user, "create")
    return user


@service
def grant_membership(
    *, user: User, role: Role, team: Team | None = None, starts_on: date | None = None, by: User
) -> Membership:
    """Give a role from a day on (today by default), in a team or for the whole programme."""
    membership = Membership(user=user, role=role, team=team, starts_on=starts_on or timezone.localdate())
    membership.full_clean()
    membership.save()
    record_change(membership, "grant")
    return membership


@service
def sign_charter(*, user: User, by: User) -> CharterSignature:
    """The person signs the confidentiality charter in force, for a year."""
    today = timezone.localdate()
    if user.charters.filter(version=settings.CHARTER_VERSION, expires_on__gt=today).exists():
        raise CharterAlreadySigned("Vous avez déjà signé la charte.")
    signature = CharterSignature.objects.create(
        user=user,
        version=settings.CHARTER_VERSION,
        signed_on=today,
        expires_on=today + relativedelta(months=settings.CHARTER_MONTHS),
    )
    record_change(signature, "create")
    return signature
