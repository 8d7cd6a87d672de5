"""How a worker process starts and stops."""

import signal
import threading
from collections.abc import Callable, Sequence

from prometheus_client import start_http_server

from shared.log import configure
from shared.worker import Loop, run_loops


def run(process: str, build: Callable[[], Sequence[Loop]], *, metrics_port: int = 0) -> int:
    """Run the loops until SIGTERM or SIGINT; return the exit code of the process."""
    configure(process)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if metrics_port:
        start_http_server(metrics_port)
    return run_loops(build(), stop)
