"""The load generator: a process of its own, raw kept connections, bounded in time and number.

Open loop: requests go out at planned moments, whatever the answers do, and latency counts from the
plan. Closed loop: each connection sends its next request when the answer has come.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from uuid import uuid4

from services.local.ports import HOST

_CONNECTIONS = 64
_PATIENCE_SECONDS = 60.0
_LATEST_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where intakes go, and the bodies in turn; `id_name` is the member of the answer to keep."""

    port: int
    path: str
    bodies: Sequence[str]
    id_name: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Load:
    """How much: `rate` a second in an open loop, else `connections` in a closed one.

    Bounded by `seconds`, and by `count` where it is not 0.
    """

    seconds: float
    rate: float = 0.0
    connections: int = 16
    count: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """An accepted intake: its id, planned and answered moments (ns), the number of its body."""

    id: str
    planned: int
    answered: int
    body: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a load did; `bad` counts answers other than 202."""

    sent: Sequence[Sent]
    bad: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Accepted intakes per second."""
        return len(self.sent) / self.seconds


def run(target: Target, load: Load) -> Report:
    """Run a load in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps({"target": asdict(target), "load": asdict(load)}),
        capture_output=True,
        text=True,
        check=False,
        timeout=_LATEST_SECONDS,
    )
    if done.returncode:
        raise RuntimeError(f"The load generator failed: {done.stderr[-2000:]}")
    found = json.loads(done.stdout)
    return Report([Sent(*one) for one in found["sent"]], found["bad"], found["seconds"])


class _Connection(asyncio.Protocol):
    """One kept connection, one request at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._got = b""
        self._answer: asyncio.Future[tuple[bytes, bytes]] | None = None
        self.open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.open = True

    def connection_lost(self, _: Exception | None) -> None:
        self.open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError())

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._got[:end].lower()
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(self._got) < end + 4 + length or self._answer is None:
            return
        body, self._got = self._got[end + 4 :], b""
        if b"connection: close" in head:
            self.open = False
            self._transport.close()
        if not self._answer.done():
            self._answer.set_result((head, body))

    async def ask(self, request: bytes) -> tuple[bytes, bytes]:
        self._answer = self._loop.create_future()
        self._transport.write(request)
        return await self._answer


class _Generator:
    def __init__(self, target: Target, load: Load) -> None:
        self._target, self._load = target, load
        self._heads = [_head(target, body) for body in target.bodies]
        self._id_mark = f'"{target.id_name}":'.encode()
        self._free: list[_Connection] = []
        self._number = 0
        self.sent: list[tuple[str, int, int, int]] = []
        self.bad = 0

    async def run(self) -> None:
        await (self._open_loop() if self._load.rate else self._closed_loop())

    async def _open_loop(self) -> None:
        load, begun = self._load, time.monotonic_ns()
        room = asyncio.Semaphore(_CONNECTIONS)
        async with asyncio.TaskGroup() as tasks:
            for number in range(int(load.rate * load.seconds)):
                planned = begun + int(number / load.rate * 1e9)
                await asyncio.sleep((planned - time.monotonic_ns()) / 1e9)
                tasks.create_task(self._one(planned, room))

    async def _closed_loop(self) -> None:
        until = time.monotonic() + self._load.seconds
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._load.connections):
                tasks.create_task(self._client(until))

    async def _client(self, until: float) -> None:
        room = asyncio.Semaphore(1)
        while time.monotonic() < until and not self._enough():
            await self._one(time.monotonic_ns(), room)

    def _enough(self) -> bool:
        return 0 < self._load.count <= self._number

    async def _one(self, planned: int, room: asyncio.Semaphore) -> None:
        number = self._number % len(self._heads)
        self._number += 1
        before, after = self._heads[number]
        request = b"%s%s%s" % (before, str(uuid4()).encode(), after)
        async with room, asyncio.timeout(_PATIENCE_SECONDS):
            head, body = await self._ask(request)
        if b" 202 " in head[:20]:
            self.sent.append((self._id(body), planned, time.monotonic_ns(), number))
        else:
            self.bad += 1

    async def _ask(self, request: bytes) -> tuple[bytes, bytes]:
        """Ask on a kept connection; once more on a new one if the server had just closed it."""
        for kept in (True, False):
            connection = await self._connection(kept=kept)
            try:
                answer = await connection.ask(request)
            except ConnectionError:
                continue
            if connection.open:
                self._free.append(connection)
            return answer
        raise ConnectionError("The server closes connections without an answer.")

    async def _connection(self, *, kept: bool) -> _Connection:
        while kept and self._free:
            connection = self._free.pop()
            if connection.open:
                return connection
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, HOST, self._target.port)
        return connection

    def _id(self, body: bytes) -> str:
        return body.split(self._id_mark, 1)[1].split(b'"', 2)[1].decode()


def _head(target: Target, body: str) -> tuple[bytes, bytes]:
    """Return a request in two halves: a fresh Idempotency-Key goes between."""
    content = body.encode()
    lines = [f"POST {target.path} HTTP/1.1", f"Host: {HOST}:{target.port}"]
    lines += [f"{name}: {value}" for name, value in target.headers.items()]
    lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "Idempotency-Key: "]).encode(), b"\r\n\r\n" + content


def _main() -> None:
    given = json.load(sys.stdin)
    generator = _Generator(Target(**given["target"]), Load(**given["load"]))
    begun = time.monotonic()
    asyncio.run(generator.run())
    seconds = time.monotonic() - begun
    json.dump({"sent": generator.sent, "bad": generator.bad, "seconds": seconds}, sys.stdout)


if __name__ == "__main__":
    _main()
