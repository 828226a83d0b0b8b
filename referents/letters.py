"""E-mails to professionals: a subject and a text from ``templates/emails/``, which name nobody."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

if TYPE_CHECKING:
    from referents.models import User

logger = logging.getLogger(__name__)


def send_letter(name: str, to: str, context: dict[str, Any] | None = None) -> None:
    """Send ``emails/<name>`` to one address; raises OSError when the mail server does not take it."""
    values = {"site_url": settings.SITE_URL, **(context or {})}
    subject = render_to_string(f"emails/{name}.subject.txt", values).strip()
    EmailMessage(subject, render_to_string(f"emails/{name}.txt", values), to=[to]).send()


def write_to(people: Iterable[User | None], name: str, **context: Any) -> int:
    """The same letter to each active account, once; how many left. Nobody learns to whom else it went.

    An address refused stops no other one; raises OSError when none has left, so that the task is tried again.
    """
    addresses = list(dict.fromkeys(person.email for person in people if person is not None and person.is_active))
    left = 0
    for address in addresses:
        try:
            send_letter(name, address, context)
            left += 1
        except OSError as error:
            logger.error("A letter %s did not leave: %s", name, type(error).__name__)
    if addresses and not left:
        raise OSError(f"No letter {name} has left.")
    return left
