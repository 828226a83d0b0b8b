"""« kill -9 » of the web server, the worker and PostgreSQL while people write, a hundred times. Part of the campaign.

A PostgreSQL of its own is made in a temporary folder and thrown away. After each kill: what was answered is in the
journal, every exchange has its event and every event its exchange, and the journal verifies. Exits with 1 otherwise.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

KILLS = int(os.environ.get("KILLS", "100"))
PEOPLE, CHILDREN, THINKING = 6, 60, 0.05
AT_WORK = 2.0  # seconds between two kills, on average
PATIENCE = 120


def main() -> int:
    with postgresql() as server:
        os.environ["DATABASE_URL_TEST"] = server.url
        from tests import load

        load.PEOPLE, load.CHILDREN, load.THINKING = PEOPLE, CHILDREN, THINKING
        with load.installation(sqlite=False) as environment:
            for folder in ("broker", "broker/control"):
                (Path(environment["MARELLE_VAR_DIR"]) / folder).mkdir()
            sessions, _ = load.prepare(environment)
            return campaign(environment, sessions, server)


# -- what is killed -----------------------------------------------------------------------------------------------


class Server:
    """A process that is killed outright and started again; ``is_up`` says when it answers."""

    def __init__(self, command: list[str], environment: dict[str, str], is_up: Callable[[], bool]) -> None:
        self.command, self.environment, self.is_up = command, environment, is_up
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(self.command, cwd=ROOT, env=self.environment, process_group=0, **quiet)
        wait_for(self.is_up)

    def kill(self) -> None:
        """The process and its children, at the same instant."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class PostgreSQL:
    """A cluster in a temporary folder, on a port of its own; it never runs as root."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self.bin = Path(shutil.which("initdb") or "/usr/lib/postgresql/15/bin/initdb").resolve().parent
        self.as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.as_postgres:
            shutil.chown(folder, "postgres")
        self._run("initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "--no-sync")

    def start(self) -> None:
        """Again and again while processes of the former server are leaving."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        end = time.monotonic() + PATIENCE
        log = str(self.folder / "log")
        while self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-l", log, "-o", options, "-w", "start", check=False
        ):
            assert time.monotonic() < end, "PostgreSQL does not start again"
            time.sleep(0.2)

    def kill(self) -> None:
        pid = int((self.folder / "data" / "postmaster.pid").read_text(encoding="ascii").split()[0])
        os.kill(pid, signal.SIGKILL)

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        command = [*self.as_postgres, str(self.bin / program), *arguments]
        return subprocess.run(
            command, cwd="/", check=check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ).returncode


@contextlib.contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    with tempfile.TemporaryDirectory(prefix="marelle-kills-") as folder:
        server = PostgreSQL(Path(folder))
        server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(OSError, ValueError):
                server.kill()
            time.sleep(1)  # its children leave


def web(environment: dict[str, str], port: int) -> Server:
    options = ["--workers", "2", "--worker-class", "gthread", "--threads", "4", "--log-level", "critical"]
    command = [sys.executable, "-m", "gunicorn", *options, "--no-control-socket", "--bind", f"127.0.0.1:{port}"]
    return Server([*command, "config.wsgi:application"], environment, lambda: answers(port))


def worker(environment: dict[str, str]) -> Server:
    schedule = ["--beat", "--schedule", f"{environment['MARELLE_VAR_DIR']}/schedule", "--loglevel", "critical"]
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency", "1", *schedule]
    return Server(command, environment, lambda: True)


# -- the campaign -------------------------------------------------------------------------------------------------


def campaign(environment: dict[str, str], sessions: list[str], database: PostgreSQL) -> int:
    from tests import load

    class Witness(load.Person):
        """Reads and writes exchanges without a pause, and remembers the requests that were answered."""

        seen: list[UUID]

        def work(self) -> None:
            address = self.chance.choice(load.PARCOURS.findall(self.ask("GET", "/parcours/")))
            token = load.TOKEN.search(self.ask("GET", address))
            for _ in range(5):
                entry = {"kind": "phone", "with_whom": "family", "on": time.strftime("%Y-%m-%d"), "text": "Appel."}
                form = entry | {"csrfmiddlewaretoken": token[1] if token else ""}
                self.ask("POST", f"{address}echange/", form, expected=302)

        def answered(self, path: str, answer: http.client.HTTPResponse) -> None:
            if answer.status in (200, 302) and path.startswith("/parcours/"):
                self.seen.append(UUID(answer.headers["X-Request-ID"]))

    port = free_port()
    targets = {"web": web(environment, port), "worker": worker(environment), "postgresql": database}
    targets["web"].start()
    targets["worker"].start()
    load.LONGEST = 24 * 3600
    stop, chance, known = threading.Event(), random.Random(9), Known()
    people = [Witness(port, session, stop, seed) for seed, session in enumerate(sessions)]
    for person in people:
        person.seen = []
        person.start()
    counts = dict.fromkeys(targets, 0)
    try:
        for number in range(1, KILLS + 1):
            name = list(targets)[number % 3]
            time.sleep(chance.expovariate(1 / AT_WORK))
            targets[name].kill()
            targets[name].start()
            counts[name] += 1
            faults = known.faults([list(person.seen) for person in people])
            print(f"{number:>4} {name:<11}{known.requests:>7} réponses, {known.entries} échanges", flush=True)
            if faults:
                print("\n".join(faults), flush=True)
                return 1
    finally:
        stop.set()
        for name in ("web", "worker"):
            targets[name].kill()
        for person in people:
            person.join(10)
    print(f"{counts} : rien de ce qui a été répondu n’est perdu ; {known.finish()}", flush=True)
    return 0


class Known:
    """What was in the database before anybody worked, and what must be there now."""

    def __init__(self) -> None:
        from pre_cases.models import Entry

        self.before = set(Entry.objects.values_list("pk", flat=True))
        self.requests = self.entries = 0

    def faults(self, answered: list[list[UUID]]) -> list[str]:
        from django.db import connections

        from audit.journal.models import Event
        from audit.journal.verify import verify_journal
        from pre_cases.models import Entry

        for connection in connections.all():
            connection.close()  # of the server that was killed
        requests = {request for requests in answered for request in requests}
        wait_for(lambda: answers_database())
        lost = requests - set(Event.objects.filter(request_id__in=requests).values_list("request_id", flat=True))
        events = Event.objects.filter(kind=Entry._meta.label_lower)
        # the entries are read between two readings of their events: people are at work meanwhile
        first = ids_of(events) - self.before
        entries = set(Entry.objects.values_list("pk", flat=True)) - self.before
        later = ids_of(events)
        self.requests, self.entries = len(requests), len(entries)
        report = verify_journal()
        return [
            *(f"réponse {request} : son événement est perdu" for request in lost),
            *(f"échange {pk} : il n’a pas d’événement" for pk in entries - later),
            *(f"événement de l’échange {pk} : il n’y a pas d’échange" for pk in first - entries),
            *([report.sentence] if not report.is_sound else []),
        ]

    def finish(self) -> str:
        from audit.journal.sealing import seal_committed
        from audit.journal.verify import verify_journal

        seal_committed()
        report = verify_journal()
        assert report.is_sound, report
        assert report.unsealed == 0, report
        return report.sentence


def ids_of(events: object) -> set[UUID]:
    return {UUID(pk) for ids in events.values_list("record_ids", flat=True) for pk in ids}  # type: ignore[attr-defined]


def answers_database() -> bool:
    from django.db import OperationalError, connections

    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
    except OperationalError:
        connections["default"].close()
        return False
    return True


def answers(port: int) -> bool:
    """Not only listens: a server listens long before it can answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/connexion/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
