"""System checks: what would make the journal or the history lie in silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import connections

from audit.journal.triggers import ALIAS, missing_triggers

HISTORY_MIDDLEWARE = "simple_history.middleware.HistoryRequestMiddleware"


def check_triggers(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Run by ``migrate`` and ``check --database default``: the journal is append-only, or nothing starts."""
    if not databases or ALIAS not in databases:
        return []
    connection = connections[ALIAS]
    problems: list[CheckMessage] = [
        Error(
            f"The journal's trigger {name} is missing or altered.",
            hint="Find out who removed it, then: manage.py migrate --skip-checks, which puts it back.",
            id="audit.E001",
        )
        for name in missing_triggers(connection)
    ]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA recursive_triggers")
            if cursor.fetchone()[0] != 1:
                problems.append(
                    Error(
                        "recursive_triggers is off: INSERT OR REPLACE would delete events unseen.",
                        hint="Add PRAGMA recursive_triggers=ON to the init_command of the database.",
                        id="audit.E002",
                    )
                )
    return problems


def check_history(**kwargs: Any) -> list[CheckMessage]:
    """Every tracked model is tracked by ``audit.history.History``, which refuses a change without an author."""
    problems: list[CheckMessage] = []
    for model in apps.get_models():
        manager_name = getattr(model._meta, "simple_history_manager_attribute", None)
        if manager_name and not getattr(getattr(model, manager_name).model, "is_made_by_history", False):
            problems.append(
                Error("Tracked without audit.history.History: its changes have no author.", obj=model, id="audit.E003")
            )
    if not getattr(settings, "SIMPLE_HISTORY_ENABLED", True):
        problems.append(Error("SIMPLE_HISTORY_ENABLED is off: nothing is tracked.", id="audit.E004"))
    if HISTORY_MIDDLEWARE in settings.MIDDLEWARE:
        problems.append(
            Error("The actor comes from the service, not from the request: remove the middleware.", id="audit.E005")
        )
    return problems
