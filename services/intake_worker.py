"""The worker process of intake: its events go out, what became of referrals comes in."""

import sys
import threading

from intake.adapters.clock import Clock
from intake.adapters.events import FINAL, IMMEDIATE, Events
from intake.adapters.gauges import MEASURES
from intake.adapters.units import rules_of
from services.intake_parts import open_keys
from services.pipeline import pipeline
from services.site import safe_site
from services.topics import read_by
from services.worker import run_from_environment
from shared.config import IntakeWorkerSettings
from shared.db import open_pool
from shared.worker import Inbox, Loop

NAME = "intake"
_CONNECTIONS = 6
_CLOCK_SECONDS = 5.0


def loops(settings: IntakeWorkerSettings) -> list[Loop]:
    """Return the loops: the pipeline, and the clock of drafts and keys."""
    site = safe_site(settings.site)
    pool = open_pool(settings.database, name=f"{NAME}-worker", size=_CONNECTIONS)
    keys = open_keys(settings, f"{NAME}-worker")
    events = Events(rules_of(site, site.agency(settings.agency)))
    inbox = Inbox(NAME, pool, events.handlers(), events.begin, IMMEDIATE, FINAL)
    clock = Loop(f"{NAME}-clock", Clock(pool, keys, settings.agency).step, pause=_CLOCK_SECONDS)
    reading = read_by(NAME, settings.agency)
    wake = threading.Event()
    return [clock, *pipeline(settings, inbox, reading, relay_wake=wake, measures=MEASURES)]


if __name__ == "__main__":
    sys.exit(run_from_environment(f"{NAME}-worker", IntakeWorkerSettings, loops))
