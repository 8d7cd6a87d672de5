"""consume: events per second through decode, schema, dedupe, handler, commit / a bare client.

10,000 submissions wait, each of another referral, so that every one makes a position of its own.
Ours takes them as a worker does, with a handler that does nothing; the bare client polls and
commits; FastStream, which checks the body and nothing else, runs beside them for scale. The clock
runs from the first records in hand until the group is left, each run in a process of its own.
"""

import time
from collections.abc import Iterator, Mapping, Sequence

from bench.apart import apart
from bench.events import SUBMITTED, TOPIC, submitted
from bench.ground import Ground, a_ground
from bench.pairs import Bench, Result, alternate
from bench.peers import bare_kafka, faststream_reader
from shared.bus import Record, Subscription
from shared.contracts.event import Event
from shared.db import open_pool
from shared.worker import Consumer, Inbox

NEEDS = ("kafka",)
BENCHES = (
    Bench("consume", "events/s", must=0.35, aim=0.5, better="higher"),
    Bench("consume-faststream", "events/s", must=None, aim=None, better="higher"),
)
_COUNT = 10_000


def run(pairs: int) -> list[Result]:
    """Measure."""
    with a_ground() as ground:
        ground.fill_topic(TOPIC, submitted(_COUNT))
        groups = (f"reader-{number}" for number in range(3 * pairs))
        return alternate(
            BENCHES, lambda: _ours(ground, groups), lambda: _bare(ground, groups), pairs
        )


def _ours(ground: Ground, groups: Iterator[str]) -> Mapping[str, float]:
    ground.execute("truncate stream_position")
    mine = apart(apply_waiting, ground, next(groups), _COUNT)
    theirs = apart(faststream_reader.consume, ground.servers, TOPIC, next(groups), _COUNT)
    return {"consume": _COUNT / mine, "consume-faststream": _COUNT / theirs}


def _bare(ground: Ground, groups: Iterator[str]) -> Mapping[str, float]:
    seconds = apart(bare_kafka.consume, ground.servers, TOPIC, next(groups), _COUNT)
    return dict.fromkeys(("consume", "consume-faststream"), _COUNT / seconds)


def apply_waiting(ground: Ground, group: str, count: int) -> float:
    """Apply `count` records; return the seconds from the first in hand to the last commit."""
    subscription = _Timed(ground.bus.subscribe(group, [TOPIC]))
    with open_pool(ground.dsn, name="bench") as pool:
        inbox = Inbox("routing", pool, {SUBMITTED: _nothing}, _Nothing)
        consumer = Consumer(inbox, subscription, lambda: None)
        while subscription.done < count:
            consumer.step()
        consumer.close()  # the last commit is on its way until then
        return time.perf_counter() - subscription.begun


class _Timed:
    """A subscription that notes when the first records came and how many are done with."""

    def __init__(self, real: Subscription) -> None:
        self._real = real
        self.begun = 0.0
        self.done = 0

    def poll(self, timeout: float) -> Sequence[Record]:
        taken = self._real.poll(timeout)
        if taken:
            self.begun = self.begun or time.perf_counter()
        return taken

    def commit(self, records: Sequence[Record]) -> None:
        self._real.commit(records)
        self.done += len(records)

    def close(self) -> None:
        self._real.close()


class _Nothing:
    """A unit of work that keeps nothing."""

    def __init__(self, *_: object) -> None:
        """Begin with nothing to read."""

    def flush(self) -> None:
        """Write nothing."""


def _nothing(_event: Event, _unit: _Nothing) -> None:
    """Handle the event by doing nothing."""
