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
TABLES = (TABLE, "audit_seal", "audit_purgedmonth")
VERBS = {"postgresql": ("UPDATE", "DELETE", "TRUNCATE"), "sqlite": ("UPDATE", "DELETE")}


def _body(table: str) -> str:
    return f"BEGIN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'integrity_constraint_violation'; END"


def _sqlite(table: str, verb: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _postgresql(table: str, verb: str) -> str:
    """Per statement: refused even when no row is met."""
    return (
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
    )


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
        for table in _existing(connection):
            if connection.vendor == "postgresql":
                cursor.execute(
                    f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger "
                    f"LANGUAGE plpgsql AS $${_body(table)}$$"
                )
            for name, statement in _expected(connection, table).items():
                cursor.execute(statement)
                if connection.vendor == "postgresql":  # also under session_replication_role = replica
                    cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
    return missing


def remove_triggers(connection: BaseDatabaseWrapper) -> None:
    """Open the journal; only for a caller that installs them again in the same transaction."""
    with connection.cursor() as cursor:
        for table in _existing(connection):
            on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
            for name in _expected(connection, table):
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on_table}")


def missing_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of the triggers that are not there exactly as written here; none for a table that does not exist."""
    present = _postgresql_present if connection.vendor == "postgresql" else _sqlite_present
    missing = []
    with connection.cursor() as cursor:
        for table in _existing(connection):
            found = present(cursor, table)
            missing += [
                name for name, statement in _expected(connection, table).items() if found.get(name) != statement
            ]
    return missing


def _existing(connection: BaseDatabaseWrapper) -> list[str]:
    """The tables already migrated."""
    question = "SELECT to_regclass(%s)"
    if connection.vendor != "postgresql":
        question = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = %s"
    found = []
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(question, [table])
            row = cursor.fetchone()
            if row is not None and row[0] is not None:
                found.append(table)
    return found


def _expected(connection: BaseDatabaseWrapper, table: str) -> dict[str, str]:
    write = _postgresql if connection.vendor == "postgresql" else _sqlite
    return {f"{table}_no_{verb.lower()}": write(table, verb) for verb in VERBS[connection.vendor]}


def _sqlite_present(cursor: Any, table: str) -> dict[str, str]:
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
    return dict(cursor.fetchall())


def _postgresql_present(cursor: Any, table: str) -> dict[str, str]:
    """The triggers always on whose function still refuses; PostgreSQL writes the schema before the names."""
    cursor.execute(
        "SELECT t.tgname, pg_get_triggerdef(t.oid), p.prosrc, t.tgenabled = 'A' "
        "FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
        "WHERE t.tgrelid = to_regclass(%s) AND NOT t.tgisinternal",
        [table],
    )
    return {
        name: re.sub(rf"\b\w+\.(?={table})", "", definition)
        for name, definition, body, always in cursor.fetchall()
        if body == _body(table) and always
    }
