"""The environment of the tests, set before Django reads its settings: production settings, throw-away keys."""

import base64
import os
import tempfile

_var = tempfile.mkdtemp(prefix="marelle-tests-")
os.environ.update(
    MARELLE_ENV_FILE=os.devnull,
    MARELLE_VAR_DIR=_var,
    SECRET_KEY="tests-only-" + "x" * 50,
    MARELLE_KEY_PROVIDER="env:MARELLE_TEST_KEY",
    MARELLE_TEST_KEY=base64.b64encode(bytes(range(32))).decode(),
    ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
    EMAIL_URL="memorymail://",
    CELERY_BROKER_URL="memory://",
)
