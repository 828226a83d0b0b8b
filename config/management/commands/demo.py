"""Serve the demonstration: web server and background worker, in the foreground, until Ctrl-C."""

import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from audit.encryption.keystore.router import DATABASE, KEYSTORE
from config.management.processes import ProcessGroup
from pre_cases.demo.accounts import DEMO_ACCOUNTS, DEMO_PASSWORD

HOST = "127.0.0.1"


class Command(BaseCommand):
    help = "Sert la démonstration sur cette machine, avec son serveur de tâches ; Ctrl-C arrête tout."
    requires_system_checks: list[str] = []  # the databases may not exist yet; « make check » runs them all

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", default="8000", help="port d’écoute sur 127.0.0.1 (8000 par défaut)")
        parser.add_argument("--scale", type=float, default=1.0, help="part des enfants à inventer (voir load_demo)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Cette commande ne sert que la démonstration : lancez « make demo ».")
        port = checked_port(options["port"])
        self.prepare(options["scale"])
        status = self.serve(port)
        if status:
            sys.exit(status)

    def prepare(self, scale: float) -> None:
        """Databases, static files and invented city; each step is skipped when it is done already."""
        for alias, labels in (("default", []), (DATABASE, [KEYSTORE])):
            if needs_migration(alias, labels):
                self.stdout.write(f"Préparation de la base « {alias} »…")
                call_command("migrate", *labels, database=alias, interactive=False, verbosity=0, skip_checks=True)
        if static_files_changed():
            call_command("collectstatic", interactive=False, verbosity=0)
            static_stamp().write_text(static_state(), encoding="utf-8")
        call_command("load_demo", scale=scale, stdout=self.stdout)
        for connection in connections.all():
            connection.close()

    def serve(self, port: int) -> int:
        """Run web and worker until one stops or a stop is asked; gives the exit status."""
        os.environ["MARELLE_SITE_URL"] = f"http://{HOST}:{port}"  # what e-mails name; the children inherit it
        group = ProcessGroup(settings.VAR_DIR / "demo.pids", self.say, folder=settings.BASE_DIR)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, group.ask_to_stop)
        try:
            group.start("web", web_command(port))
            group.start("worker", worker_command())
            stopped = group.wait(lambda: self.announced(port))
        finally:
            group.stop()
        if stopped is None:
            self.say("Tout est arrêté.")
            return 0
        names = {"web": "Le serveur web", "worker": "Le serveur de tâches"}
        self.stderr.write(f"{names[stopped]} s’est arrêté de lui-même : tout est arrêté.")
        return 1

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def announced(self, port: int) -> bool:
        """Once the web server answers, say where it is and whom to sign in as."""
        if not answers(port):
            return False
        lines = ["", f"Marelle est prête : http://{HOST}:{port}", "", f"Mot de passe de tous : {DEMO_PASSWORD}"]
        lines += [f"  {account.email:<32} {account.description}" for account in DEMO_ACCOUNTS]
        lines += ["", "Le code du second facteur est écrit d’avance. Pour le lire plutôt sur un téléphone :"]
        lines += [f"  {account.email:<32} {account.code_secret}" for account in DEMO_ACCOUNTS]
        self.say("\n".join([*lines, "", "Ctrl-C arrête tout.", ""]))
        return True


def checked_port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise CommandError(f"« {text} » n’est pas un port : donnez un nombre de 1 à 65535.")
    port = int(text)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError as error:
            raise CommandError(f"Le port {port} est réservé : choisissez-en un au-delà de 1023.") from error
        except OSError as error:
            raise CommandError(
                f"Le port {port} est déjà pris : arrêtez ce qui l’occupe, ou choisissez-en un autre, "
                f"par exemple « make demo PORT={port + 1 if port < 65535 else 8000} »."
            ) from error
    return port


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def needs_migration(alias: str, labels: list[str]) -> bool:
    """Whether something is left to apply to a database, of these applications only if they are named."""
    executor = MigrationExecutor(connections[alias])
    leaves = executor.loader.graph.leaf_nodes()
    return bool(executor.migration_plan([leaf for leaf in leaves if not labels or leaf[0] in labels]))


def static_stamp() -> Path:
    return Path(settings.VAR_DIR) / "static.state"


def static_state() -> str:
    """Changes as soon as a file to serve does: its path, size or date, ours and the libraries'."""
    from django.contrib.staticfiles.finders import get_finders

    lines = []
    for finder in get_finders():
        for path, storage in finder.list([]):
            stat = Path(storage.path(path)).stat()
            lines.append(f"{path} {stat.st_size} {stat.st_mtime_ns}")
    return "\n".join(sorted(lines))


def static_files_changed() -> bool:
    stamp = static_stamp()
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    return not (manifest.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == static_state())


def web_command(port: int) -> list[str]:
    options = ["--bind", f"{HOST}:{port}", "--worker-class", "gthread", "--workers", "2", "--threads", "4"]
    quiet = ["--log-level", "warning", "--no-control-socket", "--graceful-timeout", "2"]
    return [sys.executable, "-m", "gunicorn", *options, *quiet, "config.wsgi:application"]


def worker_command() -> list[str]:
    schedule = ["--beat", "--schedule", str(settings.VAR_DIR / "celerybeat-schedule")]
    quiet = ["--loglevel", "warning", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    # -W: as root in a container Celery warns at length, on each start
    python = [sys.executable, "-W", "ignore::RuntimeWarning"]
    return [*python, "-m", "celery", "--app", "config", "worker", "--concurrency", "1", *schedule, *quiet]
