"""A running demo: its parts, started in order, kept alive, stopped in reverse."""

import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import LiteralString, Self

import psycopg
import requests

from services.databases import SERVICES
from services.local import kafka, people, ports
from services.local.broker import Broker, choose_engine, make_topics
from services.local.children import Child, stop_all
from services.local.folder import ENGINES, Refused
from services.local.machines import client_secrets
from services.local.mail import MailCatcher
from services.local.provider import Provider
from services.local.settings import Place, copy_site
from services.local.setup import load_sample, prepare_databases

_READY_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_UNTIL_FREE_SECONDS = 10.0
_TOLD: LiteralString = "select count(*) from published_partner where not withdrawn"
_HEARD: LiteralString = "select count(*) from partner where record is not null"
_GUNICORN = Path(__file__).parents[2] / "deploy" / "gunicorn.conf.py"


def _nothing(_text: str) -> None:
    """Tell nobody."""


class Demo:
    """All parts of a demo on one data folder."""

    def __init__(self, place: Place, say: Callable[[str], None] = _nothing) -> None:
        """Name the folder and port; nothing is started yet. `say` is told what takes long."""
        self._place = place
        self._say = say
        self._broker: Broker | None = None
        self._started = ExitStack()
        folder, app = place.folder, "services.local.web:create_app"
        serve = ["-m", "gunicorn", "--config", str(_GUNICORN), "--bind", place.address]
        web = [sys.executable, *serve, f"{app}({str(folder.path)!r}, {place.port})"]
        work = [sys.executable, "-m", "services.local.worker", str(folder.path), str(place.port)]
        self._children = [
            Child("web", web, folder.logs / "web.log"),
            Child("worker", work, folder.logs / "worker.log"),
        ]

    def __enter__(self) -> Self:
        """Begin; `start` does the work."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop what was started, in reverse."""
        self._started.close()

    def start(self, bus: str | None, stop: threading.Event) -> None:
        """Start everything and wait until the pages answer and intake knows the partners.

        It waits no longer when `stop` is set.

        Raises:
            Refused: it may not start here; nothing was changed.
            CannotRun: the database or the broker cannot run here.

        """
        self._take_folder(bus)
        self._start_database(bus)
        self._start_bus()
        self._start_helpers()
        self._started.callback(stop_all, self._children)
        for child in self._children:
            child.start()
        self._wait_until_ready(stop)

    def watch(self, stop: threading.Event) -> None:
        """Keep the parts alive until told to stop.

        Raises:
            KeepsEnding: a process ends again and again.

        """
        while not stop.wait(1.0):
            self._place.postgres.start()
            if self._broker is not None:
                self._broker.start()
            for child in self._children:
                child.keep_alive()

    def _take_folder(self, bus: str | None) -> None:
        place = self._place
        cut_off = place.folder.hold(place.origin)
        self._started.callback(place.folder.release)
        if not ports.is_free(place.port, patience=_UNTIL_FREE_SECONDS if cut_off else 0.0):
            raise Refused(f"Port {place.port} is in use: give another one with PORT=.")
        stamp = place.folder.stamp()
        engine = bus or (stamp.bus if stamp else ENGINES[0])
        if engine == "kafka":
            if reason := kafka.can_run():
                raise Refused(reason)
            self._say("With Kafka: the first time Maven fetches its jars (44 MB) ...")
        place.folder.begin(engine)

    def _start_database(self, bus: str | None) -> None:
        server = self._place.postgres
        server.start()
        self._started.callback(server.stop)
        prepare_databases(self._place)
        choose_engine(self._place, bus)
        copy_site(self._place)
        load_sample(self._place)

    def _start_bus(self) -> None:
        self._broker = Broker(self._place)
        self._started.callback(self._broker.stop)
        self._broker.start()
        make_topics(self._place)

    def _start_helpers(self) -> None:
        """Start the sign-in provider and the mail catcher, threads of this process."""
        folder = self._place.folder
        kept = folder.ports("provider", "mail")
        for name, port in kept.items():
            if not ports.is_free(port, patience=_UNTIL_FREE_SECONDS):
                raise Refused(f"Port {port}, kept for the {name} of this demo, is in use.")
        users = people.ready_users(folder.site)
        provider = Provider(kept["provider"], folder.provider_key, users, client_secrets(folder))
        provider.start()
        self._started.callback(provider.stop)
        catcher = MailCatcher(folder.mail, kept["mail"])
        catcher.start()
        self._started.callback(catcher.stop)

    def _wait_until_ready(self, stop: threading.Event) -> None:
        late = ""
        for _ in range(int(_READY_SECONDS / _LOOK_SECONDS)):
            late = self._late()
            if not late or stop.wait(_LOOK_SECONDS):
                return
            for child in self._children:
                if not child.runs():
                    raise Refused(
                        f"The {child.name} process does not start; {child.log} says why."
                    )
        raise Refused(late)

    def _late(self) -> str:
        """Return what is not ready yet, as a sentence; nothing when an intake may come."""
        web, worker = self._children
        for service in SERVICES:
            address = f"{self._place.origin}/{service}/readyz"
            if not _answers(address):
                return f"{address} does not answer; {web.log} says why."
        if self._count("intake", _HEARD) < self._count("routing", _TOLD):
            return f"Intake does not hear of the partners; {worker.log} says why."
        return ""

    def _count(self, database: str, counted: LiteralString) -> int:
        dsn = self._place.postgres.dsn(database, f"{database}_owner")
        with psycopg.connect(dsn) as connection:
            row = connection.execute(counted).fetchone()
        return int(row[0]) if row else 0


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=2).ok
    except requests.RequestException:
        return False
