"""Keys and data never share a database."""

from typing import Any

from django.db import models

KEYSTORE = "keystore"
DATABASE = "keys"


class KeystoreRouter:
    """By label alone: the keystore's models on ``keys`` and nowhere else, nothing else on ``keys``."""

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        return DATABASE if model._meta.app_label == KEYSTORE else None

    db_for_write = db_for_read

    def allow_relation(self, first: models.Model, second: models.Model, **hints: Any) -> bool | None:
        if (first._meta.app_label == KEYSTORE) != (second._meta.app_label == KEYSTORE):
            return False
        return None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == DATABASE) == (app_label == KEYSTORE)
