"""A process that writes changes with their events, another that seals them: both killed outright, again and again.

Run by ``test_killed.py`` on a database of its own, which the environment names; prints how many changes were answered.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import django

KILLS = 20


def main() -> None:
    django.setup()
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    executor.migrate([node for node in executor.loader.graph.leaf_nodes() if node[0] == "audit"])
    chance, answers = random.Random(9), Path(sys.argv[1])
    answers.touch()
    for _ in range(KILLS):
        connection.close()  # a connection does not survive a fork
        children = [started(lambda: write(answers)), started(seal)]
        time.sleep(0.1 + chance.random() * 0.3)
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        check({int(line) for line in answers.read_text(encoding="ascii").split("\n")[:-1]})
    print(len(answers.read_text(encoding="ascii").split()))


def started(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            work()
        os._exit(1)
    return child


def write(answers: Path) -> None:
    """A change, its event, then the answer: only once both are committed."""
    from django.db import transaction

    from audit.journal.integrity import Verification
    from audit.journal.record import record_event

    with answers.open("a", encoding="ascii") as file:
        while True:
            with transaction.atomic():
                change = Verification.objects.create(events=0, unsealed=0, seals=0)
                record_event("create", kind="audit.verification", ids=[change.pk])
            file.write(f"{change.pk}\n")
            file.flush()


def seal() -> None:
    from audit.journal.checkpoint import export_checkpoint
    from audit.journal.sealing import seal_committed

    while True:
        seal_committed()
        export_checkpoint()


def check(answered: set[int]) -> None:
    from audit.journal.integrity import Verification
    from audit.journal.models import Event
    from audit.journal.verify import verify_journal

    changes = set(Verification.objects.values_list("pk", flat=True))
    events = {int(pk) for ids in Event.objects.values_list("record_ids", flat=True) for pk in ids}
    assert answered <= changes, "an answered change is lost"
    assert changes == events, "a change without its event, or an event without its change"
    report = verify_journal()
    assert report.is_sound, report


if __name__ == "__main__":
    main()
