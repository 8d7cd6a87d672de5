"""The load's threads and what is done to processes are seen for what they are."""

import os
import signal
import sys
from pathlib import Path

from tests.faults.load import noted
from tests.faults.programs import Program


def _die() -> None:
    raise KeyError("offers")


def test_a_thread_of_the_load_that_dies_is_told() -> None:
    died: list[str] = []

    noted(died, _die)

    assert died == ["_die: KeyError('offers')"]


def test_a_signal_that_meets_nobody_is_no_kill(tmp_path: Path) -> None:
    program = Program("one", [sys.executable, "-c", "input()"], {}, tmp_path / "log")
    assert not program.signal(signal.SIGKILL)

    program.start()
    assert program.signal(signal.SIGKILL)
    os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)

    assert not program.signal(signal.SIGKILL)
