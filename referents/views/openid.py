"""To the identity provider and back. Whatever goes wrong on the way is a sentence on the sign-in page."""

from __future__ import annotations

import logging
from collections.abc import Callable

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

from referents.openid import IdentityAdapter
from referents.openid_adapter import refuse

logger = logging.getLogger(__name__)

MALFORMED = (OAuth2Error, AttributeError, KeyError, TypeError, ValueError)  # answers that are not what they should be


@login_not_required
@require_POST
def openid_login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Leave for the provider, with a state, a nonce and a PKCE challenge that this session remembers."""
    return _carefully(request, OAuth2LoginView.adapter_view(IdentityAdapter(request, provider_id)))


@login_not_required
@require_GET
def openid_callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Come back from the provider: the account is found, and its second factor is asked as after a password."""
    return _carefully(request, OAuth2CallbackView.adapter_view(IdentityAdapter(request, provider_id)))


def _carefully(request: HttpRequest, view: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    try:
        try:
            return view(request)
        except RequestException as error:
            logger.error("identity provider: %s", type(error).__name__)
            refuse(request, "away")
        except MALFORMED as error:
            logger.error("identity provider: %s", type(error).__name__)
            refuse(request, "failed", why="malformed")
    except ImmediateHttpResponse as answer:
        response: HttpResponse = answer.response
        return response
