"""intake: POST of a full intake by API / Flask that reads the body and answers 202.

Ours is all of it: token, validation, encryption, release, audit, outbox. Both answer at one
gunicorn with our settings; the workers are stopped, so that only accepting is measured.
"""

from contextlib import ExitStack

from bench import load
from bench.drive import a_folder
from bench.load import Load
from bench.pairs import Bench, Result, alternate
from bench.peers.running import BareFlask
from bench.sink import Sink
from bench.system import System

NEEDS = ("kafka",)
BENCHES = (Bench("intake", "requests/s", must=0.35, aim=0.50, better="higher"),)
_AMOUNT = Load(seconds=4, connections=16)


def run(pairs: int) -> list[Result]:
    """Measure."""
    with ExitStack() as stack:
        top = stack.enter_context(a_folder())
        ours, peer = System(top / "ours", Sink(top)), BareFlask(top)
        for side in (ours, peer):
            stack.callback(side.stop)
            side.start()
            _requests_per_second(side)  # warms it up
        ours.stop_workers()
        return alternate(
            BENCHES,
            lambda: {"intake": _requests_per_second(ours)},
            lambda: {"intake": _requests_per_second(peer)},
            pairs,
        )


def _requests_per_second(side: System | BareFlask) -> float:
    report = load.run(side.target(), _AMOUNT)
    if report.bad:
        raise RuntimeError(f"{report.bad} intakes were refused.")
    return report.per_second
