"""Ends connections that go on for too long; one thread looks after all calls of the process."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from shared.log import get_logger

_LOOK_SECONDS: Final = 0.25

_log = get_logger(__name__)


class Deadlines:
    """Cuts what is not over in time."""

    def __init__(self) -> None:
        """Start nothing yet: the thread begins with the first call, after any fork."""
        self._lock = threading.Lock()
        self._cuts: dict[Callable[[], None], float] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def within(self, seconds: float, cut: Callable[[], None]) -> Iterator[None]:
        """Call `cut` if the block is not over in time; never afterwards. It must not block."""
        with self._lock:
            self._cuts[cut] = time.monotonic() + seconds
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="deadlines", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._cuts.pop(cut, None)

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            with self._lock:
                moment = time.monotonic()
                for cut in [cut for cut, end in self._cuts.items() if end <= moment]:
                    del self._cuts[cut]
                    try:
                        cut()
                    except Exception as failure:  # noqa: BLE001  (the other calls have theirs)
                        _log.error("cut-failed", exc_info=failure)


_deadlines = Deadlines()


class Handle:
    """A second handle of a connection's socket, by which another thread can end it."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.is_cut = False
        self._kept: socket.socket | None = None

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """End the connection if the block is not over in time."""
        self.is_cut = False
        with _deadlines.within(seconds, self.cut):
            yield

    def keep(self, made: socket.socket) -> None:
        """Take a handle of the socket that was made.

        Raises:
            TimeoutError: its time is over already.

        """
        if self.is_cut:
            made.close()
            raise TimeoutError
        self._kept = made.dup()

    def cut(self) -> None:
        """End the connection, whatever is going on with it."""
        self.is_cut = True
        kept = self._kept
        if kept is not None:
            with suppress(OSError):
                kept.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the socket."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()
