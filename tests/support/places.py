"""Where servers of tests keep their files."""

import os
import secrets
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108  (a new name below it)
_ROOM = 2 << 30


def a_place(server: str) -> Path:
    """Name a new folder for a server, in memory where there is room.

    A database a test is thousands of files, made and deleted: half of the run's time on a disk.
    Not below pytest's own folder: that one is private, and as root the server has its account.
    """
    usable = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    place = _MEMORY if usable else Path(tempfile.gettempdir())
    return place / f"wh-{server}-{os.getpid()}-{secrets.token_hex(3)}"
