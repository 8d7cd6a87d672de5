"""Drives a pipeline with a load and follows every intake to its webhook."""

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench import load
from bench.load import Load, Report, Sent, Target
from bench.sink import Arrival, Sink

_LOOK_SECONDS = 0.1
_PATIENCE_SECONDS = 40.0


class Pipeline(Protocol):
    """A running system that takes intakes and tells partners at a sink."""

    sink: Sink

    def target(self) -> Target:
        """Return where intakes go."""

    def told(self, arrivals: Sequence[Arrival], report: Report) -> Mapping[str, int]:
        """Return the moment (ns) at which each intake's webhook first came, by the intake's id."""

    def cpu(self) -> Mapping[str, float]:
        """Return the processor seconds used so far by each group of processes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Every accepted intake with the moment of its webhook, both in nanoseconds."""

    report: Report
    told: Mapping[str, int]
    cpu_us: Mapping[str, float]
    """Processor microseconds for each intake, by group of processes."""

    def notified_per_second(self) -> float:
        """Return webhooks per second, from the first submit to the last webhook."""
        begun = min(sent.planned for sent in self.report.sent)
        return len(self.told) / ((max(self.told.values()) - begun) / 1e9)

    def latencies(self, bodies: frozenset[int] | None = None) -> list[float]:
        """Return milliseconds from the planned submit to the webhook, of these bodies only."""
        return [
            (self.told[sent.id] - sent.planned) / 1e6
            for sent in self.report.sent
            if (bodies is None or sent.body in bodies) and sent.id in self.told
        ]


def drive(pipeline: Pipeline, amount: Load, then: Callable[[], None] = lambda: None) -> Outcome:
    """Run a load, call `then`, and wait until every accepted intake has its webhook.

    Raises:
        RuntimeError: an intake was refused, or its webhook does not come.

    """
    pipeline.sink.take()
    before = pipeline.cpu()
    report = load.run(pipeline.target(), amount)
    if report.bad:
        raise RuntimeError(f"{report.bad} intakes were refused.")
    then()
    arrivals = wait_for(pipeline.sink, len(report.sent))
    after = pipeline.cpu()
    told = pipeline.told(arrivals, report)
    check_all_told(report.sent, told)
    cpu = {name: 1e6 * (after[name] - before[name]) / len(report.sent) for name in after}
    return Outcome(report, told, cpu)


def wait_for(sink: Sink, number: int) -> list[Arrival]:
    """Wait for a number of webhooks while they keep coming, and return what came."""
    seen, deadline = -1, 0.0
    while (count := sink.count()) < number:
        if count > seen:
            seen, deadline = count, time.monotonic() + _PATIENCE_SECONDS
        elif time.monotonic() > deadline:
            break
        time.sleep(_LOOK_SECONDS)
    return sink.take()


def check_all_told(sent: Sequence[Sent], told: Mapping[str, int]) -> None:
    """Refuse a result in which something was lost."""
    missing = sum(one.id not in told for one in sent)
    if missing:
        raise RuntimeError(f"The webhooks of {missing} of {len(sent)} intakes did not come.")


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


@contextmanager
def a_folder() -> Iterator[Path]:
    """Give a folder that is gone afterwards; the database's account may pass through it."""
    top = Path(tempfile.mkdtemp(prefix="wh-bench-"))
    top.chmod(0o755)
    try:
        yield top
    finally:
        shutil.rmtree(top, ignore_errors=True)
