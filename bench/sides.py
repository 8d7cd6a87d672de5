"""What is driven, warmed up: ours alone, or ours beside the Celery pipeline.

Each has a sink of its own. The one that is not driven is idle: it polls a little, as either does.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.drive import a_folder, drive
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
    with a_folder() as top, ExitStack() as stack:
        sinks = [_sink(top / name, stack) for name in ("ours", "peer")]
        sides = Sides(System(top / "ours", sinks[0]), CeleryPipeline(top / "peer", sinks[1]))
        say("  starting ours and the Celery pipeline ...")
        for side in (sides.ours, sides.peer):
            _start(side, stack)
        yield sides


@contextmanager
def ours_alone() -> Iterator[System]:
    """Start ours, and stop it."""
    with a_folder() as top, ExitStack() as stack:
        ours = System(top / "ours", _sink(top, stack))
        say("  starting ours ...")
        _start(ours, stack)
        yield ours


def _sink(folder: Path, stack: ExitStack) -> Sink:
    sink = Sink(folder)
    sink.program.start()
    stack.callback(sink.program.stop)
    return sink


def _start(side: System | CeleryPipeline, stack: ExitStack) -> None:
    stack.callback(side.stop)
    side.start()
    drive(side, _WARM)
