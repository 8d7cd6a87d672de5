"""Starts the peers on loopback and stops them."""

import json
import shutil
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import psycopg

from bench import site
from bench.load import Report, Target
from bench.programs import Program, cpu_seconds
from bench.sink import Arrival, Sink
from bench.system import GUNICORN, an_intake
from services.local import ports
from services.local.postgres import LocalPostgres

_READY_SECONDS = 30.0
_HERE = "bench.peers.celery_pipeline"
_TABLE = """
create table intake (
  id uuid primary key, status text not null, county text not null, urgency text not null,
  body bytea not null, partner_id uuid, created_at timestamptz not null default now(),
  updated_at timestamptz
)
"""


class BareFlask:
    """A Flask app that reads the body and answers 202, under our gunicorn's settings."""

    def __init__(self, folder: Path) -> None:
        """Choose a port; nothing is started yet."""
        self._port = ports.choose()
        bind = ["--config", str(GUNICORN), "--bind", f"{ports.HOST}:{self._port}"]
        command = [sys.executable, "-m", "gunicorn", *bind, "bench.peers.bare:app"]
        self.program = Program("bare-flask", command, folder / "logs")

    def start(self) -> Self:
        """Start it and wait until it listens."""
        self.program.start()
        _wait_until_open(self._port)
        return self

    def stop(self) -> None:
        """Stop it."""
        self.program.stop()

    def target(self) -> Target:
        """Return where intakes go."""
        body = json.dumps(an_intake("6d1f0b52-3f0e-4c39-9a41-0d6f3a7c1e01"))
        return Target(self._port, "/intakes", [body], "id", {})


class CeleryPipeline:
    """The pipeline of bench/peers/celery_pipeline: gunicorn, Redis, prefork 2, PostgreSQL."""

    def __init__(self, folder: Path, sink: Sink) -> None:
        """Name the folder; nothing is started yet."""
        self.sink = sink
        self.postgres = LocalPostgres(folder / "postgres")
        self.programs: dict[str, Program] = {}
        self.partners: Sequence[str] = ()
        self._folder = folder
        self._web_port = ports.choose()
        self._redis_port = ports.choose({self._web_port})
        self._started = ExitStack()

    def start(self) -> Self:
        """Start everything and wait until it answers; call it from the main thread."""
        self.postgres.start()
        self._started.callback(self.postgres.stop)
        with psycopg.connect(self.postgres.dsn("postgres"), autocommit=True) as connection:
            connection.execute(_TABLE)
        (self._folder / "redis").mkdir()
        self._run("redis", self._redis(), {})
        _wait_until_open(self._redis_port)
        environment = self._environment()
        self._run("worker", _WORKER, environment)
        bind = ["--bind", f"{ports.HOST}:{self._web_port}", "--backlog", "1024"]
        self._run("web", [sys.executable, "-m", "gunicorn", *bind, *_WEB], environment)
        _wait_until_open(self._web_port)
        return self

    def stop(self) -> None:
        """Stop what was started, in reverse."""
        self._started.close()

    def target(self) -> Target:
        """Return where intakes go: the same bodies as ours gets."""
        bodies = [json.dumps(an_intake(partner)) for partner in self.partners]
        return Target(self._web_port, "/intakes", bodies, "id", {})

    def told(self, arrivals: Sequence[Arrival], _: Report) -> Mapping[str, int]:
        """Return when each intake's webhook first reached the sink."""
        found: dict[str, int] = {}
        for arrival in arrivals:
            found.setdefault(json.loads(arrival.body)["data"]["reference"], arrival.at)
        return found

    def cpu(self) -> Mapping[str, float]:
        """Return the processor seconds used so far by each group of processes."""
        pids = {name: program.pid for name, program in self.programs.items()}
        pids["postgres"] = self.postgres.pid() or 0
        return {name: cpu_seconds(pid) for name, pid in pids.items()}

    def _redis(self) -> list[str]:
        program = shutil.which("redis-server") or "redis-server"
        where = ["--port", str(self._redis_port), "--bind", ports.HOST]
        kept = ["--dir", str(self._folder / "redis"), "--appendonly", "yes"]
        return [program, *where, *kept, "--appendfsync", "everysec", "--save", ""]

    def _environment(self) -> Mapping[str, str]:
        file = self._folder / "partners.json"
        self.partners = site.make_site(self._folder / "site", self.sink.hook)
        hooks = {partner: self.sink.hook(n) for n, partner in enumerate(self.partners)}
        entries = [
            {**service, "hook": hooks.get(service["partner_id"], "")}
            for service in site.directory(self._folder / "site")
        ]
        file.write_text(json.dumps(entries), encoding="utf-8")
        return {
            "PEER_DATABASE": self.postgres.dsn("postgres"),
            "PEER_REDIS": f"redis://{ports.HOST}:{self._redis_port}/0",
            "PEER_PARTNERS": str(file),
        }

    def _run(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        program = Program(f"peer-{name}", command, self._folder / "logs", environment)
        program.start()
        self._started.callback(program.stop)
        self.programs[name] = program


def _wait_until_open(port: int) -> None:
    for _ in range(int(_READY_SECONDS / 0.1)):
        with socket.socket() as probe:
            if probe.connect_ex((ports.HOST, port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"Nothing listens at port {port}.")


_WORKER = (
    *(sys.executable, "-m", "celery", "--app", f"{_HERE}.tasks", "worker"),
    *("--queues", "route,notify", "--pool", "prefork", "--concurrency", "2", "-O", "fair"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"),
)
_WEB = ("--worker-class", "gthread", "--workers", "2", "--threads", "4", f"{_HERE}.web:app")
