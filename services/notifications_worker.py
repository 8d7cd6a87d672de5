"""The worker process of notifications: events become deliveries, deliveries are sent."""

import sys

from notifications.adapters.metrics import MEASURES
from notifications.adapters.process import build_dispatcher, build_inbox, dispatcher_loop
from services.pipeline import pipeline
from services.site import safe_site
from services.topics import read_by
from services.worker import run_from_environment
from shared.config import NotificationsWorkerSettings
from shared.db import open_pool
from shared.worker import Loop

NAME = "notifications"
_CONNECTIONS = 8


def loops(settings: NotificationsWorkerSettings) -> list[Loop]:
    """Return the loops: the pipeline, and the dispatcher of deliveries."""
    site = safe_site(settings.site)
    pool = open_pool(settings.database, name=f"{NAME}-worker", size=_CONNECTIONS)
    dispatcher = build_dispatcher(settings, pool, site)
    around = pipeline(
        settings,
        build_inbox(pool, site),
        read_by(NAME),
        relay_wake=dispatcher.relay_wake,
        after_batch=[dispatcher.wake],
        measures=MEASURES,
    )
    return [dispatcher_loop(dispatcher), *around]


if __name__ == "__main__":
    sys.exit(run_from_environment(f"{NAME}-worker", NotificationsWorkerSettings, loops))
