"""The second factor of an account: a code checked once, a factor given up, all of them reset by the administration."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from audit.journal.models import Action, Event
from audit.journal.record import record_change, record_event
from audit.services import Refused, service
from referents.models import User
from referents.second_factor import factors_of
from referents.services.accounts import require_nobody_alone
from referents.services.sessions import sign_out_everywhere

# Wrong codes of one account, from anywhere: (how many, within what time) before codes are no longer looked at.
LOCKS = ((5, timedelta(minutes=15)), (20, timedelta(days=1)))
CODE = "code"
KEY = "webauthn"


class WrongCode(Refused):
    """The code is wrong, has expired, or has served already."""


class TooManyCodes(Refused):
    """So many wrong codes that none is looked at for a while."""


class LastFactor(Refused):
    """An account never remains without a second factor by its owner's doing."""


class OwnSecondFactor(Refused):
    """The administration resets the second factor of others, never its own."""


def verify_code(user: User, typed: str) -> Authenticator:
    """The application of codes, or the recovery codes, that this code comes from; it will not serve again.

    Failures are in the journal, and are counted there: whatever the number of processes, and per account, so that
    an office behind one address is never locked. Raises WrongCode or TooManyCodes, once the event is committed.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # one code at a time
        if is_locked(user):
            _record(user, Action.REFUSAL, CODE, detail={"why": "locked"})
            refusal: Refused = TooManyCodes(
                "Trop d’essais : attendez un quart d’heure. Si ce n’était pas vous, prévenez l’administration."
            )
        else:
            found = _origin_of(user, "".join(typed.split()))
            if found is not None:
                return found
            _record(user, Action.SECOND_FACTOR_FAILED, CODE)
            refusal = WrongCode("Ce code n’est pas le bon, ou il a déjà servi. Attendez le suivant et tapez-le.")
    raise refusal


def record_failed_key(user: User) -> None:
    """A passkey was refused; it cannot be guessed, so this locks nothing."""
    with transaction.atomic():
        _record(user, Action.SECOND_FACTOR_FAILED, KEY)


def is_locked(user: User) -> bool:
    """Counted since the last success within a day; a code refused because of the lock does not prolong it."""
    now = timezone.now()
    mine = Event.objects.filter(actor_id=user.pk, at__gte=now - LOCKS[-1][1])
    since = mine.filter(action=Action.SECOND_FACTOR).aggregate(at=Max("at"))["at"]
    failed = mine.filter(action=Action.SECOND_FACTOR_FAILED, data_kind=CODE)
    if since is not None:
        failed = failed.filter(at__gt=since)
    moments = list(failed.values_list("at", flat=True))
    return any(sum(at > now - within for at in moments) >= limit for limit, within in LOCKS)


def code_of_the_moment(user: User) -> str:
    """What the application of this person shows now, "" without one: only a demonstration may ask."""
    factor = factors_of(user).filter(type=Authenticator.Type.TOTP).first()
    if not settings.DEMO or factor is None:
        return ""
    return format_hotp_value(hotp_value(decrypt(factor.data["secret"]), counter_at(time.time())))


def counter_at(seconds: float) -> int:
    """The number of the period in which a code of the application is valid."""
    return int(seconds) // app_settings.TOTP_PERIOD


def _origin_of(user: User, code: str) -> Authenticator | None:
    if not (code.isascii() and code.isdecimal()):
        return None
    totp = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if totp is not None and _accept(totp, code):
        return totp
    recovery = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    if recovery is not None and recovery.wrap().validate_code(code):
        recovery.refresh_from_db()
        return recovery
    return None


def _accept(totp: Authenticator, code: str) -> bool:
    """A code of this period or of its neighbours (clocks drift), later than every one accepted before (RFC 6238, 5.2);
    the code typed to enrol counts as accepted.
    """
    secret, now = decrypt(totp.data["secret"]), counter_at(time.time())
    latest = max(totp.data.get("last_counter", 0), counter_at(totp.created_at.timestamp()))
    tolerance = app_settings.TOTP_TOLERANCE
    for counter in range(now - tolerance, now + tolerance + 1):
        if not constant_time_compare(format_hotp_value(hotp_value(secret, counter)), code):
            continue
        if counter <= latest and not settings.DEMO:
            return False
        totp.data["last_counter"] = counter
        totp.save(update_fields=["data"])
        return True
    return False


def _record(user: User, action: str, data_kind: str, detail: dict[str, str] | None = None) -> None:
    record_event(action, kind=user._meta.label_lower, ids=[user.pk], actor=user, data_kind=data_kind, detail=detail)


@service
def remove_factor(*, user: User, factor: Authenticator, by: User) -> None:
    """Give up one factor among several; refused for the last one."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not factors_of(user).exclude(pk=factor.pk).exists():
        raise LastFactor("C’est votre seul second facteur : ajoutez-en un autre avant de retirer celui-ci.")
    factor.delete()  # journalled by referents.sign_in_events


@service
def reset_second_factor(*, user: User, by: User) -> User:
    """A person has lost every factor: they are removed, every session ends, and the next sign-in enrols again."""
    if by.pk == user.pk:
        raise OwnSecondFactor(
            "Demandez à une autre personne de l’administration de réinitialiser votre second facteur."
        )
    require_nobody_alone(user, by, "change")
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    for factor in Authenticator.objects.filter(user=user):
        factor.delete()
    record_change(user, Action.SECOND_FACTOR_RESET)
    sign_out_everywhere(user=user, by=by)
    transaction.on_commit(_telling(user), robust=True)
    return user


def _telling(user: User) -> Callable[[], object]:
    from referents.tasks import tell_second_factor_reset  # which calls services of this layer

    return lambda: tell_second_factor_reset.delay(user.pk)
