"""The webhook sink: answers 200, keeps when what came where. `python -m bench.sink PORT`.

POST /hooks/N is kept with its moment (CLOCK_MONOTONIC, which the load generator uses too).
GET /count tells how many; /log gives them and forgets them; /hang/N/SECONDS lets endpoint N answer
late from now on.
"""

import asyncio
import json
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from bench.programs import Program
from services.local import ports

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_WITH_BODY = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One webhook: its moment in nanoseconds, the endpoint's number, the body."""

    at: int
    endpoint: int
    body: str


class Sink:
    """The sink's process, from outside."""

    def __init__(self, folder: Path) -> None:
        """Choose a port; nothing is started yet."""
        self.port = ports.choose()
        command = [sys.executable, "-m", "bench.sink", str(self.port)]
        self.program = Program("sink", command, folder)

    def hook(self, number: int) -> str:
        """Return the address of an endpoint."""
        return f"http://{ports.HOST}:{self.port}/hooks/{number}"

    def count(self) -> int:
        """Return how many came since the last `take`."""
        return int(self._get("/count"))

    def take(self) -> list[Arrival]:
        """Return what came, and begin anew."""
        return [Arrival(*entry) for entry in json.loads(self._get("/log"))]

    def hang(self, number: int, seconds: float) -> None:
        """Let an endpoint answer late from now on; 0 ends it."""
        self._get(f"/hang/{number}/{seconds:g}")

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://{ports.HOST}:{self.port}{path}", timeout=10) as found:
            content: bytes = found.read()
            return content


@dataclass(slots=True)
class _Kept:
    arrivals: list[tuple[int, int, str]] = field(default_factory=list)
    late: dict[int, float] = field(default_factory=dict)

    def get(self, path: str) -> bytes:
        what, *values = path.strip("/").split("/")
        if what == "log":
            found = json.dumps(self.arrivals).encode()
            self.arrivals.clear()
            return found
        if what == "hang":
            self.late[int(values[0])] = float(values[1])
        return b"%d" % len(self.arrivals)


class _Connection(asyncio.Protocol):
    """One kept connection; requests come one after the other."""

    def __init__(self, kept: _Kept) -> None:
        self._kept = kept
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            head = self._waiting[:end]
            whole = end + 4 + _length(head)
            if len(self._waiting) < whole:
                return
            body, self._waiting = self._waiting[end + 4 : whole], self._waiting[whole:]
            method, path, _ = head.split(b" ", 2)
            self._answer(method, path.decode(), body)

    def _answer(self, method: bytes, path: str, body: bytes) -> None:
        if method == b"GET":
            found = self._kept.get(path)
            self._transport.write(_WITH_BODY % (len(found), found))
            return
        endpoint = int(path.rsplit("/", 1)[1])
        self._kept.arrivals.append((time.monotonic_ns(), endpoint, body.decode()))
        if late := self._kept.late.get(endpoint):
            asyncio.get_running_loop().call_later(late, self._transport.write, _OK)
        else:
            self._transport.write(_OK)


def _length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"content-length:")
    return int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


async def _serve(port: int) -> None:
    kept = _Kept()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(kept), ports.HOST, port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
