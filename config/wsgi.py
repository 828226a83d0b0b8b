"""WSGI entry point; refuses to serve without its keys, or a demonstration on another database."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

# ruff: noqa: E402 - the settings are read by the line above
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from audit.encryption.witness import require_keys_at_start
from audit.signing import key_ring
from pre_cases.demo.load import is_loaded

require_keys_at_start()
key_ring()  # raises SigningKeyUnavailable
if settings.DEMO and not is_loaded():
    raise ImproperlyConfigured("MARELLE_DEMO serves only a database that load_demo has made.")
