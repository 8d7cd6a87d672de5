"""Small disks that can be filled: an image of ext4 behind a loop device.

Where nothing can be mounted, the processes that write there are given a limit on the size of a
file instead: their next write beyond it fails, as on a full disk.
"""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_BYTES = 4 * 1024**3
_LARGEST_FILE = 64 * 1024


@dataclass(slots=True)
class Disk:
    """A folder; `small` when it is a file system of its own. `writers` are who writes there."""

    folder: Path
    small: bool
    writers: Callable[[], Sequence[int]] = list

    def fill(self) -> None:
        """Leave no byte free."""
        if not self.small:
            self._limit(_LARGEST_FILE)
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
            self._limit(None)

    def _limit(self, size: int | None) -> None:
        for pid in self.writers():
            with suppress(ProcessLookupError):
                hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
                soft = hard if size is None else size
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))

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


def _done(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
