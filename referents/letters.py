"""E-mails to professionals: a subject and a text from ``templates/emails/``, which name nobody."""

from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string


def send_letter(name: str, to: str, context: dict[str, Any] | None = None) -> None:
    """Send ``emails/<name>`` to one address; raises OSError when the mail server does not take it."""
    values = {"site_url": settings.SITE_URL, **(context or {})}
    subject = render_to_string(f"emails/{name}.subject.txt", values).strip()
    EmailMessage(subject, render_to_string(f"emails/{name}.txt", values), to=[to]).send()
