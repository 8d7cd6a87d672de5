"""The worker process of routing: referrals are matched and offered, clocks run out."""

import sys
import threading

from routing.adapters.desk import Desk
from routing.adapters.events import FINAL, IMMEDIATE, handlers
from routing.adapters.gauges import MEASURES
from routing.adapters.locking import lock_rows
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
    desk = Desk(pool, safe_site(settings.site), relay_wake.set)
    inbox = Inbox(NAME, pool, handlers(desk), IMMEDIATE, FINAL, lock_rows)
    clock = Loop(f"{NAME}-clock", clock_step(desk))
    return pipeline(settings, inbox, read_by(NAME), [clock], relay_wake, measures=MEASURES)


if __name__ == "__main__":
    sys.exit(run_from_environment(f"{NAME}-worker", RoutingWorkerSettings, loops))
