"""A worker process: supervised loops that relay, consume, repair and keep house."""

from shared.worker.consumer import Consumer
from shared.worker.gauges import Gauges, Measure
from shared.worker.housekeeping import Housekeeping
from shared.worker.inbox import Inbox, Unit
from shared.worker.lag import Lag
from shared.worker.loops import STUCK_SECONDS, Loop, run_loops
from shared.worker.relay import Relay
from shared.worker.repairs import Repairs
from shared.worker.samples import Samples

__all__ = [
    "STUCK_SECONDS",
    "Consumer",
    "Gauges",
    "Housekeeping",
    "Inbox",
    "Lag",
    "Loop",
    "Measure",
    "Relay",
    "Repairs",
    "Samples",
    "Unit",
    "run_loops",
]
