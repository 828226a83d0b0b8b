"""What makes the journal append-only: triggers that the database runs, on both engines.

Django rebuilds a table to alter it on SQLite, and drops its triggers silently: they are looked for, and put back when
missing or different, after every migration.
"""

from __future__ import annotations

import re
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.journal.models import Event

ALIAS = "default"
TABLE = Event._meta.db_table
MESSAGE = f"{TABLE} is append-only"

SQLITE = {
    f"{TABLE}_no_update": (
        f"CREATE TRIGGER {TABLE}_no_update BEFORE UPDATE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
    ),
    f"{TABLE}_no_delete": (
        f"CREATE TRIGGER {TABLE}_no_delete BEFORE DELETE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
    ),
}

FUNCTION = f"{TABLE}_refuse"
FUNCTION_BODY = f"BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END"
POSTGRESQL = {  # per statement: refused even when no row is met
    f"{TABLE}_no_{verb.lower()}": (
        f"CREATE TRIGGER {TABLE}_no_{verb.lower()} BEFORE {verb} ON {TABLE} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {FUNCTION}()"
    )
    for verb in ("UPDATE", "DELETE", "TRUNCATE")
}


def install_after_migrate(using: str, **kwargs: Any) -> None:
    """The receiver of ``post_migrate``: the journal lives in one database, and may not be migrated yet."""
    if using == ALIAS:
        install_triggers()


def install_triggers(connection: BaseDatabaseWrapper | None = None) -> list[str]:
    """Put back every missing or altered trigger, and give their names; nothing happens when all are there."""
    connection = connection or connections[ALIAS]
    missing = missing_triggers(connection)
    if not missing:
        return []
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        remove_triggers(connection)
        if connection.vendor == "postgresql":
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $${FUNCTION_BODY}$$"
            )
        for name, statement in _expected(connection).items():
            cursor.execute(statement)
            if connection.vendor == "postgresql":  # also under session_replication_role = replica
                cursor.execute(f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER {name}")
    return missing


def remove_triggers(connection: BaseDatabaseWrapper) -> None:
    """Open the journal; only for a caller that installs them again in the same transaction."""
    on_table = f" ON {TABLE}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in _expected(connection):
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on_table}")


def missing_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of the triggers that are not there exactly as written here; none while the table does not exist."""
    read = _postgresql_missing if connection.vendor == "postgresql" else _sqlite_missing
    with connection.cursor() as cursor:
        return read(cursor)


def _expected(connection: BaseDatabaseWrapper) -> dict[str, str]:
    return POSTGRESQL if connection.vendor == "postgresql" else SQLITE


def _sqlite_missing(cursor: Any) -> list[str]:
    cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name = %s", [TABLE])
    if cursor.fetchone() is None:
        return []
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [TABLE])
    present = dict(cursor.fetchall())
    return [name for name, statement in SQLITE.items() if present.get(name) != statement]


def _postgresql_missing(cursor: Any) -> list[str]:
    cursor.execute("SELECT to_regclass(%s)", [TABLE])
    if cursor.fetchone()[0] is None:
        return []
    cursor.execute(
        "SELECT t.tgname, pg_get_triggerdef(t.oid), p.prosrc, t.tgenabled = 'A' "
        "FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
        "WHERE t.tgrelid = to_regclass(%s) AND NOT t.tgisinternal",
        [TABLE],
    )
    present = {
        name
        for name, definition, body, always in cursor.fetchall()
        if name in POSTGRESQL and body == FUNCTION_BODY and always and _same(definition, POSTGRESQL[name])
    }
    return [name for name in POSTGRESQL if name not in present]


def _same(definition: str, statement: str) -> bool:
    """PostgreSQL writes the schema before the names that it gives back."""
    return re.sub(rf"\b\w+\.(?={TABLE})", "", definition) == statement
