"""What happens around an access, and changes it: people leave, accounts are suspended, families withdraw."""

from datetime import timedelta

from django.utils import timezone

from audit.history import acting_as, system_account
from partners.models import Term
from pre_cases.models import Parcours
from pre_cases.services.agreement import withdraw_agreement
from pre_cases.services.parcours import close_parcours
from referents.models import Role, Team, User

DAY = timedelta(days=1)


def again(user: User) -> User:
    """The person as the next request reads them."""
    return User.objects.get(pk=user.pk)


def sees(user: User, parcours: Parcours) -> bool:
    return again(user).has_perm("pre_cases.view_parcours", parcours)


def changes(user: User, parcours: Parcours) -> bool:
    return again(user).has_perm("pre_cases.change_parcours", parcours)


def leave(user: User, team: Team | None = None) -> None:
    """The memberships of the person end today, in one team or in all."""
    with acting_as(system_account()):
        for membership in user.memberships.filter(ends_on__isnull=True, **({"team": team} if team else {})):
            membership.ends_on = timezone.localdate()
            membership.save()


def join(user: User, role: Role, team: Team | None = None) -> None:
    with acting_as(system_account()):
        user.memberships.create(role=role, team=team, starts_on=timezone.localdate())


def suspend(user: User) -> None:
    with acting_as(system_account()):
        current = again(user)
        current.is_active = False
        current.save()


def let_charter_expire(user: User) -> None:
    with acting_as(system_account()):
        charter = user.charters.get()
        charter.expires_on = timezone.localdate()
        charter.save()


def agree(parcours: Parcours, **values: object) -> None:
    """Change what the family agreed to."""
    with acting_as(system_account()):
        for name, value in values.items():
            setattr(parcours.agreement, name, value)
        parcours.agreement.save()


def close(parcours: Parcours, by: User) -> None:
    lost = Term.objects.get(pk="exit_reason:contact-perdu")
    close_parcours(parcours=parcours, on=timezone.localdate(), reason=lost, by=by)


def withdraw(parcours: Parcours, by: User) -> None:
    withdraw_agreement(parcours=parcours, on=timezone.localdate(), by=by)
