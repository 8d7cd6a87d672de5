"""Small disks that can be filled: an image of ext4 behind a loop device.

Where nothing can be mounted, the processes that write there are given a limit on the size of a
file instead: their next write beyond it fails, as on a full disk.
"""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BYTES = 4 * 1024**3
_LARGEST_FILE = 1


@dataclass(slots=True)
class Disk:
    """A folder; `small` when it is a file system of its own. `writers` are who writes there."""

    folder: Path
    small: bool
    writers: Callable[[], Sequence[int]] = list

    def fill(self) -> None:
        """Leave no byte free."""
        if not self.small:
            self._limit(str(_LARGEST_FILE))
            return
        with self._ballast.open("wb") as ballast:
            free = os.statvfs(self.folder)
            size, step = 0, free.f_bfree * free.f_bsize
            while step >= free.f_bsize:
                try:
                    os.posix_fallocate(ballast.fileno(), size, step)
                    size += step
                except OSError:
                    step //= 2

    def empty(self) -> None:
        """Give the room back."""
        if self.small:
            self._ballast.unlink(missing_ok=True)
        else:
            self._limit("unlimited")

    def _limit(self, size: str) -> None:
        """Set the soft limit of each writer; as its own user, who alone may do so."""
        for pid in self.writers():
            with suppress(FileNotFoundError):  # it has just ended
                owner = Path(f"/proc/{pid}").stat()
                _done(
                    *("prlimit", f"--pid={pid}", f"--fsize={size}:"),
                    user=owner.st_uid,
                    group=owner.st_gid,
                )

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


def family(pid: int | None) -> list[int]:
    """Return a process and its children."""
    if pid is None:
        return []
    with suppress(FileNotFoundError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [pid, *map(int, children.split())]
    return []


@contextmanager
def a_disk(folder: Path) -> Iterator[Disk]:
    """Give a disk at the folder; a plain folder where nothing can be mounted."""
    folder.mkdir(parents=True)
    image = folder.with_suffix(".ext4")
    with image.open("wb") as file:
        file.truncate(_BYTES)
    small = _done("mkfs.ext4", "-q", "-m", "0", str(image)) and _done(
        "mount", "-o", "loop", str(image), str(folder)
    )
    try:
        yield Disk(folder, small)
    finally:
        if small:
            _done("umount", "--lazy", str(folder))
        image.unlink()


def _done(*command: str, user: int | None = None, group: int | None = None) -> bool:
    how: dict[str, Any] = {"user": user, "group": group, "capture_output": True}
    try:
        return subprocess.run(command, check=False, **how).returncode == 0
    except FileNotFoundError:
        return False
