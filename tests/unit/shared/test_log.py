"""Every line of a log names a trace: a request's, an event's, a step's, or the process's own."""

import json
import subprocess
import sys
import threading
from typing import Any

from shared.contracts.trace import read_traceparent
from shared.log import correlation, traceparent
from shared.worker.loops import Loop


def written(program: str) -> list[dict[str, Any]]:
    """Return the lines that a process of its own writes: to set up a log is to do it for good."""
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_a_line_that_belongs_to_nothing_has_the_trace_of_its_process() -> None:
    lines = written(
        "import logging, threading; from shared.log import configure, get_logger\n"
        "configure('sample')\n"
        "get_logger('here').warning('one')\n"
        "logging.getLogger('a.library').warning('two')\n"
        "thread = threading.Thread(target=get_logger('here').warning, args=('three',))\n"
        "thread.start(); thread.join()\n"
    )

    assert [line["event"] for line in lines] == ["one", "foreign", "three"]
    (trace,) = {line["traceparent"] for line in lines}
    assert read_traceparent(trace) == trace


def test_what_is_worked_on_keeps_its_own_trace() -> None:
    trace = f"00-{'b' * 32}-{'7' * 16}-01"

    (line,) = written(
        "from shared.log import configure, context, get_logger\n"
        "configure('sample')\n"
        f"with context(correlation_id='c', traceparent='{trace}'):\n"
        "    get_logger('here').warning('one')\n"
    )

    assert line["traceparent"] == trace


def test_each_step_of_a_loop_has_a_trace_of_its_own() -> None:
    stop, traces = threading.Event(), list[tuple[str, str, str]]()

    def step() -> bool:
        traces.append((traceparent(), traceparent(), correlation()))
        if len(traces) == 2:
            stop.set()
        return True

    Loop("one", step).run(stop)

    assert all(first == again for first, again, _ in traces)
    assert len({trace for trace, _, _ in traces}) == len({ids for *_, ids in traces}) == 2
