"""Kept connections to webhooks: pinned to the checked address, each call within a deadline."""

import socket
import threading
from collections import OrderedDict
from contextlib import suppress
from typing import Any, Final

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from notifications.adapters.addresses import Target
from notifications.adapters.deadlines import Handle

CALL_SECONDS: Final = 15.0
_KEPT: Final = 256
_SMALL_BODY: Final = 2048


class _PlainConnection(HTTPConnection):
    """Cuts a call that trickles on: a time limit per read alone would let it hold a thread."""

    call_seconds = CALL_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (those of urllib3)
        self._handle = Handle()
        super().__init__(*args, **kwargs)

    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        self._handle.keep(made)
        return made

    def connect(self) -> None:
        with self._handle.within(self.call_seconds):
            super().connect()

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        with self._handle.within(self.call_seconds):
            answer = super().getresponse()
            _finish_small_body(answer)
            return answer

    def close(self) -> None:
        self._handle.close()
        super().close()


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
