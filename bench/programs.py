"""The programs that a bench starts, what they use, and their end."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from shared.config import PREFIX

_STOP_SECONDS = 40.0
_MIB = 2**20


@dataclass(slots=True)
class Program:
    """A program with its log; it ends with the bench, whatever happens to that."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        tied = [sys.executable, "-m", "services.local.tied", str(os.getpid()), *self.command]
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  (our own programs)
                tied,
                env=_without_settings(os.environ) | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def log(self) -> Path:
        """The file of what it says."""
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int:
        """Its process id."""
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"{self.name} does not run; {self.log} says why.")
        return self._process.pid

    def stop(self) -> None:
        """Stop it in order, as its service manager would."""
        stop_together([self])

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        """Wait for the end; kill it if it takes too long."""
        if self._process is None:
            return
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def stop_together(programs: Sequence[Program]) -> None:
    """Stop the programs, all at once, and wait for them."""
    for program in programs:
        program.ask_to_stop()
    for program in programs:
        program.wait()


def _without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in environment.items() if not name.startswith(PREFIX)}


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and its children have used."""
    return sum(sum(process.cpu_times()[:4]) for process in _tree(pid))


def pss_mib(pid: int) -> float:
    """Return the resident memory of a process and its children, shared pages by their share."""
    return sum(process.memory_full_info().pss for process in _tree(pid)) / _MIB


def _tree(pid: int) -> list[psutil.Process]:
    top = psutil.Process(pid)
    return [top, *top.children(recursive=True)]
