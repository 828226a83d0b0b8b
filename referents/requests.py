"""The request of a page behind the sign-in: its user is an account."""

from django.http import HttpRequest

from referents.models import User


class SignedInRequest(HttpRequest):
    """What ``LoginRequiredMiddleware`` guarantees to a view, for whoever reads its types; never instantiated."""

    user: User
