"""The confidentiality charter: signed for a year, and recalled a month before it ends."""

from datetime import timedelta

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from audit.journal.record import record_change
from audit.services import Refused, service
from referents.letters import send_letter
from referents.models import CharterSignature, Membership, User
from referents.models.user import NOMINATIVE_ROLES


class CharterAlreadySigned(Refused):
    """The charter of the day is signed already."""


@service
def sign_charter(*, user: User, by: User) -> CharterSignature:
    """The person signs the confidentiality charter in force, for a year."""
    today = timezone.localdate()
    if user.charters.of_version_in_force().filter(expires_on__gt=today).exists():
        raise CharterAlreadySigned("Vous avez déjà signé la charte.")
    signature = CharterSignature.objects.create(
        user=user,
        version=settings.CHARTER_VERSION,
        signed_on=today,
        expires_on=today + relativedelta(months=settings.CHARTER_MONTHS),
    )
    record_change(signature, "create")
    return signature


def charters_to_recall() -> list[int]:
    """Ids of the signatures that end within thirty days, of people at work, not recalled yet."""
    today = timezone.localdate()
    limit = today + timedelta(days=settings.CHARTER_REMINDER_DAYS)
    in_force = CharterSignature.objects.of_version_in_force()
    longer = in_force.filter(user=OuterRef("user"), expires_on__gt=limit)
    at_work = Membership.objects.current().filter(user=OuterRef("user"), role__in=NOMINATIVE_ROLES)
    ending = in_force.filter(reminded_at__isnull=True, expires_on__gt=today, expires_on__lte=limit)
    ending = ending.filter(Exists(at_work), ~Exists(longer), user__is_active=True)
    return list(ending.order_by("pk").values_list("pk", flat=True))


@service
def recall_charter(*, signature_id: int, by: User) -> bool:
    """One reminder by e-mail for one signature; False when another run has sent it. A mail refused leaves no trace."""
    signature = CharterSignature.objects.select_for_update(of=("self",)).select_related("user").get(pk=signature_id)
    if signature.reminded_at is not None:
        return False
    signature.reminded_at = timezone.now()
    signature.save(update_fields=["reminded_at"])
    record_change(signature, "remind")
    send_letter("charter", signature.user.email, {"expires_on": signature.expires_on})
    return True
