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
_ACCEPT_SECONDS = 20.0


@dataclass(slots=True)
class Run:
    """What faults act upon and report to."""

    system: System
    load: Load
    chance: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    not_run: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    poisons: list[Poison] = field(default_factory=list)
    replayed: int = 0
    watchdog_seconds: float | None = None
    begun: float = field(default_factory=time.monotonic)

    def say(self, what: str) -> None:
        """Write what happens, with its second of the run."""
        logger.info("%6.1f %s", time.monotonic() - self.begun, what)

    def expect(self, *, holds: bool, otherwise: str) -> None:
        """Note what went wrong during a fault."""
        if not holds:
            self.wrong.append(otherwise)

    def accepted_since(self, before: int) -> bool:
        """Tell whether referrals were taken in since, or none was sent any more."""
        deadline = time.monotonic() + _ACCEPT_SECONDS
        while time.monotonic() < deadline:
            if len(self.load.ledger.submitted) > before or not self.load.is_submitting:
                return True
            time.sleep(0.1)
        return False

    def end(self, target: str, number: signal.Signals) -> None:
        """End a process by a signal; it comes back as docker compose would bring it back."""
        self.kills[f"{target} {number.name}"] += 1
        self.say(f"{number.name} to {target}")
        system, is_kill = self.system, number is signal.SIGKILL
        if target == BROKER:
            (system.kafka.kill if is_kill else system.kafka.stop)()
        elif target == DATABASE:
            (system.postgres.kill if is_kill else system.postgres.stop)()
        else:
            system.programs[target].signal(number)
        self.keep_servers_alive(frozenset({BROKER, DATABASE} - {target}))

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
