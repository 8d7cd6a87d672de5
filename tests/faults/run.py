"""One run: the system, its load, what was done to it, and what went wrong meanwhile."""

import contextlib
import logging
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field

from services.local.kafka import CannotRun
from tests.faults.load import Load
from tests.faults.records import Poison
from tests.faults.system import System

logger = logging.getLogger("faults")

BROKER, DATABASE = "broker", "database"
_STARTS = 4
_AGAIN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which intake had to accept as before, and why that is a question."""

    name: str
    begun: float
    ended: float


@dataclass(slots=True)
class Run:
    """What faults act upon and report to."""

    system: System
    load: Load
    chance: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    outages: list[Outage] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    poisons: list[Poison] = field(default_factory=list)
    oversize: dict[str, str] = field(default_factory=dict)
    """Events that are too large to send, and the service in whose outbox each lies."""
    replayed: int = 0
    ahead: Counter[str] = field(default_factory=Counter)
    watchdog_seconds: float | None = None
    begun: float = field(default_factory=time.monotonic)

    def say(self, what: str) -> None:
        """Write what happens, with its second of the run."""
        logger.info("%6.1f %s", time.monotonic() - self.begun, what)

    def expect(self, *, holds: bool, otherwise: str) -> None:
        """Note what went wrong during a fault."""
        if not holds:
            self.wrong.append(otherwise)

    def end(self, target: str, number: signal.Signals) -> None:
        """End a process by a signal; it comes back as docker compose would bring it back."""
        system, is_kill = self.system, number is signal.SIGKILL
        others = frozenset({BROKER, DATABASE} - {target})
        self.keep_servers_alive(others)
        self.say(f"{number.name} to {target}")
        if target == BROKER:
            (system.kafka.kill if is_kill else system.kafka.stop)()
        elif target == DATABASE:
            (system.postgres.kill if is_kill else system.postgres.stop)()
        else:
            while not system.programs[target].signal(number):  # between two lives
                time.sleep(_AGAIN_SECONDS)
        self.kills[f"{target} {number.name}"] += 1
        self.keep_servers_alive(others)

    def keep_servers_alive(self, but: frozenset[str]) -> None:
        """Start broker and database again if they have ended, but those that are to be away."""
        if BROKER not in but:
            self._start_broker()
        if DATABASE not in but:
            self.system.postgres.start()

    def _start_broker(self) -> None:
        """Start the broker; on a busy machine it may need more than the minute it is given."""
        for _ in range(_STARTS):
            with contextlib.suppress(CannotRun):
                self.system.kafka.start()
                return
        self.system.kafka.start()
