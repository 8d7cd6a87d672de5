"""One run: the system, its load, what was done to it, and what went wrong meanwhile."""

import logging
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.faults.load import Load
from tests.faults.records import Poison
from tests.faults.system import System

logger = logging.getLogger("faults")

BROKER, DATABASE = "broker", "database"


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
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if len(self.load.ledger.submitted) > before or not self.load.is_submitting:
                return True
            time.sleep(0.1)
        return False

    def end(self, target: str, number: signal.Signals) -> None:
        """End a process by a signal; it comes back as docker compose would bring it back."""
        self.kills[f"{target} {number.name}"] += 1
        self.say(f"{number.name} to {target}")
        if target == BROKER:
            _end_broker(self.system, number)
        elif target == DATABASE:
            _end_database(self.system, number)
        else:
            self.system.programs[target].signal(number)


def _end_broker(system: System, number: signal.Signals) -> None:
    if number is signal.SIGKILL:
        system.kafka.kill()
    else:
        system.kafka.stop()
    system.kafka.start()


def _end_database(system: System, number: signal.Signals) -> None:
    if number is signal.SIGKILL:
        system.postgres.kill()
    else:
        system.postgres.stop()
    system.postgres.start()
