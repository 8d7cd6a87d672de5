"""A worker for tests of the watchdog: its loop stops making progress, in one of several ways.

`python -m tests.support.stuck WAY SECONDS [ADDRESS TOPIC]`
"""

import re
import sys
import threading
import time
from collections.abc import Callable

from kafka import KafkaConsumer

from services.worker import run
from shared.worker import Loop

STARTED = "started"


def poison(address: str, topic: str) -> Callable[[], bool]:
    """Poll as kafka-python must not be: a deserializer that refuses, and no new consumer then."""

    def refuse(value: bytes) -> object:
        raise ValueError("cannot be read")

    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=[address],
        group_id=topic,
        auto_offset_reset="earliest",
        session_timeout_ms=10_000,
        value_deserializer=refuse,
    )

    def step() -> bool:
        try:
            consumer.poll(timeout_ms=500)
        except ValueError:
            say_started()
        return True

    return step


def regex() -> bool:
    """Compute for hours without letting any other thread run."""
    say_started()
    return re.match(r"(a+)+$", "a" * 60 + "b") is not None


def silence() -> bool:
    """Wait for what never comes."""
    say_started()
    threading.Event().wait()
    return True


def rest() -> bool:
    """Have nothing to do, for longer than a step may take."""
    say_started()
    return False


def say_started() -> None:
    print(STARTED, time.monotonic(), flush=True)  # noqa: T201  (for the test to read)


def main(way: str, seconds: str, *more: str) -> int:
    """Run until the watchdog or a signal ends it."""
    steps = {"regex": regex, "silence": silence, "rest": rest}
    step = steps[way] if way in steps else poison(*more)
    loop = Loop(f"the-{way}", step, pause=60)
    return run("stuck", lambda: [loop], stuck_seconds=float(seconds))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
