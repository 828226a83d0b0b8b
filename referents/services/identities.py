"""Which identity, at the provider of the configuration, opens which account."""

from typing import Any

from django.apps import apps

from audit.journal.models import Action
from audit.journal.record import record_change
from audit.services import Refused, service
from referents.models import User


class IdentityAlreadyLinked(Refused):
    """The account opens with another identity of the same provider: an address given to somebody else opens nothing."""


@service
def link_identity(*, user: User, identity: Any, by: User) -> None:
    """From now on this identity (allauth's SocialAccount, not saved yet) opens the account, whatever its e-mail."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if user.socialaccount_set.filter(provider=identity.provider).exists():  # type: ignore[attr-defined]
        raise IdentityAlreadyLinked("Ce compte s’ouvre déjà avec une autre identité.")
    identity.user = user
    identity.save()
    record_change(user, Action.GRANT, purpose="openid_identity")


def forget_identities(user: User) -> None:
    """Inside the transaction of a service: no identity opens the account any more, until one is linked anew."""
    if not apps.is_installed("allauth.socialaccount"):
        return
    for identity in user.socialaccount_set.all():  # type: ignore[attr-defined]
        identity.delete()
        record_change(user, Action.REVOKE, purpose="openid_identity")
