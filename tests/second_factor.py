"""A telephone for the tests: an application of codes already enrolled, and what it shows."""

import time
from datetime import timedelta

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.utils import timezone

from audit.encryption.sign_in import open_secret, seal_secret
from referents.models import User

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SEED = "ab" * 40


def enrol(user: User, secret: str = SECRET) -> Authenticator:
    """An application of codes, enrolled a day ago."""
    return Authenticator.objects.create(
        user=user,
        type=Authenticator.Type.TOTP,
        data={"secret": seal_secret(secret, owner=user.pk)},
        created_at=timezone.now() - timedelta(days=1),
    )


def enrol_key(user: User, name: str = "Téléphone") -> Authenticator:
    """A passkey that nobody holds: it is listed, and never answers."""
    return Authenticator.objects.create(
        user=user, type=Authenticator.Type.WEBAUTHN, data={"name": name, "credential": {}}
    )


def give_recovery_codes(user: User) -> Authenticator:
    return Authenticator.objects.create(
        user=user,
        type=Authenticator.Type.RECOVERY_CODES,
        data={"seed": seal_secret(SEED, owner=user.pk), "used_mask": 0},
    )


def code(secret: str = SECRET, *, later: int = 0) -> str:
    """What the application shows now, or so many periods of thirty seconds later."""
    value: str = format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later))
    return value


def wrong_code(secret: str = SECRET) -> str:
    """Six digits that the application shows at none of the periods around now."""
    shown = {code(secret, later=later) for later in range(-3, 4)}
    return next(f"{number:06}" for number in range(10) if f"{number:06}" not in shown)


def fresh_code(user: User) -> str:
    """A code that has not served yet, waiting for the next period if need be."""
    while True:
        factor = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
        now = int(time.time()) // 30
        latest = max(factor.data.get("last_counter", 0), int(factor.created_at.timestamp()) // 30)
        later = max(latest + 1 - now, 0)
        if later <= 1:
            return code(open_secret(factor.data["secret"], owner=user.pk), later=later)
        time.sleep(1)
