"""Letters to professionals: one sentence that names nobody, and where to look."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from referents.models import StandIn, User


def send_letter(name: str, people: Iterable[User | None], **context: Any) -> int:
    """Send ``templates/emails/<name>`` to each active account once; how many letters.

    Each person has a letter of their own: nobody learns to whom else it went.
    """
    subject = render_to_string(f"emails/{name}.subject.txt", context).strip()
    body = render_to_string(f"emails/{name}.txt", context)
    addresses = dict.fromkeys(person.email for person in people if person is not None and person.is_active)
    return sum(EmailMessage(subject, body, to=[address]).send() for address in addresses)


def send_stand_in(*, stand_in_id: int) -> int:
    """Tell the person replaced and the one who replaces, unless it was ended meanwhile."""
    found = StandIn.objects.not_over().select_related("user", "content_object__user").filter(pk=stand_in_id).first()
    if found is None:
        return 0
    return send_letter("stand_in", [found.user, found.content_object.user], stand_in=found)
