"""Both sides at once: ours and the Celery pipeline, each with a sink of its own, warmed up.

The one that is not driven is idle: it polls a little, alike on both sides.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bench.drive import Pipeline, a_folder, drive
from bench.load import Load
from bench.pairs import say
from bench.peers.running import CeleryPipeline
from bench.sink import Sink
from bench.system import System

_WARM = Load(seconds=2, connections=4)


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared."""

    ours: System
    peer: CeleryPipeline


@contextmanager
def both_sides() -> Iterator[Sides]:
    """Start both, and stop both."""
    with ExitStack() as stack:
        top = stack.enter_context(a_folder())
        sinks = [Sink(top / name) for name in ("ours", "peer")]
        for sink in sinks:
            sink.program.start()
            stack.callback(sink.program.stop)
        say("  starting ours and the Celery pipeline ...")
        sides = Sides(System(top / "ours", sinks[0]), CeleryPipeline(top / "peer", sinks[1]))
        for side in (sides.ours, sides.peer):
            stack.callback(side.stop)
            side.start()
            _warm_up(side)
        yield sides


def _warm_up(side: Pipeline) -> None:
    drive(side, _WARM)
