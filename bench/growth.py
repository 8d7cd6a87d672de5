"""growth: a system with 1,000,000 referrals stored / one with 10,000.

A hundred referrals go their real way through each system (97 of them to the end), then each is
copied. What is compared: intakes per second, the coordinator's page of queues, submit to webhook
at 20 a second, and the relay's look at an outbox in which nothing waits.
"""

import csv
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack

import requests

from bench import load
from bench.drive import a_folder, drive, percentile, wait_for
from bench.history import multiply
from bench.load import Load
from bench.pairs import Bench, Result, alternate, say
from bench.sink import Sink
from bench.system import System
from services.local import machines
from services.sample import Caller
from shared.bus import open_bus
from shared.worker import Relay

NEEDS = ("kafka",)
BENCHES = (
    Bench("growth-intake", "requests/s", must=0.85, aim=0.95, better="higher"),
    Bench("growth-queue-page", "ms", must=1.3, aim=1.1, better="lower"),
    Bench("growth-notified", "ms", must=1.2, aim=1.05, better="lower"),
    Bench("growth-relay-poll", "ms", must=1.3, aim=1.1, better="lower"),
)
_SEEDS = 100
_MANY, _FEW = 1_000_000, 10_000
_STEADY = Load(seconds=5, rate=20)
_FULL = Load(seconds=3, connections=16)
_PAGES = 40
_POLLS = 200
_SIGN_IN_TRIES = 10  # the provider is busy while a system has just started
_STEPS: Sequence[tuple[str, str, Mapping[str, str]]] = (
    ("accept", "acceptance", {}),
    ("contact", "contact", {"kind": "contacted"}),
    ("service-start", "service-start", {}),
    ("close", "closure", {"outcome": "service-completed"}),
)
_LEFT = {0: 0, 1: 1, 2: 2}
"""After how many steps a seed is left; all others go to the end."""


def run(pairs: int) -> list[Result]:
    """Measure."""
    with ExitStack() as stack:
        top = stack.enter_context(a_folder())
        sides = []
        for name, stored in (("many", _MANY), ("few", _FEW)):
            sink = Sink(top / name / "sink")
            sink.program.start()
            stack.callback(sink.program.stop)
            system = System(top / name, sink)
            stack.callback(system.stop)
            sides.append(_a_side(system.start(), stored))
        return alternate(BENCHES, sides[0], sides[1], pairs)


def _a_side(system: System, stored: int) -> Callable[[], Mapping[str, float]]:
    say(f"  filling a system with {stored:,} referrals ...")
    begun = time.monotonic()
    drive(system, Load(seconds=30, connections=1, count=_SEEDS))
    _answer(system)
    system.stop_workers()
    multiply(system.place.postgres, stored // _SEEDS)
    system.start_workers()
    system.wait_for_workers()
    say(f"  filled in {time.monotonic() - begun:.0f} s")
    coordinator = _sign_in(system)

    def measure() -> Mapping[str, float]:
        notified = percentile(drive(system, _STEADY).latencies(), 50)
        page = _page(system, coordinator)
        system.stop_workers()
        poll, intake = _poll(system), load.run(system.target(), _FULL)
        system.start_workers()
        wait_for(system.sink, len(intake.sent))
        return {
            "growth-intake": intake.per_second,
            "growth-queue-page": page,
            "growth-notified": notified,
            "growth-relay-poll": poll,
        }

    return measure


def _answer(system: System) -> None:
    """Let the partners answer the seeds, each by its own system."""
    number = 0
    for partner in _partners(system):
        for offer in partner.get("/offers")["offers"]:
            _take_steps(partner, f"/offers/{offer['reference']}", _LEFT.get(number, len(_STEPS)))
            number += 1


def _take_steps(partner: Caller, path: str, count: int) -> None:
    for verb, action, body in _STEPS[:count]:
        if verb in partner.get(path)["can"]:
            partner.post(f"{path}/{action}", body or None)


def _partners(system: System) -> Iterator[Caller]:
    place, secrets = system.place, machines.client_secrets(system.place.folder)
    with (place.folder.site / "members.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["role"] == "client" and row["organization_id"] in system.partners:
                name = row["subject"]
                yield Caller(place.issuer, f"{system.url('routing')}/api", name, secrets[name])


def _sign_in(system: System) -> requests.Session:
    """Return a session in which the coordinator is signed in."""
    session = requests.Session()
    for _ in range(_SIGN_IN_TRIES):
        asked = session.get(f"{system.url('routing')}/sign-in?next=/console", timeout=30)
        if asked.ok:
            break
        time.sleep(1)
    answer = session.post(asked.url, data={"sub": "coordinator"}, timeout=30)
    answer.raise_for_status()
    return session


def _page(system: System, coordinator: requests.Session) -> float:
    """Return the median time of the page of all queues, in milliseconds."""
    return _median_ms(_PAGES, lambda: _get(coordinator, f"{system.url('routing')}/console"))


def _get(session: requests.Session, address: str) -> None:
    answer = session.get(address, timeout=30, allow_redirects=False)
    if answer.status_code != requests.codes.ok or 'id="live"' not in answer.text:
        raise RuntimeError(f"{address} answers {answer.status_code}.")


def _poll(system: System) -> float:
    """Return the median time of a look at routing's outbox, the largest, in milliseconds."""
    dsn = system.place.postgres.dsn("routing", "routing_worker")
    relay = Relay(dsn, open_bus(system.place.bus()).producer("bench"))
    try:
        return _median_ms(_POLLS, lambda: _nothing_waits(relay))
    finally:
        relay.close()


def _nothing_waits(relay: Relay) -> None:
    if relay.step():
        raise RuntimeError("Something waits in the outbox.")


def _median_ms(count: int, action: Callable[[], None]) -> float:
    spent = []
    for _ in range(count):
        begun = time.perf_counter()
        action()
        spent.append(1000 * (time.perf_counter() - begun))
    return statistics.median(spent)
