"""« make load »: fifty people at work while the key-encryption key is changed three times. Nothing here is a test.

A real web server on the loopback address, its own databases (PostgreSQL when a server answers, SQLite otherwise or with
``--sqlite``), three minutes. Each person lists, reads, searches and writes. The second rotation is killed half-way,
then taken up again; at the end the former versions are destroyed under the same load. Exits with 1 if one answer was an
error.
"""

import base64
import http.client
import os
import random
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import suite  # noqa: E402

PEOPLE = 50
CHILDREN = 1_500
ROTATIONS = 3
LONGEST = 300  # seconds, whatever happens
THINKING = 1.0  # seconds between two requests of one person, on average
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
PARCOURS = re.compile(r'href="(/parcours/[0-9a-f-]{36}/)"')
NAMES = ("Traoré", "lefevre", "ben", "Martin", "el haddad", "Zoé")


def main() -> int:
    with installation(sqlite="--sqlite" in sys.argv) as environment:
        sessions, keys = prepare(environment)
        with server(environment) as port:
            stop = threading.Event()
            people = [Person(port, session, stop, seed) for seed, session in enumerate(sessions)]
            for person in people:
                person.start()
            try:
                rotate_three_times(environment, keys)
            finally:
                stop.set()
                for person in people:
                    person.join(30)
    return tell(people)


# -- the installation ---------------------------------------------------------------------------------------------


@contextmanager
def installation(*, sqlite: bool) -> Iterator[dict[str, str]]:
    var = Path(tempfile.mkdtemp(prefix="marelle-load-"))
    key_file = var / "key"
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_URL")} | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "MARELLE_ENV_FILE": os.devnull,
        "MARELLE_VAR_DIR": str(var),
        "MARELLE_DEMO": "1",  # plain HTTP on the loopback address
        "SECRET_KEY": secrets.token_urlsafe(50),
        "MARELLE_KEY_PROVIDER": f"file:{key_file}",
        "MARELLE_SIGNING_KEY": "env:LOAD_SIGNING_KEY",
        "LOAD_SIGNING_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "PYTHONPATH": str(ROOT),
    }
    descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(descriptor, base64.b64encode(secrets.token_bytes(32)))
    os.close(descriptor)
    names = []
    if not sqlite and not suite.said(suite.postgresql_missing()):
        names = [f"marelle_load_{secrets.token_hex(4)}"]
        names.append(f"{names[0]}_keys")
        environment |= {"DATABASE_URL": suite.database_url(names[0]), "KEYSTORE_URL": suite.database_url(names[1])}
        create_databases(names)
    try:
        yield environment
    finally:
        if names:
            suite.drop_databases(names)
        shutil.rmtree(var, ignore_errors=True)


def create_databases(names: list[str]) -> None:
    import psycopg

    with psycopg.connect(suite.POSTGRESQL, autocommit=True) as connection:
        for name in names:
            connection.execute(f'CREATE DATABASE "{name}"')


def prepare(environment: dict[str, str]) -> tuple[list[str], int]:
    """Load the city and sign fifty people in; their sessions, and the number of data keys."""
    os.environ.clear()
    os.environ.update(environment)
    import django

    django.setup()
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from django.db import connections
    from django.utils import timezone

    from audit.encryption.keystore.models import DataKey
    from pre_cases.demo.calendar import Targets
    from pre_cases.demo.load import load
    from referents.models import CharterSignature, Membership, Role, User
    from referents.sessions import browser_of

    for alias in ("default", "keys"):
        call_command("migrate", database=alias, verbosity=0, skip_checks=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    load(seed=1, today=timezone.localdate(), targets=Targets(0, 0, CHILDREN))
    held = Membership.objects.current().filter(role__in=[Role.REFERENT, Role.COORDINATOR]).values("user")
    signed = CharterSignature.objects.filter(expires_on__gt=timezone.localdate()).values("user")
    users = list(User.objects.filter(pk__in=held, is_active=True).filter(pk__in=signed).order_by("pk"))
    sessions = []
    for number in range(PEOPLE):
        user = users[number % len(users)]
        session = SessionStore()
        session["_auth_user_id"] = str(user.pk)
        session["_auth_user_backend"] = "allauth.account.auth_backends.AuthenticationBackend"
        session["_auth_user_hash"] = user.get_session_auth_hash()
        session["signed_in_at"] = session["seen_at"] = time.time()
        session["session_round"] = user.session_round
        session["browser"] = browser_of("")  # http.client does not say what it is
        session["account_authentication_methods"] = [{"method": "mfa", "at": time.time()}]
        session["account_authentication_methods_user"] = str(user.pk)
        session.save()
        sessions.append(str(session.session_key))
    count = DataKey.objects.count()
    vendor = connections["default"].vendor
    for connection in connections.all():
        connection.close()
    print(f"{len(users)} comptes, {PEOPLE} personnes, {CHILDREN} enfants, {count} clés, {vendor}.", flush=True)
    return sessions, count


@contextmanager
def server(environment: dict[str, str]) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    options = ["--workers", "2", "--worker-class", "gthread", "--threads", "8", "--log-level", "error"]
    command = [sys.executable, "-m", "gunicorn", *options, "--no-control-socket", "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen([*command, "config.wsgi:application"], cwd=ROOT, env=environment)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


# -- the people ---------------------------------------------------------------------------------------------------


class Person(threading.Thread):
    """Lists, reads, searches, writes, with pauses; remembers how long each answer took and what went wrong."""

    def __init__(self, port: int, session: str, stop: threading.Event, seed: int) -> None:
        super().__init__(daemon=True)
        self.port, self.stop = port, stop
        self.chance = random.Random(seed)
        self.cookies = {"sessionid": session}
        self.times: list[float] = []
        self.writes = 0
        self.errors: list[str] = []

    def run(self) -> None:
        ends = time.monotonic() + LONGEST
        time.sleep(self.chance.random() * THINKING)
        while not self.stop.is_set() and time.monotonic() < ends:
            try:
                self.work()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
                self.errors.append(repr(error))

    def work(self) -> None:
        listed = self.ask("GET", "/parcours/")
        found = PARCOURS.findall(listed)
        if not found:
            return
        page = self.ask("GET", self.chance.choice(found))
        address = self.chance.choice(found)
        token = TOKEN.search(page)
        if token is None:
            return
        typed = {"csrfmiddlewaretoken": token[1]}
        self.ask("POST", "/parcours/recherche/", typed | {"name": self.chance.choice(NAMES)})
        if self.chance.random() < 0.5:
            entry = {"kind": "phone", "with_whom": "family", "on": time.strftime("%Y-%m-%d"), "text": "Appel du matin."}
            self.ask("POST", f"{address}echange/", typed | entry, expected=302)
            self.writes += 1

    def ask(self, method: str, path: str, form: dict[str, str] | None = None, expected: int = 200) -> str:
        time.sleep(self.chance.expovariate(1 / THINKING))
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if form is not None:
            body, headers["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
        began = time.perf_counter()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read().decode(errors="replace")
        self.times.append(time.perf_counter() - began)
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        connection.close()
        if answer.status != expected:
            self.errors.append(f"{method} {path.split('/')[1]}: {answer.status}")
        return content


# -- the rotations ------------------------------------------------------------------------------------------------


def manage(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def rotate_three_times(environment: dict[str, str], keys: int) -> None:
    from audit.encryption.keystore.models import DataKey

    time.sleep(10)
    for number in range(1, ROTATIONS + 1):
        began = time.monotonic()
        process = manage(environment, "rotate_keys")
        if number == 2:
            while process.poll() is None and DataKey.objects.filter(kek_version=number + 1).count() < keys // 3:
                time.sleep(0.02)
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()
            left = DataKey.objects.filter(kek_version__lte=number).count()
            print(f"Rotation {number} : tuée à mi-chemin, {left} clés restaient.", flush=True)
            process = manage(environment, "rotate_keys")
        said, _ = process.communicate()
        print(f"Rotation {number} : {time.monotonic() - began:.1f} s, {said.strip().splitlines()[-1]}", flush=True)
        if process.returncode:
            raise SystemExit(said)
        time.sleep(5)
    for _ in range(20):
        process = manage(environment, "rotate_keys", "--retire")
        said, _ = process.communicate()
        if not process.returncode:
            break
        time.sleep(10)
    print(f"Anciennes versions : {said.strip()}", flush=True)
    time.sleep(5)
    said, _ = manage(environment, "check_keys").communicate()
    print(said.strip(), flush=True)


def tell(people: list[Person]) -> int:
    times = sorted(value for person in people for value in person.times)
    errors = [error for person in people for error in person.errors]
    writes = sum(person.writes for person in people)
    print(f"\n{len(times)} requêtes de {len(people)} personnes, dont {writes} échanges écrits ; {len(errors)} erreurs.")
    if times:
        cuts = statistics.quantiles(times, n=100)
        print(f"Réponse médiane {cuts[49] * 1_000:.0f} ms, 95 % en moins de {cuts[94] * 1_000:.0f} ms.")
    for error in sorted(set(errors)):
        print(f"  {errors.count(error)} × {error}")
    return int(bool(errors) or not times)


if __name__ == "__main__":
    sys.exit(main())
