"""E-mails to professionals: a subject and a text from ``templates/emails/``, which name nobody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

if TYPE_CHECKING:
    from referents.models import User


def send_letter(name: str, to: str, context: dict[str, Any] | None = None) -> None:
    """Send ``emails/<name>`` to one address; raises OSError when the mail server does not take it."""
    values = {"site_url": settings.SITE_URL, **(context or {})}
    subject = render_to_string(f"emails/{name}.subject.txt", values).strip()
    EmailMessage(subject, render_to_string(f"emails/{name}.txt", values), to=[to]).send()


def write_to(people: Iterable[User | None], name: str, **context: Any) -> int:
    """The same letter to each active account, once; how many. Nobody learns to whom else it went."""
    addresses = dict.fromkeys(person.email for person in people if person is not None and person.is_active)
    for address in addresses:
        send_letter(name, address, context)
    return len(addresses)
