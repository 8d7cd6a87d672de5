"""A minute of faults, a part of `make test`; `make faults` is the whole of it."""

import logging
import random

import pytest

from tests.faults.checks import shown
from tests.faults.harness import Size, carry_out
from tests.support.brokers import skip_without_kafka

MINUTE = Size(seconds=60.0, kills=16, rate=4.0)


@pytest.mark.timeout(900)
def test_nothing_is_lost_and_nothing_happens_twice_whatever_fails() -> None:
    """Each run draws other faults; the seed is in the report."""
    skip_without_kafka()
    logging.getLogger("kafka").setLevel(logging.CRITICAL)

    report, verdicts = carry_out(random.randrange(10**6), MINUTE)

    assert shown(verdicts) == [], report
