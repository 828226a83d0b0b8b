"""An installation with a key file of its own, for the tests that change the key-encryption key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.test import override_settings

from audit.encryption import providers
from audit.encryption.keystore.models import DataKey, MasterKey
from audit.encryption.providers import create_key_file
from audit.encryption.providers.secret import FileSource, SecretProvider
from audit.encryption.witness import register_versions

NOON = "2026-03-02 12:00:00+01:00"


@contextmanager
def installed(key_file: Path) -> Iterator[Path]:
    """A new key file and an empty keystore that knows it."""
    create_key_file(key_file)
    MasterKey.objects.all().delete()
    with key_provider(f"file:{key_file}"):
        register_versions()
        yield key_file


@contextmanager
def key_provider(address: str) -> Iterator[None]:
    """As a process that has just started with this ``KEY_PROVIDER``: no key is in its memory."""
    providers._provider.cache_clear()
    with override_settings(KEY_PROVIDER=address):
        yield
    providers._provider.cache_clear()


def another_process(key_file: Path) -> SecretProvider:
    """A provider with a memory of its own, as a web server's."""
    return SecretProvider(FileSource(key_file))


def kek_versions() -> set[int]:
    """Which versions of the key-encryption key wrap something."""
    return set(DataKey.objects.values_list("kek_version", flat=True))
