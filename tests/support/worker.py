"""A worker process for tests that kill it: relay and consumer on one database.

`python -m tests.support.worker DATABASE BUS AGENCY`; what takes effect is a row of `effect`.
"""

import sys
import threading

from shared import log
from shared.bus import open_bus
from shared.contracts.event import Event
from shared.db import open_pool
from shared.worker import Consumer, Inbox, Loop, Relay, run_loops
from tests.support.units import PlainUnit, begin

EFFECTS = "create table effect (n bigint generated always as identity, key text, sequence int)"
TYPE = "intake.referral.withdrawn.v1"


def note(event: Event, unit: PlainUnit) -> None:
    """Leave a row: twice would be seen."""
    unit.tx.execute(
        "insert into effect (key, sequence) values (%s, %s)", (event.key, event.sequence)
    )


def main(database: str, address: str, agency: str) -> int:
    """Run until killed."""
    log.configure("test")
    bus = open_bus(address)
    relay = Relay(database, bus.producer("relay"))
    subscription = bus.subscribe(agency, [f"intake.referral.{agency}"])
    with open_pool(database, name="worker") as pool:
        consumer = Consumer(Inbox("test", pool, {TYPE: note}, begin), subscription, lambda: None)
        loops = [
            Loop("relay", relay.step, pause=0.05, close=relay.close),
            Loop("consumer", consumer.step, close=consumer.close),
        ]
        return run_loops(loops, threading.Event())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
