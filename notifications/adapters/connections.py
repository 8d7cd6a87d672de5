"""Kept connections to webhooks: pinned to the checked address, each call within a deadline."""

import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Final

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from notifications.adapters.addresses import Target

CALL_SECONDS: Final = 15.0
_KEPT: Final = 256
_SMALL_BODY: Final = 2048
_LOOK_SECONDS: Final = 0.25


class _Deadlines:
    """Cuts what goes on for too long; one thread looks after all calls of the process."""

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
                    cut()


_deadlines = _Deadlines()


class _PlainConnection(HTTPConnection):
    """Cuts a call that trickles on: a time limit per read alone would let it hold a thread."""

    call_seconds = CALL_SECONDS
    _handle: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        self._handle = made.dup()
        return made

    def connect(self) -> None:
        with self._deadline():
            super().connect()

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        with self._deadline():
            answer = super().getresponse()
            _finish_small_body(answer)
            return answer

    def close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()
        super().close()

    def _cut(self) -> None:
        if self._handle is not None:
            with suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)

    def _deadline(self) -> AbstractContextManager[None]:
        return _deadlines.within(self.call_seconds, self._cut)


def _finish_small_body(answer: HTTPResponse) -> None:
    """Read a small answer to its end, so that the connection can be used again."""
    if 0 < (answer.length_remaining or 0) <= _SMALL_BODY:
        with suppress(OSError, HTTPError):
            answer.read(decode_content=False)


class _TlsConnection(_PlainConnection, HTTPSConnection):
    """The same by HTTPS, the certificate checked against the endpoint's name."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class PinnedAdapter(HTTPAdapter):
    """Connects to the address in the URL and checks the certificate of `host`."""

    def __init__(self, target: Target) -> None:
        self._names: dict[str, Any] = (
            {"server_hostname": target.host, "assert_hostname": target.host}
            if target.scheme == "https"
            else {}
        )
        super().__init__(pool_connections=1, pool_maxsize=4, max_retries=0)

    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = False,  # noqa: FBT001, FBT002  (the signature of requests)
        **pool_kwargs: Any,  # noqa: ANN401
    ) -> None:
        """Make the pools; the name goes to SNI and to the check of the certificate."""
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs, **self._names)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}


class Adapters:
    """One adapter for each checked address, the least used one closed when there are many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, int, str], PinnedAdapter] = OrderedDict()

    def of(self, target: Target) -> PinnedAdapter:
        """Return the adapter of a target; its kept connections lead to the checked address."""
        key = (target.scheme, target.host, target.port, target.ip)
        with self._lock:
            adapter = self._kept.pop(key, None) or PinnedAdapter(target)
            self._kept[key] = adapter
            dropped = self._kept.popitem(last=False)[1] if len(self._kept) > _KEPT else None
        if dropped is not None:
            dropped.close()
        return adapter

    def close(self) -> None:
        """Close them all."""
        with self._lock:
            kept, self._kept = list(self._kept.values()), OrderedDict()
        for adapter in kept:
            adapter.close()
