import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.conf import settings

from audit.encryption import keys
from audit.history import acting_as, system_account
from pre_cases.models import Child
from tests.cast import make_child


@contextmanager
def another_ring() -> Iterator[None]:
    """As another request or task: its ring is empty at first."""
    token = keys._ring.set(None)
    try:
        with keys.key_ring():
            yield
    finally:
        keys._ring.reset(token)


@pytest.fixture
def new_ring() -> Callable[[], AbstractContextManager[None]]:
    return another_ring


@pytest.fixture
def no_ring(ring: None) -> Iterator[None]:
    token = keys._ring.set(None)
    yield
    keys._ring.reset(token)


@pytest.fixture
def environment() -> dict[str, str]:
    """That of a process of the application, on the settings of the tests."""
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(settings.BASE_DIR)}


@pytest.fixture
def signed() -> Iterator[None]:
    """Somebody signs what the test changes."""
    with acting_as(system_account()):
        yield


@pytest.fixture
def ines(db: None) -> Child:
    return Child.objects.get(pk=make_child("Inès").pk)


@pytest.fixture
def tom(db: None) -> Child:
    return Child.objects.get(pk=make_child("Tom").pk)
