"""Child processes of a demo: started anew when they end, stopped together, never left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_STOP_SECONDS = 35.0
_QUICK_SECONDS = 60.0
_MOST_RESTARTS = 5
_LOG_BYTES = 20_000_000


class KeepsEnding(Exception):
    """A child ends again and again; the text says where its log is."""


@dataclass(slots=True)
class Child:
    """A program of ours with its log file.

    It lives in a session of its own, so that Ctrl-C reaches the parent only, which then stops
    everything in order; and it is told to stop when the parent is killed.
    """

    name: str
    arguments: Sequence[str]
    log: Path
    _process: subprocess.Popen[bytes] | None = None
    _starts: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start the program; call it from the main thread, whose end is the child's."""
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".old"))
        tied = [sys.executable, "-m", "services.local.tied", str(os.getpid()), *self.arguments]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  (our own programs)
                tied,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._starts.append(time.monotonic())

    def runs(self) -> bool:
        """Tell whether the program runs."""
        return self._process is not None and self._process.poll() is None

    def keep_alive(self) -> None:
        """Start the program again if it has ended.

        Raises:
            KeepsEnding: it has ended too often in a minute.

        """
        if self.runs():
            return
        recent = [at for at in self._starts if time.monotonic() - at < _QUICK_SECONDS]
        if len(recent) >= _MOST_RESTARTS:
            raise KeepsEnding(f"The {self.name} process keeps ending; {self.log} says why.")
        self.start()

    def ask_to_stop(self) -> None:
        """Send SIGTERM: the program finishes what it holds."""
        if self._process is not None and self.runs():
            self._process.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        """Wait for the end; kill the program if it takes too long."""
        if self._process is None:
            return
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def stop_all(children: Sequence[Child]) -> None:
    """Stop the children together and wait for them."""
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.wait()
