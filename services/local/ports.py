"""Loopback ports of the parts of a demo."""

import random
import socket
import time
from collections.abc import Container

HOST = "127.0.0.1"
# Below Linux's range for outgoing connections, so that none of those sits on a kept port.
_CHOICE = range(18_000, 32_000)


def is_free(port: int, *, patience: float = 0.0) -> bool:
    """Tell whether a server could listen there, waiting up to `patience` seconds for it."""
    deadline = time.monotonic() + patience
    while not _can_bind(port):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)
    return True


def choose(taken: Container[int] = ()) -> int:
    """Return a free port that is none of the taken ones."""
    start = random.choice(_CHOICE)  # noqa: S311  (two that choose at once must not meet)
    around = (*range(start, _CHOICE.stop), *range(_CHOICE.start, start))
    free: int = next(port for port in around if port not in taken and is_free(port))
    return free


def issuer(port: int) -> str:
    """Return the sign-in provider's address: another host than the pages', to share no cookie."""
    return f"http://localhost:{port}"


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
