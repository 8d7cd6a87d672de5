"""Warm Handoff in the shape of production, with webhooks to a sink.

Three web and three worker processes, each with its settings in its environment, a Kafka broker, a
database with fsync on; the demo's sign-in provider gives the token.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Self

import psycopg
import requests

from bench import site
from bench.load import Report, Target
from bench.programs import Program, cpu_seconds, stop_together
from bench.sink import Arrival, Sink
from services.databases import SERVICES
from services.local import machines, ports, settings
from services.local.broker import make_topics
from services.local.folder import Folder
from services.local.people import ready_users
from services.local.provider import Provider
from services.local.settings import Place, copy_site
from services.local.setup import load_sample, prepare_databases
from services.sample import a_release
from shared.config import PREFIX, Settings, WebSettings, WorkerSettings

GUNICORN = Path(__file__).parents[1] / "deploy" / "gunicorn.conf.py"
_READY_SECONDS = 60.0
_TOKEN_SECONDS = 240.0


class System:
    """The whole product on a folder of its own."""

    def __init__(self, folder: Path, sink: Sink) -> None:
        """Name the folder, which must not exist; nothing is started yet."""
        self.place = Place(Folder(folder / "data"), ports.choose())
        self.sink = sink
        self._broker = self.place.kafka
        self._folder = folder
        self._ports: dict[str, int] = {}
        self._token, self._token_at = "", 0.0
        self.web: dict[str, Program] = {}
        self.workers: dict[str, Program] = {}
        self.partners: Sequence[str] = ()
        self._started = ExitStack()

    def start(self) -> Self:
        """Start everything and wait until it answers; call it from the main thread."""
        self._prepare()
        self._ports = self.place.folder.ports(*(f"{name}-web" for name in SERVICES), *SERVICES)
        for name in SERVICES:
            self.web[name] = self._web(name)
            self.workers[name] = self._worker(name)
        programs = [*self.web.values(), *self.workers.values()]
        self._started.callback(stop_together, programs)
        for program in programs:
            program.start()
        for name in SERVICES:
            _wait_for(f"{self.url(name)}/readyz")
        self.wait_for_workers()
        self._wait_for_partners()
        return self

    def stop(self) -> None:
        """Stop what was started, in reverse."""
        self._started.close()

    def stop_workers(self) -> None:
        """Stop the three workers."""
        stop_together(list(self.workers.values()))

    def start_workers(self) -> None:
        """Start the three workers again; they are not waited for."""
        for program in self.workers.values():
            program.start()

    def wait_for_workers(self) -> None:
        """Wait until the workers answer at their metrics ports."""
        for name in SERVICES:
            _wait_for(f"http://{ports.HOST}:{self._ports[name]}/metrics")

    def target(self) -> Target:
        """Return where intakes go: a whole one for each partner in turn."""
        return Target(
            self._ports["intake-web"],
            "/api/referrals",
            [json.dumps(an_intake(partner)) for partner in self.partners],
            "referral_id",
            {"Authorization": f"Bearer {self._fresh_token()}"},
        )

    def demo_target(self) -> Target:
        """Return where intakes go when the demo's two processes run instead of the six."""
        address = f"{self.place.origin}/intake"
        token = self._provider.token(machines.AGENCY_SYSTEM, address)
        path = "/intake/api/referrals"
        headers = {"Authorization": f"Bearer {token}"}
        return replace(self.target(), port=self.place.port, path=path, headers=headers)

    def wait_for_demo(self) -> None:
        """Wait until the demo's pages answer."""
        for name in SERVICES:
            _wait_for(f"{self.place.origin}/{name}/readyz")

    def told(self, arrivals: Sequence[Arrival], report: Report) -> Mapping[str, int]:
        """Return when each referral's offer first reached the sink.

        A webhook names the offer only; routing's database knows whose it is.
        """
        ids = [sent.id for sent in report.sent]
        with psycopg.connect(self.place.postgres.dsn("routing", "routing_owner")) as connection:
            rows = connection.execute(_REFERENCES, [ids]).fetchall()
        referrals = dict(rows)
        found: dict[str, int] = {}
        for arrival in arrivals:
            body = json.loads(arrival.body)
            referral_id = referrals.get(body["data"].get("reference"))
            if referral_id and body["type"] == "referral.offered":
                found.setdefault(referral_id, arrival.at)
        return found

    def cpu(self) -> Mapping[str, float]:
        """Return the processor seconds used so far by each group of processes."""
        pids = {f"{name}-web": program.pid for name, program in self.web.items()}
        pids |= {f"{name}-worker": program.pid for name, program in self.workers.items()}
        pids["postgres"] = self.place.postgres.pid() or 0
        pids["kafka"] = self._broker.pid or 0
        return {name: cpu_seconds(pid) for name, pid in pids.items()}

    def _prepare(self) -> None:
        place, source = self.place, self._folder / "site"
        self.partners = site.make_site(source, self.sink.hook)
        place.folder.hold(place.origin)
        self._started.callback(place.folder.release)
        place.folder.begin("kafka")
        place.postgres.start()
        self._started.callback(place.postgres.stop)
        prepare_databases(place)
        copy_site(place, source)
        load_sample(place)
        self._started.callback(self._broker.stop)
        self._broker.start()
        make_topics(place)
        users = ready_users(place.folder.site)
        clients = machines.client_secrets(place.folder)
        port = place.folder.ports("provider")["provider"]
        self._provider = Provider(port, place.folder.provider_key, users, clients)
        self._provider.start()
        self._started.callback(self._provider.stop)

    def _web(self, name: str) -> Program:
        own: WebSettings = getattr(settings, f"{name}_web")(self.place)
        bind = ["--config", str(GUNICORN), "--bind", f"{ports.HOST}:{self._ports[f'{name}-web']}"]
        arguments = ["-m", "gunicorn", *bind, f"services.{name}_web:create_app()"]
        return self._program(f"{name}-web", arguments, replace(own, public_url=self.url(name)))

    def _worker(self, name: str) -> Program:
        own: WorkerSettings = getattr(settings, f"{name}_worker")(self.place)
        own = replace(own, metrics_port=self._ports[name])
        return self._program(f"{name}-worker", ["-m", f"services.{name}_worker"], own)

    def _program(self, name: str, arguments: Sequence[str], own: Settings) -> Program:
        addresses = {
            "routing_url": self.url("routing"),
            "intake_urls": {settings.AGENCY: self.url("intake")},
        }
        own = replace(
            own, **{f.name: addresses[f.name] for f in fields(own) if f.name in addresses}
        )
        command = [sys.executable, *arguments]
        return Program(name, command, self._folder / "logs", environment_of(own))

    def url(self, name: str) -> str:
        """Return the address of a web process."""
        return f"http://{ports.HOST}:{self._ports[f'{name}-web']}"

    def _fresh_token(self) -> str:
        if not self._token or time.monotonic() - self._token_at > _TOKEN_SECONDS:
            self._token = self._provider.token(machines.AGENCY_SYSTEM, self.url("intake"))
            self._token_at = time.monotonic()
        return self._token

    def _wait_for_partners(self) -> None:
        """Wait until intake has heard of the partners."""
        with psycopg.connect(self.place.postgres.dsn("intake", "intake_owner")) as connection:
            for _ in range(int(_READY_SECONDS / 0.1)):
                row = connection.execute(_KNOWN, [list(self.partners)]).fetchone()
                connection.commit()
                if row == (len(self.partners),):
                    return
                time.sleep(0.1)
        raise RuntimeError("Intake does not hear of the partners.")


def an_intake(partner: str) -> Mapping[str, object]:
    """Return a full intake with a release to one partner, as the API takes it."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "person": {
            "pseudonym": "Cedar 11",
            "name": "An Invented Name",
            "age_band": "25-59",
            "languages": ["en", "es"],
            "interpreter": False,
        },
        "contact": {
            "route": "partner-contacts",
            "code_word": "blue heron",
            "channels": [_channel("call", "225-555-0142"), _channel("text", "225-555-0142")],
            "confirmed_at": now,
        },
        "encounter": {"role": "directly-injured", "involved_agencies": ["other-agency"]},
        "wishes": {
            "needs": [site.NEED],
            "urgency": "urgent",
            "county": site.COUNTY,
            "preferences": ["in-person"],
        },
        "releases": [a_release(Random(1), partner, 1)],  # noqa: S311
    }


def environment_of(own: Settings) -> Mapping[str, str]:
    """Return the environment that a process reads these settings from."""
    return {
        f"{PREFIX}{f.name.upper()}": _as_text(value)
        for f in fields(own)
        if (value := getattr(own, f.name)) != f.default
    }


def _as_text(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={text}" for name, text in value.items())
    return str(value)


def _channel(channel: str, address: str) -> Mapping[str, object]:
    return {
        "channel": channel,
        "address": address,
        "leave_message_ok": False,
        "identify_agency_ok": False,
        "when": "weekdays after five",
        "who_may_answer": "nobody else",
        "ask_for": "Cedar",
    }


def _wait_for(address: str) -> None:
    for _ in range(int(_READY_SECONDS / 0.1)):
        try:
            if requests.get(address, timeout=2).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{address} does not answer.")


_REFERENCES = "select reference, referral_id::text from offer where referral_id = any(%s::uuid[])"
_KNOWN = "select count(*) from partner where partner_id = any(%s::uuid[]) and record is not null"
