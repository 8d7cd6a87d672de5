"""Kafka for tests: the broker that is given, or one in Docker, or the real one from its jars."""

import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from services.local.kafka import LocalKafka, can_run
from tests.support.databases import image_is_here
from tests.support.places import a_place

_IMAGE = "confluentinc/cp-kafka:7.6.0"


@contextmanager
def a_broker() -> Iterator[str]:
    """Give the address of a broker for shared.bus.open_bus.

    Where none can run the test is skipped, or fails when REQUIRE_REAL_BROKER=1.
    """
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        yield f"kafka://{given}"
    elif image_is_here(_IMAGE):
        from testcontainers.community.kafka import KafkaContainer  # noqa: PLC0415  (slow)

        with KafkaContainer(_IMAGE).with_kraft() as container:
            yield f"kafka://{container.get_bootstrap_server()}"
    else:
        with an_own_broker() as local:
            yield local.url


@contextmanager
def an_own_broker(
    properties: Mapping[str, str] | None = None, numbers: Mapping[str, int] | None = None
) -> Iterator[LocalKafka]:
    """Give a broker that the test may kill, in a new folder that is gone afterwards."""
    skip_without_kafka()
    folder = a_place("kafka")
    local = LocalKafka(folder, properties=properties, numbers=numbers)
    log = logging.getLogger("kafka")
    level = log.level
    # pytest keeps log records to the end of the run, and these keep what failed: open sockets.
    log.setLevel(logging.CRITICAL)
    try:
        local.start()
        yield local
    finally:
        local.stop()
        log.setLevel(level)
        shutil.rmtree(folder, ignore_errors=True)


def skip_without_kafka() -> None:
    """Skip the test where no broker can run; where one is required, fail."""
    reason = can_run()
    if not reason:
        return
    if os.environ.get("REQUIRE_REAL_BROKER") == "1":
        pytest.fail(f"REQUIRE_REAL_BROKER=1, but: {reason}")
    pytest.skip(reason)
