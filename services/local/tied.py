"""Runs a program that is told to stop when the process that started it is gone.

`python -m services.local.tied PARENT PROGRAM ARGUMENT...`; Linux only (prctl).
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def tie(parent: int) -> bool:
    """Ask for SIGTERM at the parent's end; return whether the parent is still there."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    return os.getppid() == parent


if __name__ == "__main__":
    if tie(int(sys.argv[1])):
        os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606  (no shell is wanted)
