"""The worker process of routing: referrals are matched and offered, clocks run out."""

import sys
import threading

from routing.adapters.desk import Desk, Units
from routing.adapters.events import FINAL, IMMEDIATE, Events
from routing.adapters.gauges import MEASURES
from routing.adapters.loops import clock_step
from services.pipeline import pipeline
from services.site import safe_site
from services.topics import read_by
from services.worker import run_from_environment
from shared.config import RoutingWorkerSettings
from shared.db import open_pool
from shared.worker import Inbox, Loop

NAME = "routing"
_CONNECTIONS = 6


def loops(settings: RoutingWorkerSettings) -> list[Loop]:
    """Return the loops: the pipeline, and the clock of the offers."""
    pool = open_pool(settings.database, name=f"{NAME}-worker", size=_CONNECTIONS)
    relay_wake = threading.Event()
    site = safe_site(settings.site)
    events = Events(Units(site))
    inbox = Inbox(NAME, pool, events.handlers(), events.begin, IMMEDIATE, FINAL)
    desk = Desk(pool, site, relay_wake.set)
    clock = Loop(f"{NAME}-clock", clock_step(desk))
    around = pipeline(
        settings,
        inbox,
        read_by(NAME),
        relay_wake=relay_wake,
        after_batch=[relay_wake],
        measures=MEASURES,
    )
    return [clock, *around]


if __name__ == "__main__":
    sys.exit(run_from_environment(f"{NAME}-worker", RoutingWorkerSettings, loops))
