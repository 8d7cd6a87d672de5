"""A worker that makes no progress ends by itself, to be started anew; one that waits does not."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from kafka import KafkaProducer

from services.local.children import Child
from shared.bus import TopicSpec, open_bus
from shared.worker import STUCK_SECONDS
from tests.support.demos import ROOT
from tests.support.stuck import STARTED

PROMISED_SECONDS = 30.0
SOON = 3.0


@contextmanager
def a_process(log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.support.stuck", *arguments]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def started_at(log: Path, times: int = 1) -> float:
    """Return when the process said, for the first time, that it was in its step."""
    deadline = time.monotonic() + 60
    while log.read_text().count(STARTED) < times:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    line = next(line for line in log.read_text().splitlines() if line.startswith(STARTED))
    return float(line.split()[1])


def test_a_poll_that_never_returns_is_noticed_within_30_s_and_the_process_restarted(
    kafka_url: str, tmp_path: Path
) -> None:
    """The real one: after a record that a deserializer refuses, kafka-python spins for ever."""
    topic, log = f"poison.{uuid4().hex}", tmp_path / "log"
    address = kafka_url.removeprefix("kafka://")
    open_bus(kafka_url).create_topics({topic: TopicSpec(partitions=1)})
    producer = KafkaProducer(bootstrap_servers=[address], enable_idempotence=True, acks="all")
    producer.send(topic, b"poison").get(timeout=10)
    producer.close()
    program = [sys.executable, "-m", "tests.support.stuck"]
    worker = Child("worker", [*program, "poison", str(STUCK_SECONDS), address, topic], log)

    worker.start()
    stuck_at = started_at(log)
    while worker.runs():
        time.sleep(0.05)
    took = time.monotonic() - stuck_at
    worker.keep_alive()
    started_at(log, times=2)
    worker.ask_to_stop()
    worker.wait()

    line = next(json.loads(line) for line in log.read_text().splitlines() if "loop-stuck" in line)
    assert STUCK_SECONDS - 1 < took < PROMISED_SECONDS
    assert line["loop"] == "the-poison"
    assert any(place.startswith("kafka.") for place in line["at"])


def test_a_step_that_lets_nobody_else_run_is_ended_too(tmp_path: Path) -> None:
    """It holds the interpreter's lock: the watchdog's own thread never gets to look."""
    log = tmp_path / "log"

    with a_process(log, "regex", str(SOON)) as process:
        started_at(log)
        code = process.wait(30)

    assert code == -signal.SIGPROF
    assert "in regex" in log.read_text()


def test_a_step_that_waits_for_what_never_comes_is_ended(tmp_path: Path) -> None:
    log = tmp_path / "log"

    with a_process(log, "silence", str(SOON)) as process:
        started_at(log)
        code = process.wait(30)

    assert code == 1
    assert '"loop": "the-silence"' in log.read_text()


def test_a_loop_with_nothing_to_do_is_not_stuck(tmp_path: Path) -> None:
    log = tmp_path / "log"

    with a_process(log, "rest", "1") as process:
        started_at(log)
        time.sleep(SOON)
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)

    assert code == 0


def test_a_process_that_was_stopped_and_resumed_is_not_stuck(tmp_path: Path) -> None:
    """While it was stopped (SIGSTOP, a machine that slept) no loop could make progress."""
    log = tmp_path / "log"

    with a_process(log, "silence", "7") as process:
        started_at(log)
        process.send_signal(signal.SIGSTOP)
        time.sleep(9)
        process.send_signal(signal.SIGCONT)
        time.sleep(SOON)
        survived = process.poll() is None
        code = process.wait(30)

    assert survived
    assert code == 1
