"""« make demo »: what it installs, the processes it runs as one, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from config.management import installation
from config.management.commands.demo import checked_port
from config.management.processes import ProcessGroup
from pre_cases.demo.accounts import BENOIT, DEMO_PASSWORD

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
PATIENCE = 120  # seconds; only a broken demonstration waits that long


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of var/."""
    var = tmp_path / "var"
    monkeypatch.setenv("MARELLE_VAR_DIR", str(var))
    monkeypatch.setenv("MARELLE_ENV_FILE", str(var / "marelle.env"))
    return var


def token_of(page: str) -> str:
    return TOKEN.findall(page)[0]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def is_running(pid: int) -> bool:
    """Whether a process lives; a dead one that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and any(is_running(pid) for pid in pids):
        time.sleep(0.05)
    return not any(is_running(pid) for pid in pids)


class TestInstall:
    def test_makes_folders_that_only_their_owner_opens(self, place: Path) -> None:
        installation.install()
        for folder in (place, place / "keys", place / "broker", place / "broker" / "control", place / "files"):
            assert mode(folder) == 0o700

    def test_makes_a_key_and_the_settings_of_a_demonstration(self, place: Path) -> None:
        installation.install()
        lines = (place / "marelle.env").read_text(encoding="utf-8").splitlines()
        assert "MARELLE_DEMO=1" in lines
        assert f"MARELLE_KEY_PROVIDER=file:{place / 'keys' / 'key-encryption-key'}" in lines
        assert mode(place / "keys" / "key-encryption-key") == 0o600
        assert mode(place / "marelle.env") == 0o600

    def test_makes_a_signing_key_of_its_own(self, place: Path) -> None:
        installation.install()
        lines = (place / "marelle.env").read_text(encoding="utf-8").splitlines()
        assert f"MARELLE_SIGNING_KEY=file:{place / 'keys' / 'signing-key'}" in lines
        assert mode(place / "keys" / "signing-key") == 0o600

    def test_gives_one_to_a_demonstration_made_before(self, place: Path) -> None:
        installation.install()
        path = place / "marelle.env"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(line for line in lines if "SIGNING" not in line), encoding="utf-8")
        (place / "keys" / "signing-key").unlink()
        installation.install()
        assert path.read_text(encoding="utf-8").splitlines(keepends=True) == lines
        assert (place / "keys" / "signing-key").exists()

    def test_never_makes_a_signing_key_again(self, place: Path) -> None:
        installation.install()
        (place / "keys" / "signing-key").unlink()
        installation.install()
        assert not (place / "keys" / "signing-key").exists()  # the server refuses to start, and says why

    def test_changes_nothing_the_second_time(self, place: Path) -> None:
        installation.install()
        before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
        installation.install()
        assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before

    def test_never_draws_the_same_secret_twice(self, place: Path) -> None:
        installation.install()
        first = (place / "marelle.env").read_text(encoding="utf-8")
        (place / "marelle.env").unlink()
        installation.install()
        assert (place / "marelle.env").read_text(encoding="utf-8") != first

    def test_leaves_the_settings_of_a_real_installation_alone(self, place: Path) -> None:
        place.mkdir()
        (place / "marelle.env").write_text("SECRET_KEY=real\n", encoding="utf-8")
        with pytest.raises(installation.NotADemonstration, match="installation réelle"):
            installation.install()
        assert (place / "marelle.env").read_text(encoding="utf-8") == "SECRET_KEY=real\n"

    def test_says_when_the_key_has_gone(self, place: Path) -> None:
        installation.install()
        (place / "keys" / "key-encryption-key").unlink()
        with pytest.raises(installation.NotADemonstration, match="a disparu"):
            installation.install()


SLEEPER = [sys.executable, "-c", "import time; print('debout', flush=True); time.sleep(600)"]
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print('enfant', child.pid, flush=True); time.sleep(600)",
]


class TestProcessGroup:
    @pytest.fixture
    def lines(self) -> list[str]:
        return []

    @pytest.fixture
    def group(self, tmp_path: Path, lines: list[str]) -> Iterator[ProcessGroup]:
        group = ProcessGroup(tmp_path / "pids", lines.append)
        yield group
        group.stop()

    def test_names_the_one_that_stops_first(self, group: ProcessGroup) -> None:
        group.start("long", SLEEPER)
        group.start("court", [sys.executable, "-c", "pass"])
        assert group.wait(lambda: True) == "court"

    def test_gives_nothing_when_a_stop_is_asked(self, group: ProcessGroup) -> None:
        group.start("long", SLEEPER)
        group.ask_to_stop()
        assert group.wait(lambda: True) is None

    def test_shows_whose_line_it_is(self, group: ProcessGroup, lines: list[str]) -> None:
        group.start("long", SLEEPER)

        def until_shown() -> bool:
            if lines:
                group.ask_to_stop()
            return False

        group.wait(until_shown)
        assert lines == ["long   │ debout"]

    def test_records_what_runs_until_it_stops(self, group: ProcessGroup) -> None:
        group.start("long", SLEEPER)
        assert group.pid_file.read_text(encoding="utf-8") == f"long {group.children['long'].pid}\n"
        group.stop()
        assert not group.pid_file.exists()

    def test_leaves_no_grandchild(self, group: ProcessGroup, lines: list[str]) -> None:
        group.start("parent", PARENT)

        def until_shown() -> bool:
            if lines:
                group.ask_to_stop()
            return False

        group.wait(until_shown)
        grandchild = int(lines[0].split()[-1])
        assert is_running(grandchild)
        group.stop()
        assert gone([grandchild])


class TestCheckedPort:
    def test_refuses_a_port_already_taken(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(CommandError, match=f"Le port {port} est déjà pris"):
                checked_port(str(port))

    @pytest.mark.parametrize("text", ["abc", "0", "65536", "-1", ""])
    def test_refuses_what_is_not_a_port(self, text: str) -> None:
        with pytest.raises(CommandError, match="n’est pas un port"):
            checked_port(text)


class TestDemo:
    def test_refuses_to_serve_a_real_installation(self) -> None:
        with pytest.raises(CommandError, match="make demo"):
            call_command("demo")

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="the demonstration makes its own SQLite files")
    def test_serves_until_it_is_interrupted_and_leaves_nothing(self, place: Path) -> None:
        demo, port = self.started(place)
        try:
            self.wait_for(demo, place, "Marelle est prête")
            pids = [int(line.split()[1]) for line in (place / "demo.pids").read_text(encoding="utf-8").splitlines()]
            assert len(pids) == 2
            assert "benoit@demo.marelle.example" in self.shown(place)
            assert BENOIT.code_secret in self.shown(place)
            self.enters(f"http://127.0.0.1:{port}")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/connexion/") as page:
                assert page.status == 200
            demo.send_signal(signal.SIGINT)
            assert demo.wait(30) == 0
            assert gone(pids)
            assert not (place / "demo.pids").exists()
            assert "Tout est arrêté." in self.shown(place)
        finally:
            demo.kill()
            demo.wait()

    def enters(self, site: str) -> None:
        """Two clicks, twice in the same half minute: « Entrer comme… », then the code written in advance."""
        for _ in range(2):
            browser = requests.Session()
            page = browser.get(f"{site}/connexion/", timeout=10).text
            typed = {"csrfmiddlewaretoken": token_of(page), "login": BENOIT.email, "password": DEMO_PASSWORD}
            page = browser.post(f"{site}/connexion/", typed, timeout=10)
            assert page.url == f"{site}/connexion/second-facteur/"
            (code,) = re.findall(r'name="code" value="(\d{6})"', page.text)
            typed = {"csrfmiddlewaretoken": token_of(page.text), "code": code}
            page = browser.post(page.url, typed, timeout=10)
            assert page.url == f"{site}/ma-journee/", page.url

    def started(self, place: Path) -> tuple[subprocess.Popen[bytes], int]:
        installation.install()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        inherited = ("PATH", "HOME", "LANG", "MARELLE_VAR_DIR", "MARELLE_ENV_FILE")
        environment = {name: os.environ[name] for name in inherited if name in os.environ}
        with (place / "log").open("wb") as log:
            demo = subprocess.Popen(
                [sys.executable, "manage.py", "demo", "--port", str(port), "--scale", "0.01"],
                cwd=settings.BASE_DIR,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return demo, port

    def wait_for(self, demo: subprocess.Popen[bytes], place: Path, sentence: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while sentence not in self.shown(place):
            assert demo.poll() is None, self.shown(place)
            assert time.monotonic() < deadline, self.shown(place)
            time.sleep(0.2)

    def shown(self, place: Path) -> str:
        return (place / "log").read_text(encoding="utf-8")
