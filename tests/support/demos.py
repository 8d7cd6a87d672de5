"""Demos for tests: the real command on free ports, in a folder that the database can reach."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.local import ports
from services.local.folder import Folder
from services.local.postgres import LocalPostgres
from services.local.settings import Place

ROOT = Path(__file__).parents[2]
_READY = "is ready at"
_START_SECONDS = 120.0
_STOP_SECONDS = 60.0


@dataclass(slots=True)
class RunningDemo:
    """A demo started by its command; `output` is what it has said so far."""

    place: Place
    process: subprocess.Popen[bytes]
    log: Path = field(repr=False)

    @property
    def output(self) -> str:
        """What the command has written."""
        return self.log.read_text()

    def wait_until_ready(self) -> None:
        """Wait for the line that gives the address."""
        deadline = time.monotonic() + _START_SECONDS
        while _READY not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        return self.process.wait(_STOP_SECONDS)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Stop as Ctrl-C does, and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def kill(self) -> None:
        """End the command as kill -9 does."""
        self.process.kill()
        self.process.wait()


@contextmanager
def a_folder() -> Iterator[Path]:
    """Give a folder that every account may pass through; its database is stopped at the end."""
    top = Path(tempfile.mkdtemp(prefix="wh-"))
    top.chmod(0o755)
    try:
        yield top / "data"
    finally:
        LocalPostgres(top / "data" / "postgres").stop()
        shutil.rmtree(top, ignore_errors=True)


def start_demo(
    data: Path,
    *options: str,
    port: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> RunningDemo:
    """Start the command; it is not ready yet."""
    place = Place(Folder(data), port or ports.choose())
    log = data.parent / f"{data.name}-{time.monotonic_ns()}.log"
    command = [sys.executable, "-u", "-m", "services.demo", "--data", str(data)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(place.port), *options],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
    return RunningDemo(place, process, log)


@contextmanager
def a_demo(data: Path, *options: str) -> Iterator[RunningDemo]:
    """Give a demo that is ready; it is stopped at the end."""
    demo = start_demo(data, *options)
    try:
        demo.wait_until_ready()
        yield demo
    finally:
        demo.stop()
