"""Production settings with throw-away keys; only what costs time for nothing in a test differs."""

import base64
import os
import tempfile

os.environ.update(
    MARELLE_ENV_FILE=os.devnull,
    MARELLE_VAR_DIR=tempfile.mkdtemp(prefix="marelle-tests-"),
    SECRET_KEY="tests-only-" + "x" * 50,
    MARELLE_KEY_PROVIDER="env:MARELLE_TEST_KEY",
    MARELLE_TEST_KEY=base64.b64encode(bytes(range(32))).decode(),
    MARELLE_SIGNING_KEY="env:MARELLE_TEST_SIGNING_KEY",
    MARELLE_TEST_SIGNING_KEY=base64.b64encode(bytes(range(32, 64))).decode(),
    ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
    EMAIL_URL="memorymail://",
    CELERY_BROKER_URL="memory://",
    MARELLE_OIDC_ISSUER="http://localhost:9",  # where nobody answers; the tests of it have a provider of their own
    MARELLE_OIDC_CLIENT_ID="marelle",
    MARELLE_OIDC_CLIENT_SECRET="a secret of the tests",
)

from config.settings import *  # noqa: F403

DATABASES["keys"]["TEST"] = {"MIGRATE": False}  # noqa: F405  # one table, which the other migrations walk past slowly
STATIC_ROOT.mkdir(parents=True)  # noqa: F405
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
CHARTER_VERSION = "test"  # that of the cast
