"""System checks: every encrypted field can be read for ever, and the key-encryption key answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import FieldDoesNotExist
from django.db import connections, models

from audit.encryption.envelope import ALGORITHMS
from audit.encryption.errors import KeyProviderUnavailable, WrongMasterKey
from audit.encryption.fields import EncryptedField
from audit.encryption.keystore.models import MasterKey
from audit.encryption.keystore.router import DATABASE
from audit.encryption.providers import provider
from audit.encryption.witness import require_same_keys


def check_encrypted_fields(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """Stable names unique over the tracked models; ``id`` and ``data_key_id`` beside every encrypted field."""
    return problems_of(model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy)


def problems_of(tracked_and_history: Any) -> list[checks.CheckMessage]:
    """What is wrong with the encrypted fields of these models; historical copies share their model's names."""
    found: list[checks.CheckMessage] = []
    owners: dict[str, str] = {}
    for model in tracked_and_history:
        fields = [field for field in model._meta.local_fields if isinstance(field, EncryptedField)]
        if not fields:
            continue
        is_history = hasattr(model, "instance_type")
        found += _identity_problems(model, is_history)
        for field in fields if not is_history else ():
            first = owners.setdefault(field.aad, f"{model._meta.label}.{field.name}")
            if first != f"{model._meta.label}.{field.name}":
                message = f'aad="{field.aad}" is already that of {first}.'
                found.append(checks.Error(message, obj=field, id="encryption.E002"))
    return found


def _identity_problems(model: type[models.Model], is_history: bool) -> list[checks.CheckMessage]:
    found: list[checks.CheckMessage] = []
    key = _field(model, "data_key_id")
    if not isinstance(key, models.UUIDField) or key.null:
        message = "A model with encrypted fields has a UUIDField data_key_id, never NULL."
        found.append(checks.Error(message, obj=model, id="encryption.E003"))
    identity = _field(model, "id")
    if not isinstance(identity, models.UUIDField) or not (is_history or identity.primary_key):
        message = "A model with encrypted fields has a UUID primary key named id (its history keeps it)."
        found.append(checks.Error(message, obj=model, id="encryption.E004"))
    return found


def _field(model: type[models.Model], name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def check_key_provider(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """The key-encryption key can be read."""
    try:
        provider().health()
    except KeyProviderUnavailable as error:
        hint = "See KEY_PROVIDER. Nothing can be read or written without this key, and no key is made by default."
        return [checks.Error(str(error), hint=hint, id="encryption.E005")]
    return []


def check_algorithm(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """New values are sealed with an algorithm that is known."""
    if settings.ENVELOPE_ALGORITHM in ALGORITHMS:
        return []
    return [checks.Error(f"ENVELOPE_ALGORITHM must be one of {', '.join(ALGORITHMS)}.", id="encryption.E006")]


def check_same_keys(databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Run by ``migrate`` and ``check --database keys``: the key at hand is the one that wrapped this keystore."""
    if not databases or DATABASE not in databases:
        return []
    if MasterKey._meta.db_table not in connections[DATABASE].introspection.table_names():
        return []
    try:
        require_same_keys()
    except KeyProviderUnavailable:
        return []  # said by check_key_provider
    except WrongMasterKey as error:
        return [checks.Error(str(error), hint="See « Keys » in docs/operations.md.", id="encryption.E007")]
    return []
