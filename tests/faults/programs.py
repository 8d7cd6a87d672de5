"""Programs that are started again whenever they end, as docker compose would."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LOOK_SECONDS = 0.05
_STOP_SECONDS = 35.0


@dataclass(slots=True)
class Program:
    """One process of the product with its log; `ends` are the exit codes of its past lives."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    extra: dict[str, str] = field(default_factory=dict)
    ends: list[int] = field(default_factory=list)
    started: float = 0.0
    leaving: bool = False
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, in a session of its own."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], **self.environment, **self.extra},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started, self.leaving = time.time(), False

    def keep_alive(self) -> None:
        """Start it again if it has ended."""
        if self._process is None or self._process.poll() is None:
            return
        self.ends.append(self._process.returncode)
        self.start()

    @property
    def pid(self) -> int:
        """The process, or the master of a gunicorn."""
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal: all but SIGTERM reach its children too, as in a container.

        False when there was nobody to get it any more.
        """
        process = self._process
        if process is None or process.poll() is not None:
            return False
        if number in {signal.SIGKILL, signal.SIGTERM}:
            self.leaving = True
        try:
            if number is signal.SIGTERM:
                os.kill(process.pid, number)
            else:
                os.killpg(process.pid, number)
        except ProcessLookupError:
            return False
        return True

    def stop(self) -> None:
        """End it in order."""
        if self._process is None:
            return
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self._process.wait()


class Supervisor:
    """Keeps programs alive from a thread of its own until it is told to stop."""

    def __init__(self, programs: Sequence[Program]) -> None:
        """Name the programs; none is started yet."""
        self._programs = programs
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start every program and keep it alive."""
        for program in self._programs:
            program.start()
        self._thread.start()

    def stop(self) -> None:
        """End every program in order."""
        self._stop.set()
        self._thread.join()
        for program in self._programs:
            program.signal(signal.SIGTERM)
        for program in self._programs:
            program.stop()

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            for program in self._programs:
                program.keep_alive()
