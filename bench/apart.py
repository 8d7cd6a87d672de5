"""A function in a process of its own: what one run leaves behind cannot help or hurt the next."""

import multiprocessing
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import ParamSpec, TypeVar

from shared.log import configure

P = ParamSpec("P")
R = TypeVar("R")
_LONGEST_SECONDS = 300.0


def apart(function: Callable[P, R], *args: P.args, **named: P.kwargs) -> R:
    """Return what the function, which is a module's own, returns in a new process."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh, initializer=_log_to_a_file) as process:
        return process.submit(function, *args, **named).result(_LONGEST_SECONDS)


def _log_to_a_file() -> None:
    """Log what a worker logs, as it does."""
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
    configure("bench")
