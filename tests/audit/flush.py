"""Emptying the tables after a transactional test: the journal refuses it, so its triggers leave for that instant.

``tests/conftest.py`` imports the fixture; nothing outside the tests can do this.
"""

from collections.abc import Iterator

import pytest
from django.db import connections, transaction
from django.db.backends.base.operations import BaseDatabaseOperations

from audit.journal.triggers import ALIAS, install_triggers, remove_triggers


@pytest.fixture(scope="session", autouse=True)
def journal_flush() -> Iterator[None]:
    execute_sql_flush = BaseDatabaseOperations.execute_sql_flush

    def flush(self: BaseDatabaseOperations, sql_list: list[str]) -> None:
        if self.connection.alias != ALIAS:
            execute_sql_flush(self, sql_list)
            return
        with transaction.atomic(using=ALIAS):
            remove_triggers(connections[ALIAS])
            execute_sql_flush(self, sql_list)
            install_triggers(connections[ALIAS])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", flush)
        yield
