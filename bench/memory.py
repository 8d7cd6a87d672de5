"""memory: PSS of the demo's two processes / the Celery pipeline's; and how the worker grows.

Broker and database are left out on both sides; both have done the same work before. The six
processes of production are reported beside them. The growth is that of the demo's worker between
its 20,000th and its 200,000th event, at rest both times: revocations of releases that are not
known yet, of 20,000 referrals, which go through intake's relay, Kafka and routing's consumer.
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

from bench import load
from bench.drive import a_folder, drive, wait_for
from bench.load import Load
from bench.pairs import Bench, Pair, Result, alternate, say
from bench.peers.running import CeleryPipeline
from bench.programs import Program, pss_mib, stop_together
from bench.sink import Sink
from bench.system import GUNICORN, System
from shared.contracts.catalogue import CATALOGUE
from shared.db.outbox import Outbox

NEEDS = ("kafka", "redis")
MEMORY = Bench("memory", "MiB PSS", must=0.9, aim=0.7, better="lower")
PRODUCTION = Bench("memory-production", "MiB PSS", must=None, aim=None, better="lower")
GROWTH = Bench("memory-growth", "MiB", must=5, aim=2, better="lower")
BENCHES = (MEMORY, PRODUCTION, GROWTH)
_WORK = Load(seconds=60, connections=8, count=500)
_REVOKED = "intake.referral.release-revoked.v1"
_REFERRALS, _EACH = 20_000, 10
_AT_REST_SECONDS = 3.0
_PATIENCE_SECONDS = 900.0


def run(pairs: int) -> list[Result]:
    """Measure; the growth once."""
    with a_folder() as top, _a_sink(top / "sink") as sink, _ours(top / "ours", sink) as ours:
        production = _production(ours)
        demo = _Demo(ours)
        results = alternate(
            (MEMORY, PRODUCTION),
            lambda: {"memory": demo.measure(), "memory-production": production},
            lambda: _peer(top / f"peer-{uuid4()}"),
            pairs,
        )
        return [*results, Result(GROWTH, [Pair(demo.growth())])]


@contextmanager
def _a_sink(folder: Path) -> Iterator[Sink]:
    sink = Sink(folder)
    sink.program.start()
    try:
        yield sink
    finally:
        sink.program.stop()


@contextmanager
def _ours(folder: Path, sink: Sink) -> Iterator[System]:
    system = System(folder, sink)
    try:
        yield system.start()
    finally:
        system.stop()


def _production(system: System) -> float:
    """Return what the six processes of production hold after their work, and stop them."""
    drive(system, _WORK)
    programs = [*system.web.values(), *system.workers.values()]
    held = sum(pss_mib(program.pid) for program in programs)
    stop_together(programs)
    return held


def _peer(folder: Path) -> Mapping[str, float]:
    with _a_sink(folder) as sink:
        peer = CeleryPipeline(folder, sink)
        try:
            drive(peer.start(), _WORK)
            held = sum(pss_mib(peer.programs[name].pid) for name in ("web", "worker"))
        finally:
            peer.stop()
    return {"memory": held, "memory-production": held}


class _Demo:
    """The two processes of the demo, on the databases and the broker of a system."""

    def __init__(self, system: System) -> None:
        self._system, place = system, system.place
        folder, app = str(place.folder.path), "services.local.web:create_app"
        serve = ["-m", "gunicorn", "--config", str(GUNICORN), "--bind", place.address]
        web = [sys.executable, *serve, f"{app}({folder!r}, {place.port})"]
        work = [sys.executable, "-m", "services.local.worker", folder, str(place.port)]
        self._web = Program("demo-web", web, place.folder.logs)
        self._worker = Program("demo-worker", work, place.folder.logs)

    def measure(self) -> float:
        """Return what both hold after their work."""
        with self._running():
            self._work()
            return pss_mib(self._web.pid) + pss_mib(self._worker.pid)

    def growth(self) -> float:
        """Return by how much the worker grew, in MiB."""
        referrals = [str(uuid4()) for _ in range(_REFERRALS)]
        with self._running():
            self._work()
            before = self._held_after(referrals, range(1, 2))
            return self._held_after(referrals, range(2, _EACH + 1)) - before

    @contextmanager
    def _running(self) -> Iterator[None]:
        self._web.start()
        self._worker.start()
        try:
            self._system.wait_for_demo()
            yield
        finally:
            stop_together([self._web, self._worker])

    def _work(self) -> None:
        self._system.sink.take()
        report = load.run(self._system.demo_target(), _WORK)
        if len(wait_for(self._system.sink, len(report.sent))) < len(report.sent):
            raise RuntimeError("Not every webhook came.")

    def _held_after(self, referrals: Sequence[str], sequences: range) -> float:
        """Send each referral's events of these numbers; return what is held after them."""
        say(f"  {len(referrals) * len(sequences):,} events through the worker ...")
        with (
            self._connect("intake") as connection,
            connection.cursor() as cursor,
            cursor.copy(_COPY) as copy,
        ):
            for row in _revocations(referrals, sequences):
                copy.write_row(row)
        self._wait_until_read(len(referrals) * (sequences.stop - 1))
        return pss_mib(self._worker.pid)

    def _wait_until_read(self, count: int) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with self._connect("routing") as connection:
                row = connection.execute(_DONE).fetchone()
            if row == (count,):
                time.sleep(_AT_REST_SECONDS)
                return
            time.sleep(0.5)
        raise RuntimeError("The events are not read.")

    def _connect(self, service: str) -> psycopg.Connection:
        return psycopg.connect(self._system.place.postgres.dsn(service, f"{service}_owner"))


def _revocations(referrals: Sequence[str], sequences: range) -> Iterator[tuple[object, ...]]:
    """Give the outbox's rows: each referral's first of these events, then each's second ..."""
    schema = CATALOGUE[_REVOKED].schema
    data = schema.load(CATALOGUE[_REVOKED].example)
    outbox = Outbox("/intake/brva")
    model = outbox.row(
        type=_REVOKED, agency="brva", key=data["referral_id"], sequence=1, data=data
    )
    _, topic, key, _, _, headers, payload = model
    for sequence in sequences:
        for referral_id in referrals:
            own = json.loads(headers.replace(key, referral_id))
            own |= {"ce_id": str(uuid4()), "ce_sequence": str(sequence)}
            body = payload.replace(key.encode(), referral_id.encode())
            yield (own["ce_id"], topic, referral_id, sequence, _REVOKED, json.dumps(own), body)


_COPY = """
copy outbox (event_id, topic, key, sequence, type, headers, payload) from stdin
"""
_DONE = """
select coalesce(sum(next_sequence - 1), 0) from stream_position
where consumer = 'routing' and next_sequence > 1
  and key in (select referral_id::text from early_fact where kind = 'release-revoked')
"""
