"""Small disks that can be filled: an image of ext4 behind a loop device."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_BYTES = 4 * 1024**3


@dataclass(frozen=True, slots=True)
class Disk:
    """A folder; `small` when it is a file system of its own that can be filled."""

    folder: Path
    small: bool

    def fill(self) -> None:
        """Leave no byte free."""
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
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


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
