"""How a worker process starts and stops."""

import faulthandler
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from prometheus_client import start_http_server

from services.memory import leave_out_what_stays, share_arenas
from services.site import NotSafe
from shared.config import WorkerSettings, WrongSettings
from shared.log import configure
from shared.site import WrongSite
from shared.worker import STUCK_SECONDS, Loop, run_loops

S = TypeVar("S", bound=WorkerSettings)


def run_from_environment(
    process: str, settings: type[S], build: Callable[[S], Sequence[Loop]]
) -> int:
    """Run the loops with the settings of the environment; return the exit code of the process.

    Faults of the settings or the site are named on standard error.
    """
    try:
        found = settings.from_env()
        return run(process, lambda: build(found), metrics_port=found.metrics_port)
    except (WrongSettings, WrongSite, NotSafe) as reason:
        print(reason, file=sys.stderr)  # noqa: T201  (for whoever starts it; no log is set up)
        return 2


def run(
    process: str,
    build: Callable[[], Sequence[Loop]],
    *,
    metrics_port: int = 0,
    stuck_seconds: float = STUCK_SECONDS,
) -> int:
    """Run the loops until SIGTERM or SIGINT; return the exit code of the process."""
    share_arenas()
    configure(process)
    # Ended by the watchdog's timer, say where each thread was: files and lines, no values.
    faulthandler.register(signal.SIGPROF, all_threads=True, chain=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    loops = build()
    leave_out_what_stays()
    if metrics_port:
        start_http_server(metrics_port)
    return run_loops(loops, stop, stuck_seconds=stuck_seconds)
