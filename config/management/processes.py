"""Several processes run as one: their lines side by side, and all of them stopped as soon as one stops."""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import subprocess  # nosec B404 - the commands are ours, without a shell
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

PATIENCE_SECONDS = 10.0  # between asking a process to stop and stopping it


def _die_with_parent() -> None:
    """On Linux the child is told to stop even when its parent was killed outright."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class ProcessGroup:
    """Children started together and stopped together; each leads its own process group, so that its own children
    go with it. ``pid_file`` holds one ``name pid`` line per running child, and goes away at the end; ``folder`` is
    where they run.
    """

    def __init__(self, pid_file: Path, write: Callable[[str], object], *, folder: Path | None = None) -> None:
        self.pid_file = pid_file
        self.folder = folder
        self.write = write
        self.children: dict[str, subprocess.Popen[str]] = {}
        self.readers: list[threading.Thread] = []
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.stopping = False

    def start(self, name: str, command: list[str]) -> None:
        child = subprocess.Popen(  # noqa: S603  # nosec B603
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,
            preexec_fn=_die_with_parent,
        )
        self.children[name] = child
        self.pid_file.write_text("".join(f"{n} {c.pid}\n" for n, c in self.children.items()), encoding="utf-8")
        reader = threading.Thread(target=self._collect, args=(name, child.stdout), daemon=True)
        reader.start()
        self.readers.append(reader)

    def _collect(self, name: str, output: IO[str]) -> None:
        with output:
            for line in output:
                if line.strip():
                    self.lines.put(f"{name:<7}│ {line.rstrip()}")

    def ask_to_stop(self, *_: object) -> None:
        """A signal handler: ``wait()`` then gives None."""
        self.stopping = True

    def wait(self, ready: Callable[[], bool]) -> str | None:
        """Show the children's lines until one of them stops, whose name is given, or until a stop is asked (None).

        ``ready`` is asked again and again until it says True.
        """
        is_ready = False
        while not self.stopping:
            self._show()
            for name, child in self.children.items():
                if child.poll() is not None:
                    return name
            is_ready = is_ready or ready()
            time.sleep(0.1)
        return None

    def _show(self) -> None:
        while not self.lines.empty():
            self.write(self.lines.get())

    def stop(self) -> None:
        """Ask every child to stop, and let each stop its own; then kill what remains of their groups."""
        for child in self.children.values():
            child.terminate()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and any(child.poll() is None for child in self.children.values()):
            self._show()
            time.sleep(0.05)
        for child in self.children.values():
            kill_group(child)
            child.wait()
        for reader in self.readers:
            reader.join(1)
        self._show()
        self.pid_file.unlink(missing_ok=True)


def kill_group(child: subprocess.Popen[str]) -> None:
    """Kill a child and all that it started; nothing happens when none is left."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
