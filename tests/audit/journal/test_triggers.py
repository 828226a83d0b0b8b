import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from audit.checks import check_triggers
from audit.journal.models import Event
from audit.journal.record import record_event
from audit.journal.triggers import (
    TABLE,
    TABLES,
    install_after_migrate,
    install_triggers,
    missing_triggers,
    remove_triggers,
)

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite")
postgresql_only = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL")


@pytest.fixture
def event() -> Event:
    return record_event("read", detail={"count": 1})


def refused(statement: str, parameters: list[object] | None = None) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def names() -> list[str]:
    return [name for table in TABLES for name in names_of(table)]


def names_of(table: str) -> list[str]:
    verbs = ("update", "delete", "truncate") if connection.vendor == "postgresql" else ("update", "delete")
    return [f"{table}_no_{verb}" for verb in verbs]


class TestEvent:
    def test_is_never_changed(self, event: Event):
        event.action = "list"
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            event.save()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            Event.objects.update(role="")
        refused(f"UPDATE {TABLE} SET actor_id = 1")
        assert Event.objects.get().action == "read"

    def test_is_never_deleted(self, event: Event):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            event.delete()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            Event.objects.all().delete()
        refused(f"DELETE FROM {TABLE}")
        assert Event.objects.count() == 1

    def test_is_never_replaced(self, event: Event):
        columns = ", ".join(field.column for field in Event._meta.fields if field.column != "action")
        source = f"SELECT {columns}, 'forged' FROM {TABLE}"
        if connection.vendor == "sqlite":
            refused(f"INSERT OR REPLACE INTO {TABLE} ({columns}, action) {source}")
        conflict = "WHERE true ON CONFLICT (id) DO UPDATE SET action = excluded.action"
        refused(f"INSERT INTO {TABLE} ({columns}, action) {source} {conflict}")
        assert Event.objects.get().action == "read"

    @postgresql_only
    def test_is_never_truncated(self, event: Event):
        refused(f"TRUNCATE {TABLE}")

    @postgresql_only
    def test_is_kept_even_by_a_replication_role(self, event: Event):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
        refused(f"DELETE FROM {TABLE}")

    @postgresql_only
    def test_carries_the_number_of_its_transaction(self, event: Event):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()::text::bigint")
            (top_level,) = cursor.fetchone()
        assert event.transaction_id == top_level
        assert Event.objects.get().transaction_id == top_level

    @sqlite_only
    def test_needs_no_transaction_number_where_one_writes_at_a_time(self, event: Event):
        assert Event.objects.get().transaction_id == 0


class TestInstallTriggers:
    def test_finds_nothing_to_do_twice(self):
        assert install_triggers() == []

    def test_puts_back_what_is_missing(self, event: Event):
        remove_triggers(connection)
        assert install_triggers() == names()
        refused(f"DELETE FROM {TABLE}")

    def test_puts_back_what_was_weakened(self, event: Event):
        name = f"{TABLE}_no_delete"
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER {name}")
            else:
                cursor.execute(f"DROP TRIGGER {name}")
                cursor.execute(f"CREATE TRIGGER {name} BEFORE DELETE ON {TABLE} BEGIN SELECT 1; END")
        assert missing_triggers(connection) == [name]
        assert install_triggers() == [name]
        refused(f"DELETE FROM {TABLE}")

    @postgresql_only
    def test_puts_back_a_function_that_was_emptied(self, event: Event):
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql "
                "AS $$BEGIN RETURN NULL; END$$"
            )
        assert install_triggers() == names_of(TABLE)
        refused(f"DELETE FROM {TABLE}")

    def test_leaves_the_keystore_alone(self):
        remove_triggers(connection)
        install_after_migrate(using="keys")
        assert missing_triggers(connection) == names()

    @pytest.mark.django_db(transaction=True, databases=["default", "keys"])
    @sqlite_only
    def test_follows_a_table_that_django_rebuilt(self):
        with connection.schema_editor() as editor:
            editor._remake_table(Event)
        assert missing_triggers(connection) == names_of(TABLE)
        call_command("migrate", "audit", verbosity=0)
        assert missing_triggers(connection) == []

    @pytest.mark.django_db(transaction=True, databases=["default", "keys"])
    def test_waits_for_the_table(self):
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {TABLE} RENAME TO elsewhere")
        try:
            assert install_triggers() == []
        finally:
            with connection.cursor() as cursor:
                cursor.execute(f"ALTER TABLE elsewhere RENAME TO {TABLE}")


class TestFlush:
    @pytest.mark.django_db(transaction=True, databases=["default", "keys"])
    def test_empties_the_journal_between_tests_and_closes_it_again(self, event: Event):
        call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True)
        assert not Event.objects.exists()
        assert missing_triggers(connection) == []


class TestCheckTriggers:
    def test_is_silent_when_all_are_there(self):
        assert check_triggers(databases=["default", "keys"]) == []

    def test_reports_each_missing_trigger(self):
        remove_triggers(connection)
        problems = check_triggers(databases=["default"])
        assert [problem.id for problem in problems] == ["audit.E001"] * len(names())
        assert all(name in problem.msg for name, problem in zip(names(), problems, strict=True))

    def test_looks_only_at_the_databases_asked_for(self):
        remove_triggers(connection)
        assert check_triggers(databases=None) == []
        assert check_triggers(databases=["keys"]) == []

    @pytest.mark.django_db(transaction=True, databases=["default", "keys"])
    @sqlite_only
    def test_reports_a_connection_on_which_replacing_would_go_unseen(self):
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA recursive_triggers = OFF")
            try:
                assert [problem.id for problem in check_triggers(databases=["default"])] == ["audit.E002"]
            finally:
                cursor.execute("PRAGMA recursive_triggers = ON")
