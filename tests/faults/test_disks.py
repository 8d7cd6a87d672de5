"""A disk that can be filled without a file system of its own."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.faults.disks import Disk, family

WRITER = """
import signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for _ in sys.stdin:
    try:
        with open(sys.argv[1], "wb") as file:
            file.write(b"x" * 200_000)
        print("written", flush=True)
    except OSError:
        print("full", flush=True)
"""


def test_who_writes_there_meets_a_full_disk_until_it_is_empty(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "file")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        disk = Disk(tmp_path, small=False, writers=lambda: family(writer.pid))
        said = []
        for change in (disk.empty, disk.fill, disk.empty):
            change()
            print("again", file=writer.stdin, flush=True)
            said.append(writer.stdout.readline().strip())
        writer.send_signal(signal.SIGKILL)

    assert said == ["written", "full", "written"]
