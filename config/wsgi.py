"""WSGI entry point; refuses to serve without the key-encryption key."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from audit.encryption.providers import provider  # noqa: E402 - the settings are read by the line above

provider().health()
