"""The whole system in production's shape: three web and three worker processes, Kafka, PostgreSQL.

Every process has the settings of its own service from the environment and nothing else; what
stands outside (sign-in provider, webhook endpoint, mail server) runs in this process.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import requests

from services.databases import SERVICES
from services.local import machines, people
from services.local.folder import Folder
from services.local.kafka import LocalKafka
from services.local.ports import HOST, choose
from services.local.postgres import LocalPostgres
from services.local.provider import Provider
from services.local.settings import AGENCY, Place
from services.local.setup import load_sample, prepare_databases
from services.topics import all_topics
from shared.bus import open_bus
from tests.faults.disks import Disk, a_disk, family
from tests.faults.programs import ROOT, Program, Supervisor
from tests.faults.receivers import MailServer, Webhooks
from tests.faults.site import write_site
from tests.support.sinks import a_sink

_READY_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class System:
    """A running system and the handles by which faults get at it."""

    place: Place
    urls: Mapping[str, str]
    programs: Mapping[str, Program]
    supervisor: Supervisor
    kafka: LocalKafka
    postgres: LocalPostgres
    disks: Mapping[str, Disk]
    webhooks: Webhooks
    mail: MailServer

    @property
    def logs(self) -> Path:
        """The folder of the processes' logs."""
        return self.place.folder.logs

    def dsn(self, database: str) -> str:
        """Return the superuser's connection string."""
        return self.postgres.dsn(database)

    def wait_until_ready(self) -> None:
        """Wait until every web process answers that it is ready, and intake knows the partners."""
        deadline = time.monotonic() + _READY_SECONDS
        while self._number("routing", "published_partner") > self._number("intake", "partner"):
            assert time.monotonic() < deadline, f"intake knows no partners; see {self.logs}"
            time.sleep(0.2)
        for url in self.urls.values():
            while not _is_ready(url):
                assert time.monotonic() < deadline, f"{url} is not ready; see {self.logs}"
                time.sleep(0.2)

    def _number(self, service: str, table: str) -> int:
        with psycopg.connect(self.dsn(service)) as connection:
            return connection.execute(f"select from {table}").rowcount


@contextmanager
def a_system() -> Iterator[System]:
    """Give a running system in a new folder, gone afterwards."""
    top = Path(tempfile.mkdtemp(prefix="wh-faults-"))
    top.chmod(0o755)  # the database's account passes through
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, top, ignore_errors=True)
        system = _build(Folder(top / "data"), stack)
        stack.callback(system.supervisor.stop)
        system.supervisor.start()
        system.wait_until_ready()
        yield system


def _build(folder: Folder, stack: ExitStack) -> System:
    folder.hold("faults")
    stack.callback(folder.release)
    folder.begin("kafka")
    disks = {
        name: stack.enter_context(a_disk(at))
        for name, at in (("database", folder.postgres), ("log", folder.kafka))
    }
    webhooks = Webhooks()
    sink = stack.enter_context(a_sink(webhooks))
    place = Place(folder, choose())
    write_site(place, sink.url)
    kafka, postgres = place.kafka, place.postgres
    disks["database"].writers = lambda: family(postgres.pid())
    disks["log"].writers = lambda: family(kafka.pid)
    postgres.start()
    stack.callback(postgres.stop)
    prepare_databases(place)
    load_sample(place)
    kafka.start()
    stack.callback(kafka.stop)
    open_bus(kafka.url).create_topics(all_topics([AGENCY]))
    mail = _start_outside(place, stack)
    urls = {name: f"http://{HOST}:{port}" for name, port in _ports(folder, SERVICES).items()}
    programs = _programs(place, urls)
    supervisor = Supervisor(list(programs.values()))
    return System(place, urls, programs, supervisor, kafka, postgres, disks, webhooks, mail)


def _start_outside(place: Place, stack: ExitStack) -> MailServer:
    folder = place.folder
    ports = folder.ports("provider", "mail")
    users, clients = people.ready_users(folder.site), machines.client_secrets(folder)
    provider = Provider(ports["provider"], folder.provider_key, users, clients)
    provider.start()
    stack.callback(provider.stop)
    mail = MailServer(ports["mail"])
    mail.start()
    stack.callback(mail.stop)
    return mail


def _ports(folder: Folder, names: tuple[str, ...]) -> Mapping[str, int]:
    chosen = folder.ports(*names)
    return {name: chosen[name] for name in names}


def _programs(place: Place, urls: Mapping[str, str]) -> Mapping[str, Program]:
    python = [sys.executable, "-m"]
    gunicorn = [*python, "gunicorn", "--config", str(ROOT / "deploy" / "gunicorn.conf.py")]
    found = {}
    for service in SERVICES:
        name = f"{service}-web"
        bind = ["--bind", urls[service].removeprefix("http://")]
        command = [*gunicorn, *bind, f"services.{service}_web:create_app()"]
        settings = _web(place, urls, service)
        found[name] = Program(name, command, _environment(settings), _log(place, name))
        name = f"{service}-worker"
        command = [*python, f"services.{service}_worker"]
        settings = _worker(place, urls, service)
        found[name] = Program(name, command, _environment(settings), _log(place, name))
    return found


def _log(place: Place, name: str) -> Path:
    return place.folder.logs / f"{name}.log"


def _environment(settings: Mapping[str, object]) -> Mapping[str, str]:
    given = {f"WH_{name.upper()}": str(value) for name, value in settings.items()}
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **given}


def _web(place: Place, urls: Mapping[str, str], service: str) -> dict[str, object]:
    folder = place.folder
    client, secret = (machines.INTAKE, machines.INTAKE) if service == "intake" else (service, "")
    own: dict[str, dict[str, object]] = {
        "intake": {
            **_keys(place, "intake_web"),
            "routing_url": urls["routing"],
            "routing_jwk": folder.ticket_public_key,
        },
        "routing": {
            "intake_urls": f"{AGENCY}={urls['intake']}",
            "ticket_key": folder.ticket_key,
        },
        "notifications": {},
    }
    return {
        "site": folder.site,
        "demo": "true",
        "database": place.postgres.dsn(service, f"{service}_web"),
        "public_url": urls[service],
        "secret_key": folder.secret("forms"),
        "oidc_issuer": place.issuer,
        "oidc_client_id": client,
        "oidc_client_secret": folder.secret(secret or "sign-in"),
        **own[service],
    }


def _worker(place: Place, urls: Mapping[str, str], service: str) -> dict[str, object]:
    own: dict[str, dict[str, object]] = {
        "intake": _keys(place, "intake_worker"),
        "routing": {},
        "notifications": {
            "smtp_host": HOST,
            "smtp_port": place.folder.ports("mail")["mail"],
            "smtp_starttls": "false",
            "mail_from": "no-reply@example.org",
            "intake_urls": f"{AGENCY}={urls['intake']}",
            "routing_url": urls["routing"],
        },
    }
    return {
        "site": place.folder.site,
        "demo": "true",
        "database": place.postgres.dsn(service, f"{service}_worker"),
        "bus": place.kafka.url,
        **own[service],
    }


def _keys(place: Place, user: str) -> dict[str, object]:
    return {
        "agency": AGENCY,
        "keys_database": place.postgres.dsn("intake_keys", user),
        "agency_key": place.folder.agency_key,
    }


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=2).ok
    except requests.RequestException:
        return False
